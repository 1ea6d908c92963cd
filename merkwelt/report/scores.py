"""Scores with their intervals, against floors and a ceiling."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .curves import number
from .theme import LIGHT, colour, new_axes, themed


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One score and, where it is known, the interval around it."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    is_floor: bool = False


def score_plot(
    rows: Sequence[ScoreRow],
    *,
    label: str,
    ceiling: tuple[str, float] | None = None,
    ceiling_band: tuple[float, float] | None = None,
    chance: float | None = 0.0,
) -> Figure:
    """Return a dot for each score, from top to bottom, with its interval as a line.

    Args:
        rows: models and floors in the order to show.
        label: what the scores are, such as ``Spearman correlation with human maps``.
        ceiling: name and value of what people reach, drawn as a dotted line.
        ceiling_band: interval around the ceiling, where it was measured.
        chance: score of a map that knows nothing, drawn as a line.

    Raises:
        ValueError: no scores.
    """
    if not rows:
        raise ValueError("expected at least one score to draw, got none")
    with themed():
        figure, axes = new_axes(7.0, 0.75 + 0.34 * len(rows))
        if chance is not None:
            axes.axvline(chance, color=LIGHT["line"], lw=1)
        if ceiling_band is not None and all(math.isfinite(each) for each in ceiling_band):
            axes.axvspan(*ceiling_band, color=LIGHT["line"], alpha=0.35, lw=0)
        if ceiling is not None:
            _draw_ceiling(axes, *ceiling)
        models = 0
        for place, row in enumerate(rows):
            hue = LIGHT["floor"] if row.is_floor else colour(models)
            models += not row.is_floor
            _draw_row(axes, row, place, hue)
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        for text, row in zip(axes.get_yticklabels(), rows, strict=True):
            text.set_color(LIGHT["muted"] if row.is_floor else LIGHT["ink"])
            text.set_fontsize(9.0)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.margins(x=0.06)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(label)
    return figure


def _draw_ceiling(axes: Axes, name: str, ceiling: float) -> None:
    axes.axvline(ceiling, color=LIGHT["muted"], lw=1, ls=":")
    axes.annotate(
        f"{name}  {number(ceiling)}",
        (ceiling, 1.0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        color=LIGHT["muted"],
        size=8.5,
    )


def _draw_row(axes: Axes, row: ScoreRow, place: int, hue: str) -> None:
    known = row.low is not None and row.high is not None
    if known:
        axes.plot([row.low, row.high], [place, place], color=hue, lw=1.6, alpha=0.75)  # type: ignore[list-item]
    if not math.isfinite(row.value):
        axes.text(0, place, "undefined", color=LIGHT["muted"], va="center", size=8.5)
        return
    face = "none" if row.is_floor else hue
    axes.plot([row.value], [place], "o", ms=6.5, mfc=face, mec=hue, mew=1.4, ls="")
    axes.annotate(
        f"{row.value:.3f}".replace("-", "\N{MINUS SIGN}"),
        (1.0, place),
        xycoords=axes.get_yaxis_transform(),
        xytext=(46, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color=LIGHT["muted"] if row.is_floor else LIGHT["ink"],
        weight="normal" if row.is_floor else "bold",
    )
