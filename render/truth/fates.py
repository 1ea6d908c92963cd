"""What becomes of a point in another view: seen there, hidden behind something, or out of view.

A point is hidden where the other view's depth, at the place where the point would be, is less than
the point's own. That depth is known at pixel centres only, and the point falls between them:

* Averaging the four depths around it invents surfaces halfway between an object and what is behind
  it, which hide points that are in plain sight.
* Taking the nearest pixel's depth as it is fails on slanted surfaces: a floor's depth changes by
  several per cent from one pixel to the next, and would hide itself.

So the nearest pixel decides which surface is seen there, and that surface is continued to the point
by its tangent plane. The inverse depth of a plane is linear in the picture, so this is exact for
planes. Slopes are one-sided differences of inverse depth, the smaller of both sides, and 0 where
they disagree in sign (the minmod limiter): no slope reaches across an edge unless a pixel has edges
on both sides. What remains wrong lies within half a pixel of a depth edge in the other view.
"""

import numpy as np

from ..camera import Camera
from .quantities import Fate
from .reprojection import Reprojected, has_surface

TOLERANCE = 0.03
"""Share of a point's depth by which a surface must be nearer to hide it.

A radiance field's median depth lies on its samples, which differ from view to view: in the bundled
living_room two views agree on the depth of a point within 0.9 % for 95 % of all points, and within
3 % for 99 %. What is lost is little: a surface in front of a point by less than 3 % shifts against
it by less than 3 % of the point's own parallax, about a tenth of a pixel between two eyes.
"""


def fates(
    there: Reprojected,
    seen_depth: np.ndarray,
    camera: Camera,
    *,
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """Return the ``Fate``, uint8 ``[..., h, w]``, of points in a view that sees ``seen_depth``.

    Args:
        there: the points as that view's camera has them, NaN where there is no point.
        seen_depth: z-depth ``[..., h', w']`` at that view's pixel centres; 0 or infinity where it
            sees no surface, and so nothing that hides.
        camera: that view's camera.
        tolerance: share of a point's depth by which a surface must be nearer to hide it.
    """
    x, y = there.xy_px[..., 0], there.xy_px[..., 1]
    ahead = np.isfinite(x)
    with np.errstate(invalid="ignore"):
        inside = ahead & (x >= 0) & (x <= camera.width) & (y >= 0) & (y <= camera.height)
    xy = np.where(inside[..., None], there.xy_px, 0.0)
    inverse_point = 1.0 / np.where(inside, there.depth, 1.0)
    hidden = _inverse_depth_at(xy, seen_depth) * (1 - tolerance) > inverse_point
    fate = np.where(hidden, Fate.HIDDEN, Fate.VISIBLE)
    return np.where(inside, fate, Fate.OUTSIDE).astype(np.uint8)


def _inverse_depth_at(xy_px: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Return the inverse depth ``[..., h, w]`` of the surface seen at places in the picture."""
    inverse = np.where(has_surface(depth), 1.0 / np.where(has_surface(depth), depth, 1.0), 0.0)
    height, width = depth.shape[-2:]
    column = np.clip(np.floor(xy_px[..., 0]).astype(np.int64), 0, width - 1)
    row = np.clip(np.floor(xy_px[..., 1]).astype(np.int64), 0, height - 1)
    across, down = _slope(inverse, axis=-1), _slope(inverse, axis=-2)
    flat = (row * width + column).reshape(*column.shape[:-2], -1)

    def at(image: np.ndarray) -> np.ndarray:
        values = np.broadcast_to(image, (*column.shape[:-2], height, width))
        found = np.take_along_axis(values.reshape(*column.shape[:-2], -1), flat, axis=-1)
        return found.reshape(column.shape)

    beside, below = xy_px[..., 0] - (column + 0.5), xy_px[..., 1] - (row + 0.5)
    return at(inverse) + at(across) * beside + at(down) * below


def _slope(image: np.ndarray, *, axis: int) -> np.ndarray:
    """Return the slope per pixel: the smaller one-sided difference, 0 where the signs differ."""
    steps = np.diff(image, axis=axis)
    if steps.shape[axis] == 0:
        return np.zeros_like(image)
    first = np.take(steps, [0], axis=axis)
    last = np.take(steps, [-1], axis=axis)
    before = np.concatenate([first, steps], axis=axis)
    after = np.concatenate([steps, last], axis=axis)
    smaller = np.where(np.abs(before) < np.abs(after), before, after)
    return np.where(before * after > 0, smaller, 0.0)
