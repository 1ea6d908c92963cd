"""Where to look at a thing from, if nobody knows where it was photographed from."""

import math

import numpy as np

ELEVATIONS_DEG = (5.0, 20.0, 35.0, 50.0)
"""Things stand on something: their underside was not seen in training."""
AZIMUTHS = 24
FILLED_RAD = math.radians(26.0)
"""Half the angle that the bounding ball fills: four fifths of a field of view of 65 degrees."""
CLEARANCE_M = 0.4
"""Where the scale is known nobody looks from nearer, so that nothing comes within 0.3 m."""


def viewpoints_around(low: np.ndarray, high: np.ndarray, *, is_metric: bool) -> np.ndarray:
    """Return camera poses ``[96, 4, 4]`` (OpenCV axes, level) on four rings around a box.

    All look at the middle of the box with corners ``low`` and ``high`` ``[3]``, from the distance
    at which the ball around it fills four fifths of a field of view of 65 degrees.
    """
    middle, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    distance = radius / math.sin(FILLED_RAD)
    if is_metric:
        distance = max(distance, radius + CLEARANCE_M)
    elevation, azimuth = np.meshgrid(
        np.radians(ELEVATIONS_DEG),
        np.arange(AZIMUTHS) * 2 * math.pi / AZIMUTHS,
        indexing="ij",
    )
    e, a = elevation.ravel(), azimuth.ravel()
    forward = -np.stack([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)], axis=1)
    right = np.stack([-np.sin(a), np.cos(a), np.zeros_like(a)], axis=1)
    poses = np.tile(np.eye(4), (len(a), 1, 1))
    poses[:, :3, :3] = np.stack([right, np.cross(forward, right), forward], axis=2)
    poses[:, :3, 3] = middle - distance * forward
    return poses
