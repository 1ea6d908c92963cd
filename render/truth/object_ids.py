"""Which object each pixel shows, from depth and the boxes of the scene's card."""

import math
from collections.abc import Sequence

import numpy as np

from ...scenes.card import SceneObject
from ..camera import Camera

BACKGROUND = -1
MARGIN_M = 0.03
"""Boxes are grown by this much, because a field's surfaces lie within it of the true ones."""


def surface_points(depth: np.ndarray, camera: Camera, world_from_camera: np.ndarray) -> np.ndarray:
    """Return the world point ``[..., height, width, 3]`` that each pixel shows.

    Args:
        depth: z-depth ``[..., height, width]`` in world units.
        camera: the camera of all pictures.
        world_from_camera: poses ``[..., 4, 4]``.
    """
    directions = camera.directions()
    points_camera = directions / directions[..., 2:] * np.asarray(depth)[..., None]
    rotation, position = world_from_camera[..., :3, :3], world_from_camera[..., :3, 3]
    return np.einsum("...ij,...hwj->...hwi", rotation, points_camera) + position[..., None, None, :]


def object_ids(
    points: np.ndarray, objects: Sequence[SceneObject], *, floor_height: float | None = None
) -> np.ndarray:
    """Return the index of the object that each world point ``[..., 3]`` belongs to, or -1.

    Where boxes overlap, the smallest one wins: a cup stands inside the box of its table. With a
    ``floor_height``, points within the margin above it are the floor's, which would otherwise
    belong to every chair that stands on it; but not to what lies flat on it, such as a rug.
    """
    found = np.full(points.shape[:-1], BACKGROUND, dtype=np.int64)
    floor = -math.inf if floor_height is None else floor_height + MARGIN_M
    by_size = sorted(range(len(objects)), key=lambda i: -float(np.prod(objects[i].box.size_m)))
    for index in by_size:
        box = objects[index].box
        inside = box.contains(points, margin_m=MARGIN_M)
        if box.centre_m[2] + box.size_m[2] / 2 > floor + MARGIN_M:
            inside &= points[..., 2] > floor
        found[inside] = index
    return found
