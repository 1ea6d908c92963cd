"""A scene from above: where one can walk, and the boxes of its objects with their names."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from ..render.navigation.navigation import Navigation
from ..scenes.card import SceneCard, SceneObject
from .labels import round_length
from .theme import LIGHT, themed

Walkable = tuple[np.ndarray, Sequence[float], float]
"""Free cells ``[y, x]``, world position (x, y) of the outer corner of cell [0, 0], cell size."""
FIGURE_WIDTH_IN = 5.4
NAME_SIZE = 8.0
_CHARACTER_WIDTH = 0.58  # of the font size


def walkable_of(navigation: Navigation | None) -> Walkable | None:
    """Return where a body's axis can be, or None where there is no ground to walk on."""
    if navigation is None or navigation.ground is None:
        return None
    ground = navigation.ground
    corner = np.asarray(ground.origin_xy_m, dtype=np.float64) - ground.cell_m / 2
    return ground.reachable.T, tuple(corner), ground.cell_m


def plan_plot(card: SceneCard, walkable: Walkable | None = None) -> Figure:
    """Return the scene from above, with a dot for each photograph that it was trained on."""
    with themed():
        figure, axes = draw_plan(card, walkable)
        cameras = np.asarray(card.world_from_training_camera, dtype=np.float64).reshape(-1, 4, 4)
        axes.plot(*cameras[:, :2, 3].T, "o", ms=2.2, color=LIGHT["blue"], alpha=0.6, ls="")
    return figure


def draw_plan(
    card: SceneCard, walkable: Walkable | None = None, *, keep_free: np.ndarray | None = None
) -> tuple[Figure, Axes]:
    """Return a figure of the scene from above and its axes in world units; call in ``themed()``.

    +x points right and +y up; the scale bar takes the place of axes.

    Args:
        card: gives bounds and objects.
        walkable: shaded when given.
        keep_free: points ``[n, 2]`` that no name may cover.
    """
    low, high = _extent(card, walkable)
    width, height = high - low
    pad = 0.02 * max(width, height)
    figure_height = float(
        np.clip(FIGURE_WIDTH_IN * (height + 4.75 * pad) / (width + pad / 2), 2.5, 7)
    )
    figure = Figure(figsize=(FIGURE_WIDTH_IN, figure_height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_aspect("equal", anchor="NW")
    axes.set_axis_off()
    axes.set_xlim(low[0] - pad / 4, high[0] + pad / 4)
    axes.set_ylim(low[1] - 4.5 * pad, high[1] + pad / 4)
    axes.add_patch(_bounds_outline(card))
    if walkable is not None:
        _draw_walkable(axes, walkable)
    world_per_point = width / (FIGURE_WIDTH_IN * 72)
    _draw_objects(axes, card.objects, _Names((low, high), world_per_point, keep_free))
    _draw_scale_bar(axes, low, width, pad, "m" if card.is_metric else "units")
    return figure, axes


def _bounds_outline(card: SceneCard) -> Rectangle:
    low, high = (np.asarray(corner, dtype=np.float64)[:2] for corner in card.bounds)
    size = high - low
    return Rectangle(
        (low[0], low[1]), size[0], size[1], fc="none", ec=LIGHT["floor"], lw=1.2, zorder=2
    )


def _extent(card: SceneCard, walkable: Walkable | None) -> tuple[np.ndarray, np.ndarray]:
    corners = [np.asarray(card.bounds, dtype=np.float64)[:, :2]]
    corners += [item.box.corners_m()[:, :2] for item in card.objects]
    if walkable is not None:
        free, origin, cell = walkable
        start = np.asarray(origin, dtype=np.float64)[:2]
        corners.append(start + cell * np.argwhere(free)[:, ::-1])
    points = np.concatenate(corners)
    return points.min(axis=0), points.max(axis=0)


def _draw_walkable(axes: Axes, walkable: Walkable) -> None:
    free, origin, cell = walkable
    padded = np.pad(np.asarray(free, dtype=np.float64), 1)
    xs = origin[0] + cell * (np.arange(padded.shape[1]) - 0.5)
    ys = origin[1] + cell * (np.arange(padded.shape[0]) - 0.5)
    if padded.any():
        axes.contourf(xs, ys, padded, levels=[0.5, 2.0], colors=[LIGHT["fill"]], zorder=0)


def _draw_objects(axes: Axes, objects: Sequence[SceneObject], names: "_Names") -> None:
    """Draw large boxes first, and each name where it covers no other name."""
    by_size = sorted(objects, key=lambda item: -item.box.size_m[0] * item.box.size_m[1])
    for item in by_size:
        shape = _footprint(item)
        axes.add_patch(Polygon(shape, fc=LIGHT["line"], ec="none", alpha=0.55, zorder=2.5))
        axes.add_patch(Polygon(shape, fc="none", ec=LIGHT["floor"], lw=0.7, zorder=3))
    for item in sorted(by_size, key=lambda item: item.box.size_m[0] * item.box.size_m[1]):
        place = names.place(_footprint(item), len(item.name))
        if place is not None:
            x, y, is_upright = place
            axes.text(
                x,
                y,
                item.name.replace("_", " "),
                size=NAME_SIZE,
                rotation=90 if is_upright else 0,
                color=LIGHT["ink"],
                ha="center",
                va="center",
                zorder=6,
            )


def _footprint(item: SceneObject) -> np.ndarray:
    """Return the four corners ``[4, 2]`` of a box seen from above, in order."""
    return item.box.corners_m()[[0, 2, 6, 4], :2]


class _Names:
    """Places taken by names, so that none covers another or leaves the picture."""

    def __init__(
        self,
        extent: tuple[np.ndarray, np.ndarray],
        world_per_point: float,
        keep_free: np.ndarray | None,
    ) -> None:
        self._low, self._high = extent
        self._size = NAME_SIZE * world_per_point
        points = np.empty((0, 2)) if keep_free is None else keep_free
        reach = 0.35 * self._size
        self._taken = [np.stack([point - reach, point + reach]) for point in points]

    def place(self, outline: np.ndarray, characters: int) -> tuple[float, float, bool] | None:
        """Return where a name fits and whether it stands upright, and take the place.

        On its box, upright where the box is too narrow; else below, above, beside it; else None.
        """
        half = np.array([_CHARACTER_WIDTH * characters, 1.2]) * self._size / 2
        low, high = outline.min(axis=0), outline.max(axis=0)
        middle = outline.mean(axis=0)
        width, height = high - low
        upright_first = width < 2 * half[0] and height >= 2 * half[0]
        shifts = [(0, s * (height / 4)) for s in (0, -1, 1)]
        if upright_first:
            shifts = [(0, 0), (0, -height / 4), (0, height / 4)]
        else:
            shifts += [(0, -height / 2 - half[1]), (0, height / 2 + half[1])]
            shifts += [(width / 2 + half[0], 0), (-width / 2 - half[0], 0)]
        size = half[::-1] if upright_first else half
        for shift in shifts:
            centre = np.maximum(np.minimum(middle + shift, self._high - size), self._low + size)
            area = np.stack([centre - size, centre + size])
            if not any(np.all(area[0] < b[1]) and np.all(b[0] < area[1]) for b in self._taken):
                self._taken.append(area)
                return float(centre[0]), float(centre[1]), upright_first
        return None


def _draw_scale_bar(axes: Axes, low: np.ndarray, width: float, pad: float, unit: str) -> None:
    length = round_length(width / 4)
    x, y = low[0], low[1] - 2 * pad
    axes.plot([x, x + length], [y, y], color=LIGHT["ink"], lw=1.6, solid_capstyle="butt")
    axes.text(
        x + length + pad,
        y,
        f"{length:g} {'unit' if unit == 'units' and length == 1 else unit}",
        size=8.5,
        va="center",
        color=LIGHT["ink"],
    )
