"""Pieces that plots of generated motion share: distributions, curves and published values."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .theme import LIGHT, new_axes, themed

SIZE_IN = (4.4, 2.7)
PUBLISHED = LIGHT["vermilion"]
GENERATED = LIGHT["blue"]
CARD = LIGHT["gold"]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What an axis shows."""

    name: str
    low: float
    high: float
    log: bool = False

    def edges(self, bins: int) -> np.ndarray:
        """Return edges of bins, in equal steps or ratios."""
        space = np.geomspace if self.log else np.linspace
        return space(self.low, self.high, bins + 1)


def histogram(
    values: np.ndarray, axis: Axis, draw: Callable[[Axes], None], bins: int = 40
) -> Figure:
    """Return the distribution of values, with what ``draw`` puts over it.

    Values beyond the axis are counted in its last bins, so that none is out of sight.
    """
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        inside = np.clip(values[np.isfinite(values)], axis.low, axis.high)
        edges = axis.edges(bins)
        counts, _ = np.histogram(inside, edges)
        width = np.diff(np.log(edges) if axis.log else edges)
        density = counts / max(len(inside), 1) / width
        axes.stairs(density, edges, fill=True, color=GENERATED, alpha=0.45, lw=0)
        axes.set_ylim(0, max(float(density.max()), 1e-12) * 1.25)
        axes.set_xlim(axis.low, axis.high)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        if axis.log:
            axes.set_xscale("log")
            plain_log_ticks(axes)
        axes.set_xlabel(axis.name)
        draw(axes)
    return figure


def band(axes: Axes, low: float, high: float, text: str) -> None:
    """Shade a published range along x."""
    axes.axvspan(low, high, color=PUBLISHED, alpha=0.16, lw=0)
    label(axes, (low + high) / 2, text, PUBLISHED, centred=True)


def mark(axes: Axes, value: float, text: str, hue: str = PUBLISHED) -> None:
    """Draw a value along x."""
    axes.axvline(value, color=hue, lw=1.3, ls=(0, (4, 2)))
    label(axes, value, text, hue)


def label(axes: Axes, x: float, text: str, hue: str, *, centred: bool = False) -> None:
    """Write at the top of an axes, on the side that has room."""
    low, high = axes.get_xlim()
    logarithmic = axes.get_xscale() == "log"
    share = np.log(x / low) / np.log(high / low) if logarithmic else (x - low) / (high - low)
    left = share < 0.6
    axes.annotate(
        text,
        (x, 0.99),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0 if centred else 4 if left else -4, 0),
        textcoords="offset points",
        ha="center" if centred else "left" if left else "right",
        va="top",
        color=hue,
        size=8,
    )


def nothing(text: str) -> Figure:
    """Return an empty plot that says why it is empty."""
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        axes.set_axis_off()
        axes.text(0.5, 0.5, text, ha="center", va="center", color=LIGHT["muted"])
    return figure


def plain_log_ticks(axes: Axes, *, both: bool = False) -> None:
    """Write 0.1, 1, 10 instead of powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis in (axes.xaxis, axes.yaxis) if both else (axes.xaxis,):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
