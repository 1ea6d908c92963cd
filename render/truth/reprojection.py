"""Where the points that one view shows are in another view: the source of flow and disparity.

Scenes are static, so that depth and two poses decide it: a pixel's centre is lifted to its z-depth,
carried into the other camera and projected.
"""

from dataclasses import dataclass

import numpy as np

from ..camera import Camera, pixel_centres
from ..rigid import apply, inverse
from .object_ids import surface_points

NEAREST_SHARE = 1e-6
"""Points nearer to the other camera's plane than this share of their own depth have no pixel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reprojected:
    """The points of one view's pixels as another camera has them; NaN where there is no pixel."""

    xy_px: np.ndarray
    """``[..., h, w, 2]``: position in the other picture, which need not be inside it."""
    depth: np.ndarray
    """``[..., h, w]``: z-depth in the other camera."""


def has_surface(depth: np.ndarray) -> np.ndarray:
    """Return where depth is that of a surface: 0 is unknown, infinity is nothing there."""
    return np.isfinite(depth) & (depth > 0)


def reproject(
    depth: np.ndarray,
    camera: Camera,
    world_from_source: np.ndarray,
    world_from_target: np.ndarray,
) -> Reprojected:
    """Return where a view's points are in another view of the same camera.

    Args:
        depth: z-depth ``[..., h, w]`` of the source; 0 and infinity mean that there is no surface.
        camera: the camera of both views.
        world_from_source: poses ``[..., 4, 4]``.
        world_from_target: poses ``[..., 4, 4]``.
    """
    solid = has_surface(depth)
    known = np.where(solid, depth, 1.0).astype(np.float64)
    points_world = surface_points(known, camera, world_from_source)
    points = apply(inverse(world_from_target)[..., None, None, :, :], points_world)
    ahead = solid & (points[..., 2] > NEAREST_SHARE * known)
    points[~ahead] = np.nan
    return Reprojected(xy_px=camera.project(points), depth=points[..., 2])


def flow_px(there: Reprojected, camera: Camera) -> np.ndarray:
    """Return ``[..., h, w, 2]``: position in the target minus position in the source, in pixels."""
    return there.xy_px - pixel_centres(camera)
