"""Rigid transforms between right-handed frames, in float64.

A head or a camera has OpenCV axes: +x right, +y down, +z forward. Its direction in the world is
given by three angles: yaw, counter-clockwise about world +z from world +x; pitch, positive
upwards; roll about the line of sight, positive when the right side goes down.
"""

import numpy as np

from . import steady


def rotation_from_angles(
    yaw_rad: np.ndarray | float,
    pitch_rad: np.ndarray | float = 0.0,
    roll_rad: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Return rotations ``[..., 3, 3]`` from camera axes to the world, for broadcastable angles.

    Example:
        >>> rotation_from_angles(0.0)[:, 2]  # looks along +x
        array([1., 0., 0.])
    """
    yaw, pitch, roll = np.broadcast_arrays(
        *(np.asarray(angle, dtype=np.float64) for angle in (yaw_rad, pitch_rad, roll_rad))
    )
    forward = direction_from_angles(yaw, pitch)
    sin, cos = steady.sin_cos(yaw)
    right = np.stack([sin, -cos, np.zeros_like(yaw)], axis=-1)
    down = np.cross(forward, right)
    sin, cos = (part[..., None] for part in steady.sin_cos(roll))
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward], axis=-1)


def direction_from_angles(yaw_rad: np.ndarray, pitch_rad: np.ndarray) -> np.ndarray:
    """Return unit world directions ``[..., 3]`` with the given yaw and pitch."""
    up, level = steady.sin_cos(pitch_rad)
    left, ahead = steady.sin_cos(yaw_rad)
    return np.stack(np.broadcast_arrays(ahead * level, left * level, up), axis=-1)


def angles_from_direction(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return yaw in (-pi, pi] and pitch in [-pi/2, pi/2] of world directions ``[..., 3]``."""
    x, y, z = np.moveaxis(np.asarray(direction, dtype=np.float64), -1, 0)
    return steady.atan2(y, x), steady.atan2(z, np.sqrt(x * x + y * y))


def look_at(eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return ``world_from_camera`` ``[..., 4, 4]`` at ``eye``, level, with ``target`` on its axis.

    Raises:
        ValueError: a target coincides with its eye.
    """
    offset = np.asarray(target, dtype=np.float64) - np.asarray(eye, dtype=np.float64)
    if np.any(np.linalg.norm(offset, axis=-1) == 0):
        raise ValueError("expected a target away from the eye, got one at the eye itself")
    return transform(rotation_from_angles(*angles_from_direction(offset)), eye)


def transform(rotation: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return the transforms ``[..., 4, 4]`` with the given rotations and positions."""
    rotation, position = np.asarray(rotation, np.float64), np.asarray(position, np.float64)
    shape = np.broadcast_shapes(rotation.shape[:-2], position.shape[:-1])
    result = np.zeros((*shape, 4, 4))
    result[..., :3, :3] = rotation
    result[..., :3, 3] = position
    result[..., 3, 3] = 1.0
    return result


def inverse(world_from_camera: np.ndarray) -> np.ndarray:
    """Return the inverse of rigid transforms ``[..., 4, 4]``: ``camera_from_world``."""
    world_from_camera = np.asarray(world_from_camera, dtype=np.float64)
    camera_from_world_axes = np.swapaxes(world_from_camera[..., :3, :3], -1, -2)
    position = world_from_camera[..., :3, 3]
    return transform(camera_from_world_axes, -steady.rotate(camera_from_world_axes, position))


def apply(target_from_source: np.ndarray, points_source: np.ndarray) -> np.ndarray:
    """Return points ``[..., 3]`` in the target frame; transforms and points broadcast."""
    rotated = steady.rotate(target_from_source[..., :3, :3], points_source)
    return rotated + target_from_source[..., :3, 3]


def wrap_angle(angle_rad: np.ndarray | float) -> np.ndarray:
    """Return angles in [-pi, pi)."""
    return (np.asarray(angle_rad) + np.pi) % (2 * np.pi) - np.pi


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors ``[..., n]`` divided by their lengths."""
    return vectors / steady.length(vectors)[..., None]


def turn_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return rotation vectors ``[..., 3]`` that turn rotations ``start`` into ``end``.

    They are in the common outer frame; turns must be well below half a circle.
    """
    turn = steady.product(end, np.swapaxes(start, -1, -2))
    axis = np.stack(
        [
            turn[..., 2, 1] - turn[..., 1, 2],
            turn[..., 0, 2] - turn[..., 2, 0],
            turn[..., 1, 0] - turn[..., 0, 1],
        ],
        axis=-1,
    )
    twice_sine = steady.length(axis)
    twice_cosine = turn[..., 0, 0] + turn[..., 1, 1] + turn[..., 2, 2] - 1
    angle = steady.atan2(twice_sine, twice_cosine)
    return (
        axis * np.where(twice_sine > 1e-12, angle / np.maximum(twice_sine, 1e-12), 0.5)[..., None]
    )
