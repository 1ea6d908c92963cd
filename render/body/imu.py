"""What an inertial sensor at the head's origin measures, in head axes (x right, y down, z forward).

The head's origin lies midway between the eyes.
"""

import numpy as np

from .. import steady
from ..motion.gait import GRAVITY_M_S2

LEAST_INSTANTS = 3
"""An acceleration takes three positions."""


def angular_velocity_rad_s(world_from_head: np.ndarray, step_s: float) -> np.ndarray:
    """Return angular velocity ``[n, 3]`` about the head's axes, of poses ``[n, 4, 4]``.

    The rotation ``R[i].T R[i + 1]`` from one instant to the next has the same axis in the head's
    frame at both; each instant gets the mean of the ones before and after it, the ends get theirs.
    """
    axes = world_from_head[:, :3, :3]
    step = rotation_vectors(steady.product(np.swapaxes(axes[:-1], 1, 2), axes[1:])) / step_s
    return (np.concatenate([step[:1], step]) + np.concatenate([step, step[-1:]])) / 2


def rotation_vectors(rotations: np.ndarray) -> np.ndarray:
    """Return axis times angle ``[n, 3]`` of rotations ``[n, 3, 3]`` by less than half a turn.

    The antisymmetric part of a rotation is the axis times the angle's sine, and its trace is
    ``1 + 2 cos``.
    """
    twice = rotations - np.swapaxes(rotations, 1, 2)
    axis_sin = np.stack([twice[:, 2, 1], twice[:, 0, 2], twice[:, 1, 0]], axis=1) / 2
    sin = steady.length(axis_sin)
    cos = (rotations[:, 0, 0] + rotations[:, 1, 1] + rotations[:, 2, 2] - 1) / 2
    # Angle and sine are the same to the last bit where the quotient would be 0 / 0.
    stretch = np.where(sin > 1e-9, steady.atan2(sin, cos) / np.maximum(sin, 1e-9), 1.0)
    return axis_sin * stretch[:, None]


def specific_force_m_s2(world_from_head: np.ndarray, step_s: float) -> np.ndarray:
    """Return specific force ``f = a - g`` ``[n, 3]`` along the head's axes, of poses in metres.

    At rest it is 9.81 m/s^2 upwards. The acceleration is the central second difference of the
    positions; the ends get their neighbours'.
    """
    position = world_from_head[:, :3, 3]
    inner = (position[2:] - 2 * position[1:-1] + position[:-2]) / step_s**2
    force = np.concatenate([inner[:1], inner, inner[-1:]])
    force[:, 2] += GRAVITY_M_S2
    return steady.rotate(np.swapaxes(world_from_head[:, :3, :3], 1, 2), force)
