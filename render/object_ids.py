"""Which object each pixel shows, from depth and the boxes of the scene's card."""

from collections.abc import Sequence

import numpy as np

from ..scenes.card import SceneObject
from .camera import PinholeCamera

BACKGROUND = -1
MARGIN_M = 0.03
"""Boxes are grown by this much, because a field's surfaces lie within it of the true ones."""


def surface_points(
    depth: np.ndarray, camera: PinholeCamera, world_from_camera: np.ndarray
) -> np.ndarray:
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


def object_ids(points: np.ndarray, objects: Sequence[SceneObject]) -> np.ndarray:
    """Return the index of the object that each world point ``[..., 3]`` belongs to, or -1.

    Where boxes overlap, the smallest one wins: a cup stands inside the box of its table.
    """
    found = np.full(points.shape[:-1], BACKGROUND, dtype=np.int64)
    by_size = sorted(range(len(objects)), key=lambda i: -float(np.prod(objects[i].box.size_m)))
    for index in by_size:
        found[objects[index].box.contains(points, margin_m=MARGIN_M)] = index
    return found
