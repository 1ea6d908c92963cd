"""Maps carried from one view of a scene to another, by depth and cameras.

Two ways. Clicks are thrown: each clicked pixel is lifted to its point in the world and falls into a
pixel of the target, unless something hides it there; this comes before any blur, as in the view
constancy of ClickMe 2.0 (z-buffer; a point may lie up to 1.1 times as deep as what is seen there).
Dense maps, such as saliency, are fetched: each pixel of the target looks up the source where its
own point is, if the source saw that point.
"""

from dataclasses import dataclass

import numpy as np

from .view_camera import ViewCamera, has_surface

TOLERANCE = 1.1
"""Ratio of depths up to which two points count as one surface (ClickMe 2.0)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Carried:
    """A map in the target's picture."""

    values: np.ndarray
    """float64 ``[h, w]``; 0 where ``visible`` is False."""
    visible: np.ndarray
    """bool ``[h, w]``: of a fetched map, where both views see the point; of thrown clicks, the
    pixels that any point of the source fell into."""

    @property
    def share(self) -> float:
        """Share of the target's pixels that are visible."""
        return float(self.visible.mean())


@dataclass(frozen=True, kw_only=True, eq=False)
class Clicks:
    """What became of thrown clicks."""

    carried: Carried
    arrived: float
    """Sum of the clicks in the target."""
    hidden: float
    """Sum of those whose point is behind something there."""
    outside: float
    """Sum of those whose point is beside the picture, behind its camera, or without a depth."""


def throw_clicks(  # noqa: PLR0913 - a map, and a depth and a camera on either side
    counts: np.ndarray,
    depth: np.ndarray,
    source: ViewCamera,
    target: ViewCamera,
    target_depth: np.ndarray | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> Clicks:
    """Return clicks of the source's picture in the target's; to be blurred afterwards.

    All points of the source fall, clicked or not, and hide what falls behind them into the same
    pixel. With the target's depth, what it sees hides points as well. Clicks are neither split nor
    lost: they arrive, are hidden or fall outside.

    Args:
        counts: ``[h, w]`` of the source, at least 0.
        depth: z-depth ``[h, w]`` of the source; 0 or infinity where there is no surface.
        source: the camera of ``counts`` and ``depth``.
        target: the camera to carry to.
        target_depth: z-depth ``[h', w']`` there, if known.
        tolerance: how many times as deep as the nearest surface a point may be.
    """
    _check(counts, source, tolerance)
    xy, depths = target.project(source.points_world(depth))
    column, row, inside = _pixel_of(xy, target)
    cell = (row * target.width + column)[inside]
    deep, clicks = depths[inside], counts[inside].astype(np.float64)
    nearest = np.full(target.width * target.height, np.inf)
    np.minimum.at(nearest, cell, deep)
    fell = np.isfinite(nearest).reshape(target.size_rowcol_px)
    if target_depth is not None:
        target.check_depth(target_depth)
        seen = np.where(has_surface(target_depth), target_depth, np.inf)
        nearest = np.minimum(nearest, seen.ravel())
    in_front = deep <= tolerance * nearest[cell]
    values = np.bincount(cell[in_front], clicks[in_front], minlength=len(nearest))
    arrived, all_inside = float(values.sum()), float(clicks.sum())
    return Clicks(
        carried=Carried(values=values.reshape(target.size_rowcol_px), visible=fell),
        arrived=arrived,
        hidden=all_inside - arrived,
        outside=float(counts.sum()) - all_inside,
    )


def fetch_map(  # noqa: PLR0913 - a map, and a depth and a camera on either side
    values: np.ndarray,
    source: ViewCamera,
    target_depth: np.ndarray,
    target: ViewCamera,
    source_depth: np.ndarray | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> Carried:
    """Return a dense map of the source's picture as the target would see it.

    Values are interpolated bilinearly. A point is visible if it is inside the source's picture and,
    where the source's depth is known, as deep as what the source sees there, within the tolerance.

    Args:
        values: ``[h, w]`` of the source.
        source: its camera.
        target_depth: z-depth ``[h', w']`` of the target; 0 or infinity where there is no surface.
        target: the camera to carry to.
        source_depth: z-depth ``[h, w]``, if known; without it nothing hides anything.
        tolerance: ratio of depths, either way, up to which two points are one surface.
    """
    _check(values, source, tolerance)
    xy, depths = source.project(target.points_world(target_depth))
    column, row, visible = _pixel_of(xy, source)
    if source_depth is not None:
        source.check_depth(source_depth)
        seen = np.where(has_surface(source_depth), source_depth, np.nan)[row, column]
        with np.errstate(invalid="ignore"):
            ratio = depths / seen
            visible = visible & (ratio <= tolerance) & (ratio >= 1 / tolerance)
    sampled = _bilinear(values.astype(np.float64), np.where(visible[..., None], xy, 0.5))
    return Carried(values=np.where(visible, sampled, 0.0), visible=visible)


def _check(values: np.ndarray, source: ViewCamera, tolerance: float) -> None:
    if values.shape != source.size_rowcol_px:
        raise ValueError(
            f"expected a map of {source.size_rowcol_px}, its camera's rows and columns, got "
            f"{values.shape}; resize one of them"
        )
    if not tolerance >= 1:
        raise ValueError(f"expected a ratio of depths of at least 1 as tolerance, got {tolerance}")


def _pixel_of(xy: np.ndarray, camera: ViewCamera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return column and row of positions, and whether they are in the picture; 0 where not."""
    with np.errstate(invalid="ignore"):
        x, y = xy[..., 0], xy[..., 1]
        inside = np.asarray((x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height))
    cells = np.floor(np.where(inside[..., None], xy, 0.0)).astype(np.int64)
    return cells[..., 0], cells[..., 1], inside


def _bilinear(values: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Return values at positions in pixels; beyond the outermost centres, those of the border."""
    height, width = values.shape
    x = np.clip(xy[..., 0] - 0.5, 0, width - 1)
    y = np.clip(xy[..., 1] - 0.5, 0, height - 1)
    left = np.minimum(np.floor(x).astype(np.int64), max(width - 2, 0))
    top = np.minimum(np.floor(y).astype(np.int64), max(height - 2, 0))
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = x - left, y - top
    above = values[top, left] * (1 - u) + values[top, right] * u
    below = values[bottom, left] * (1 - u) + values[bottom, right] * u
    return above * (1 - v) + below * v
