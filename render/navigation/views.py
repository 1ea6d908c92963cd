"""The views that trained a scene, as places from which it can be looked at again."""

from dataclasses import dataclass

import numpy as np

from .. import steady

LEVEL_ENOUGH = float(steady.sin(np.radians(70.0)))
FRONT_SHARE = 0.8
COMMON_TARGET_RAD = np.radians(20.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Views:
    """Where cameras stood and what each of them looked at."""

    position: np.ndarray
    """``[n, 3]`` in the world."""
    look_point: np.ndarray
    """``[n, 3]``: the point on each camera's axis that is nearest to the common focus."""
    focus: np.ndarray
    """``[3]``: the point nearest to all axes."""
    distance: float
    """Median distance from the cameras to what they look at."""
    is_object_like: bool
    """Whether nearly all cameras look at the focus."""


def views_of(world_from_camera: np.ndarray) -> Views:
    """Return the views of camera poses ``[n, 4, 4]`` (OpenCV axes), without those almost upright.

    A head cannot look straight up or down with its yaw defined, so views steeper than 70 degrees
    are left out as long as others remain.
    """
    position, axis = world_from_camera[:, :3, 3], world_from_camera[:, :3, 2]
    focus = _nearest_to_lines(position, axis)
    offset = focus - position
    along = np.sum(offset * axis, axis=1)
    angle = steady.atan2(steady.length(np.cross(axis, offset)), along)
    in_front = along > 0
    object_like = bool(in_front.mean() >= FRONT_SHARE and np.median(angle) < COMMON_TARGET_RAD)
    distance = float(np.median(steady.length(offset)))
    depth = np.clip(along, 0.3 * distance, 2.0 * distance)
    level = np.abs(axis[:, 2]) < LEVEL_ENOUGH
    keep = level if level.any() else np.ones(len(position), dtype=bool)
    return Views(
        position=position[keep],
        look_point=(position + depth[:, None] * axis)[keep],
        focus=focus,
        distance=distance,
        is_object_like=object_like,
    )


def _nearest_to_lines(position: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Return the point with the least sum of squared distances to lines, by least squares.

    Weakly tied to one unit ahead of the mean camera, which decides when all lines are parallel.
    """
    across = np.eye(3) - axis[:, :, None] * axis[:, None, :]
    tie = 1e-6 * len(position)
    ahead = position.mean(axis=0) + axis.mean(axis=0)
    left = across.sum(axis=0) + tie * np.eye(3)
    right = steady.rotate(across, position).sum(axis=0) + tie * ahead
    columns = np.stack([np.cross(left[1], left[2]), np.cross(left[2], left[0])])
    columns = np.concatenate([columns, np.cross(left[0], left[1])[None]])
    # Cramer's rule, whose rounding no library decides.
    return steady.rotate(columns.T, right) / steady.dot(left[0], columns[0])
