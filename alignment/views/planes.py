"""Depth where none was measured: a plane through the object, facing the views.

An approximation, and named as such wherever it is used: it is right at the object's middle and
wrong by the object's own relief, which shifts points by that share of their parallax.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .view_camera import ViewCamera

FACING_PLANE = "facing plane through the object's centre (approximate depth)"


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """A plane of the world."""

    point: np.ndarray
    """``[3]``: any point on it."""
    normal: np.ndarray
    """``[3]``: at right angles to it, of any length but 0."""

    def depth(self, camera: ViewCamera) -> np.ndarray:
        """Return the z-depth ``[h, w]`` at which each pixel sees the plane; 0 where it does not."""
        along = camera.rays_world() @ self.normal
        offset = float((self.point - camera.position_world) @ self.normal)
        depth = offset / np.where(along == 0, np.nan, along)
        return np.where(np.isfinite(depth) & (depth > 0), depth, 0.0)


def common_centre(cameras: Sequence[ViewCamera]) -> np.ndarray:
    """Return the point ``[3]`` nearest to the axes of cameras, by least squares.

    Cameras that were turned to one object meet there. Those that share their axis (a zoom) have no
    such point.

    Raises:
        ValueError: fewer than two different axes.
    """
    positions = np.array([camera.position_world for camera in cameras])
    axes = np.array([camera.axis_world for camera in cameras])
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    total = across.sum(axis=0)
    # The smallest eigenvalue is the mean squared sine between axes: below it, they are parallel.
    if len(cameras) < 2 or np.linalg.eigvalsh(total)[0] < 1e-4 * len(cameras):
        raise ValueError(
            f"expected cameras that look at one thing from different sides, got {len(cameras)} "
            "with parallel axes; give more cameras of it (more_cameras, --cameras)"
        )
    return np.linalg.solve(total, np.einsum("nij,nj->i", across, positions))


def facing_plane(centre: np.ndarray, cameras: Sequence[ViewCamera]) -> Plane:
    """Return the plane through an object's centre that faces all cameras as well as one plane can.

    Raises:
        ValueError: the cameras look from opposite sides, so that no plane faces them.
    """
    towards = np.array([camera.position_world - centre for camera in cameras])
    normal = (towards / np.linalg.norm(towards, axis=1, keepdims=True)).mean(axis=0)
    if np.linalg.norm(normal) < 0.1:
        raise ValueError("expected cameras on one side of the object, got opposite sides")
    return Plane(point=centre, normal=normal)
