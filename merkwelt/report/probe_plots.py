"""Figures of a probe: places on the floor, stereo controls, slowness, similarity."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ..probing.results import ControlScore, Similarity, Speeds
from ..scenes.card import SceneCard
from .curves import number
from .floor_plan import draw_plan
from .theme import LIGHT, colour, new_axes, themed

MOST_ARROWS = 160


def place_map(true: np.ndarray, decoded: np.ndarray, card: SceneCard | None) -> Figure:
    """Return true places as dots, with a line from each to where it was decoded.

    Args:
        true: ``[n, 2]``, in the world.
        decoded: ``[n, 2]``.
        card: of the scene, whose plan is drawn below if it is known.
    """
    kept = np.linspace(0, len(true) - 1, min(len(true), MOST_ARROWS)).round().astype(int)
    with themed():
        if card is None:
            figure, axes = new_axes(5.4, 4.2)
            axes.set_aspect("equal", adjustable="datalim")
            axes.set_xlabel("x (m)")
            axes.set_ylabel("y (m)")
        else:
            figure, axes = draw_plan(card)
        for start, end in zip(true[kept], decoded[kept], strict=True):
            axes.plot(
                *np.stack([start, end]).T, color=LIGHT["vermilion"], lw=0.7, alpha=0.45, zorder=7
            )
        dots = {"ls": "", "marker": "o", "ms": 3.2, "zorder": 8}
        axes.plot(*decoded[kept].T, color=LIGHT["vermilion"], label="decoded", **dots)
        axes.plot(*true[kept].T, color=LIGHT["blue"], label="true", **dots)
        axes.legend(frameon=False, loc="lower right", ncols=2)
    return figure


def control_plot(scores: Sequence[ControlScore], *, label: str) -> Figure:
    """Return one row for each condition: a dot for the same probe, a ring for the refitted one."""
    with themed():
        figure, axes = new_axes(7.0, 0.95 + 0.36 * len(scores))
        axes.axvline(0, color=LIGHT["line"], lw=1)
        for place, score in enumerate(scores):
            for shift, interval, face, name in (
                (-0.12, score.same_probe, colour(0), "probe fitted on what both eyes saw"),
                (0.12, score.refitted, "none", "probe fitted anew"),
            ):
                y = place + shift
                if np.isfinite([interval.low, interval.high]).all():
                    axes.plot([interval.low, interval.high], [y, y], color=colour(0), lw=1.3)
                if np.isfinite(interval.mean):
                    axes.plot(
                        [interval.mean],
                        [y],
                        "o",
                        ms=6,
                        mfc=face,
                        mec=colour(0),
                        mew=1.3,
                        ls="",
                        label=name if place == 0 else None,
                    )
        axes.set_yticks(range(len(scores)), [score.condition for score in scores])
        axes.set_ylim(len(scores) - 0.4, -0.6)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(label)
        figure.legend(frameon=False, loc="outside upper right", ncols=2)
    return figure


def speed_plot(speeds: Sequence[Speeds]) -> Figure:
    """Return the speed of the slowest directions of each set of features, slowest first."""
    with themed():
        figure, axes = new_axes(6.4, 3.2)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        runs, floors = 0, 0
        for each in speeds:
            style = ("-", (0, (4, 3)), (0, (1, 2)), "-.")[min(floors, 3)] if each.is_floor else "-"
            hue = LIGHT["floor"] if each.is_floor else colour(runs)
            runs, floors = runs + (not each.is_floor), floors + each.is_floor
            ranks = np.arange(1, len(each.eta_hz) + 1)
            marker = "o" if len(ranks) < 3 else ""
            axes.plot(ranks, each.eta_hz, color=hue, ls=style, marker=marker, label=each.features)
        axes.set_xlabel("slow feature, in the order of training clips")
        axes.set_ylabel("speed on held-out clips (Hz)")
        axes.yaxis.grid(visible=True)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def similarity_plot(similarity: Similarity, name: str) -> Figure:
    """Return debiased linear CKA between all layers of two networks as a table of shades."""
    rows, columns = len(similarity.rows), len(similarity.columns)
    with themed():
        figure, axes = new_axes(1.7 + 0.72 * columns, 1.3 + 0.48 * rows)
        axes.set_xlim(0, columns)
        for y, line in enumerate(similarity.cka):
            for x, value in enumerate(line):
                _draw_cell(axes, x, y, float(value))
        axes.set_xticks(np.arange(columns) + 0.5, similarity.columns, rotation=35, ha="right")
        axes.set_yticks(np.arange(rows) + 0.5, similarity.rows)
        axes.set_ylim(rows, 0)
        axes.tick_params(length=0)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        axes.set_xlabel(similarity.other)
        axes.set_ylabel(name)
    return figure


def _draw_cell(axes: Axes, x: int, y: int, value: float) -> None:
    """Draw one cell, the bluer the larger its value, with the number on it."""
    if not np.isfinite(value):
        return
    # An opacity of one colour of the theme, so that it follows the page into the dark.
    shade = 0.65 * min(1.0, max(0.0, value))
    axes.add_patch(Rectangle((x, y), 0.97, 0.97, fc=LIGHT["blue"], alpha=shade, ec="none"))
    text = f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
    axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", size=8.5, color=LIGHT["ink"])
