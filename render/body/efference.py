"""What the eyes and the neck were told to do: their angles, and how fast the eyes turn.

Azimuth, elevation and torsion are Fick's angles, in the order and with the signs of ``rigid``:
positive to the left, upwards, and right side down.
"""

import numpy as np

from .. import steady
from ..rigid import rotation_from_angles

ANGLES = ("azimuth", "elevation", "torsion")


def fick_angles_rad(outer_from_inner_axes: np.ndarray) -> np.ndarray:
    """Return azimuth, elevation and torsion ``[..., 3]`` of rotations ``[..., 3, 3]``.

    Both frames have OpenCV axes (x right, y down, z forward).

    Example:
        >>> fick_angles_rad(np.eye(3)).tolist()
        [0.0, 0.0, 0.0]
    """
    right, down, forward = np.moveaxis(outer_from_inner_axes, -1, 0)
    azimuth = -steady.atan2(forward[..., 0], forward[..., 2])
    elevation = -steady.atan2(forward[..., 1], steady.length(forward[..., ::2]))
    sin, cos = steady.sin_cos(azimuth)
    level = np.stack([cos, np.zeros_like(cos), sin], axis=-1)
    torsion = steady.atan2(-steady.dot(down, level), steady.dot(right, level))
    # Adding 0 turns the negative zeros of an eye straight ahead into plain ones.
    return np.stack([azimuth, elevation, torsion], axis=-1) + 0.0


def eye_in_head_rad(world_from_head: np.ndarray, world_from_eye: np.ndarray) -> np.ndarray:
    """Return the eyes' angles ``[eye, n, 3]`` in the head, of poses ``[n, 4, 4]`` and eyes'."""
    head_from_world = np.swapaxes(world_from_head[:, :3, :3], 1, 2)
    return fick_angles_rad(steady.product(head_from_world, world_from_eye[:, :, :3, :3]))


def neck_rad(world_from_head: np.ndarray, heading_rad: np.ndarray) -> np.ndarray:
    """Return yaw, pitch and roll ``[n, 3]`` of a head on a level body with the heading ``[n]``."""
    body_from_world = np.swapaxes(rotation_from_angles(heading_rad), 1, 2)
    return fick_angles_rad(steady.product(body_from_world, world_from_head[:, :3, :3]))


def rates_rad_s(angles_rad: np.ndarray, step_s: float) -> np.ndarray:
    """Return the rates of angles ``[eye, n, 3]`` by central differences."""
    return np.gradient(np.unwrap(angles_rad, axis=1), step_s, axis=1)
