"""Disparities of natural views, from rendered depth.

The horizontal disparity of a point is the angle under which it sees the two eyes, less the angle
under which the fixated point does: Helmholtz coordinates, crossed (nearer) positive.
"""

import numpy as np

from ...scenes.scene import Scene
from ..camera import Camera, PinholeCamera, rays_of
from ..rigid import apply
from ..volume import RenderOptions, render_rays
from .looking import vergence_demand_rad

FIELD_DEG = 40.0
SIZE_PX = 21
CENTRAL_DEG = 20.0
"""Disparities this near to the line of sight count. The published field is not known to us."""
BAND_DEG = (2.0, 20.0)
"""Lower and upper field: elevations this far from the line of sight."""
LEAST_OPACITY = 0.5


def views_of(
    scene: Scene, world_from_eye: np.ndarray, renderer: RenderOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Return points ``[m, pixel, 3]`` that cameras at ``[m, 4, 4]`` see, and their field places.

    Points are at median depth, NaN where the view is not opaque; the field is azimuth (right) and
    elevation (up) ``[pixel, 2]`` from the line of sight, in degrees.
    """
    camera = PinholeCamera.from_hfov(np.radians(FIELD_DEG), (SIZE_PX, SIZE_PX))
    seen = render_rays(scene, rays_of(camera, world_from_eye, device=renderer.device), renderer)
    depth = seen.depth_median.cpu().numpy().astype(np.float64)
    opaque = seen.opacity.cpu().numpy() > LEAST_OPACITY
    depth = np.where(opaque, depth, np.nan).reshape(len(world_from_eye), -1, 1)
    directions = camera.directions().reshape(-1, 3)
    points = directions / directions[:, 2:] * depth
    return apply(world_from_eye[:, None], points), field_of(camera)


def field_of(camera: Camera) -> np.ndarray:
    """Return azimuth (right) and elevation (up) ``[pixel, 2]`` of a camera's pixels, in degrees."""
    x, y, z = np.moveaxis(camera.directions().reshape(-1, 3), -1, 0)
    return np.degrees(np.stack([np.arctan2(x, z), np.arctan2(-y, np.hypot(x, z))], axis=1))


def disparity_deg_crossed_positive(
    points: np.ndarray, eyes: np.ndarray, fixated: np.ndarray
) -> np.ndarray:
    """Return disparities ``[k]`` of points ``[k, 3]`` for eyes ``[2, 3]`` that fixate ``[3]``."""
    both = np.broadcast_to(eyes, (len(points), 2, 3))
    demand = vergence_demand_rad(both, points)
    return np.degrees(demand - vergence_demand_rad(eyes[None], fixated[None])[0])


def by_elevation(rows: np.ndarray, edges_deg: np.ndarray) -> np.ndarray:
    """Return quartiles ``[band, 3]`` of disparities in bands of elevation; NaN of empty bands.

    Args:
        rows: ``[k, 3]``: azimuth, elevation and disparity, in degrees.
        edges_deg: ``[band + 1]``, ascending.
    """
    band = np.digitize(rows[:, 1], edges_deg) - 1
    found = np.full((len(edges_deg) - 1, 3), np.nan)
    for i in range(len(found)):
        inside = rows[band == i, 2]
        if len(inside):
            found[i] = np.quantile(inside, (0.25, 0.5, 0.75))
    return found


def central(rows: np.ndarray) -> np.ndarray:
    """Return the disparities ``[k]`` within ``CENTRAL_DEG`` of the line of sight."""
    return rows[np.hypot(rows[:, 0], rows[:, 1]) <= CENTRAL_DEG, 2]


def in_band(rows: np.ndarray, side: int) -> np.ndarray:
    """Return the central disparities above (side 1) or below (-1) the line of sight."""
    height = side * rows[:, 1]
    near = np.hypot(rows[:, 0], rows[:, 1]) <= CENTRAL_DEG
    return rows[near & (height >= BAND_DEG[0]) & (height <= BAND_DEG[1]), 2]
