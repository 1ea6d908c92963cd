"""Rigid transforms between right-handed frames, in float64.

A head or a camera has OpenCV axes: +x right, +y down, +z forward. Its direction in the world is
given by three angles: yaw, counter-clockwise about world +z from world +x; pitch, positive
upwards; roll about the line of sight, positive when the right side goes down.
"""

import numpy as np


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
    right = np.stack([np.sin(yaw), -np.cos(yaw), np.zeros_like(yaw)], axis=-1)
    down = np.cross(forward, right)
    cos, sin = np.cos(roll)[..., None], np.sin(roll)[..., None]
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward], axis=-1)


def direction_from_angles(yaw_rad: np.ndarray, pitch_rad: np.ndarray) -> np.ndarray:
    """Return unit world directions ``[..., 3]`` with the given yaw and pitch."""
    cos = np.cos(pitch_rad)
    return np.stack([np.cos(yaw_rad) * cos, np.sin(yaw_rad) * cos, np.sin(pitch_rad)], axis=-1)


def angles_from_direction(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return yaw in (-pi, pi] and pitch in [-pi/2, pi/2] of world directions ``[..., 3]``."""
    x, y, z = np.moveaxis(np.asarray(direction, dtype=np.float64), -1, 0)
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))


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
    return transform(
        camera_from_world_axes, -np.einsum("...ij,...j->...i", camera_from_world_axes, position)
    )


def apply(target_from_source: np.ndarray, points_source: np.ndarray) -> np.ndarray:
    """Return points ``[..., 3]`` in the target frame; transforms and points broadcast."""
    rotated = np.einsum("...ij,...j->...i", target_from_source[..., :3, :3], points_source)
    return rotated + target_from_source[..., :3, 3]


def wrap_angle(angle_rad: np.ndarray | float) -> np.ndarray:
    """Return angles in [-pi, pi)."""
    return (np.asarray(angle_rad) + np.pi) % (2 * np.pi) - np.pi


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors ``[..., n]`` divided by their lengths."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
