"""The picture of the model series: alignment against accuracy, and against size."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator
from merkwelt.alignment.models.published_models import PublishedModel
from merkwelt.alignment.scores import floors

from merkwelt.report.theme import LIGHT, SERIES, themed

Row = dict[str, Any]


def draw_series(rows: Sequence[Row], published: Sequence[PublishedModel], path: Path) -> None:
    """Draw all rows, their intervals and floors to a PNG file."""
    from matplotlib.figure import Figure

    recipes = list(dict.fromkeys(row["recipe"] for row in rows))
    hues = {name: LIGHT[SERIES[i]] for i, name in enumerate(recipes)}
    with themed():
        figure = Figure(figsize=(9.6, 4.9), layout="constrained")
        by_accuracy, by_size = figure.subplots(1, 2, sharey=True)
        exact = [model for model in published if model.exact]
        _behind(by_accuracy, [(model.top1_percent, model.spearman) for model in exact])
        _behind(by_size, [(model.parameters / 1e6, model.spearman) for model in exact])
        for axes, of in ((by_accuracy, "top1"), (by_size, "parameters")):
            # Said once, where there is room.
            _floors(axes, rows, named=axes is by_size)
            for row in rows:
                scale, apart = (1e-6, 0.035) if of == "parameters" else (1, 0.006)
                shift = (recipes.index(row["recipe"]) - 1) * apart
                _point(axes, row, row[of] * scale, shift, hues[row["recipe"]])
        by_accuracy.set_xlabel("published ImageNet top-1, %")
        by_accuracy.set_ylabel("Spearman with human maps")
        by_size.set_xscale("log")
        by_size.set_xlabel("parameters, millions")
        by_size.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 5, 10, 30, 100, 300, 1000]))
        by_size.xaxis.set_minor_locator(NullLocator())
        by_size.xaxis.set_major_formatter("{x:g}")
        by_accuracy.set_title("Alignment against accuracy")
        by_size.set_title("Alignment against size")
        marks = [_mark(hues[name], "o", name, hues[name]) for name in recipes]
        marks.append(_mark(LIGHT["muted"], "o", "the same network, untrained", "none"))
        if exact:
            marks.append(
                _mark(
                    LIGHT["line"],
                    ".",
                    f"{len(exact)} published: other images, plain gradient",
                    None,
                )
            )
        figure.legend(
            handles=marks, loc="outside lower center", ncols=len(marks), frameon=False, fontsize=8.5
        )
        figure.savefig(path, dpi=160, facecolor=LIGHT["paper"])


def _mark(edge: str, marker: str, name: str, face: str | None) -> Line2D:
    return Line2D([], [], color=edge, marker=marker, mfc=face or edge, ls="", label=name)


def _behind(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    if points:
        x, y = np.array(points).T
        axes.plot(x, y, ".", color=LIGHT["line"], ms=4, zorder=0)


def _floors(axes: Axes, rows: Sequence[Row], *, named: bool) -> None:
    """Draw what needs no network as lines: means over the networks' own input sizes."""
    for name in (floors.CENTRED_GAUSSIAN, floors.OTHER_HUMAN_MAPS, floors.EDGES):
        level = float(np.mean([row["floors"][name][0] for row in rows]))
        axes.axhline(level, color=LIGHT["floor"], lw=0.9, ls="--", zorder=1)
        _label(axes, level, name if named else "")
    for name, level in (rows[0]["ceiling"] or {}).items():
        axes.axhline(level, color=LIGHT["muted"], lw=0.9, ls=":", zorder=1)
        _label(axes, level, name if named else "")


def _label(axes: Axes, level: float, name: str) -> None:
    axes.annotate(
        name,
        (0.995, level),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        size=7.5,
        color=LIGHT["muted"],
    )


def _point(axes: Axes, row: Row, x: float, shift: float, hue: str) -> None:
    """Draw a score with its interval, and the untrained twin's beside it, hollow."""
    # The three recipes of a network stand beside each other, whatever the scale.
    place = x * (1 + shift)
    mean, low, high = row["spearman"]
    axes.plot([place, place], [low, high], color=hue, lw=1.2, alpha=0.6, zorder=2)
    axes.plot([place], [mean], "o", ms=5.5, mfc=hue, mec=hue, zorder=3)
    untrained = row["floors"][floors.RANDOM_NETWORK][0]
    axes.plot([place], [untrained], "o", ms=4.5, mfc="none", mec=hue, mew=0.9, zorder=2)
