"""How two eyes converge, and the disparities they see, beside what was published."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..render.acceptance import disparity
from .observer_plots import GENERATED, PUBLISHED, SIZE_IN, Axis, histogram, mark, nothing
from .theme import LIGHT, new_axes, themed

BANDS_DEG = np.linspace(-20, 20, 9)


def vergence_plot(vergence_deg: np.ndarray) -> Figure:
    """Return the angle between the eyes over that which it takes, of both ``[k, 2]``."""
    if not len(vergence_deg):
        return nothing("nothing was fixated")
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        has, takes = vergence_deg.T
        top = float(np.quantile(takes, 0.99)) * 1.2
        line = np.array([0.0, top])
        axes.plot(line, line, color=LIGHT["muted"], lw=1)
        axes.fill_between(line, 0.65 * line, 0.75 * line, color=PUBLISHED, alpha=0.18, lw=0)
        axes.plot(takes, has, "o", ms=2.6, alpha=0.35, mew=0, color=GENERATED)
        axes.annotate(
            "25-35 % under-vergence",
            (0.97 * top, 0.62 * top),
            ha="right",
            va="top",
            color=PUBLISHED,
            size=8,
        )
        axes.set_xlim(0, top)
        axes.set_ylim(-0.03 * top, top)
        axes.set_xlabel("vergence that the point takes (deg)")
        axes.set_ylabel("vergence (deg)")
    return figure


def disparity_plot(rows: np.ndarray) -> Figure:
    """Return the distribution of disparities, of rows ``[k, 3]``."""
    if not len(rows):
        return nothing("no disparities")
    axis = Axis(name="disparity (deg, crossed positive)", low=-4.0, high=4.0)

    def draw(axes: Axes) -> None:
        axes.axvspan(-2.5, 2.5, color=PUBLISHED, alpha=0.1, lw=0)
        mark(axes, 0.0, "centred on 0,\nspan about 5")

    return histogram(disparity.central(rows), axis, draw, bins=80)


def elevation_plot(rows: np.ndarray) -> Figure:
    """Return disparity by elevation in the field, of rows ``[k, 3]``: median and quartiles."""
    if not len(rows):
        return nothing("no disparities")
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        quartiles = disparity.by_elevation(rows, BANDS_DEG)
        middle = (BANDS_DEG[1:] + BANDS_DEG[:-1]) / 2
        most = max(0.3, float(np.nanmax(np.abs(quartiles))) * 1.25)
        axes.fill_betweenx(middle, quartiles[:, 0], quartiles[:, 2], color=GENERATED, alpha=0.2)
        axes.plot(quartiles[:, 1], middle, "o-", ms=4, color=GENERATED)
        axes.axvline(0, color=LIGHT["muted"], lw=0.8)
        axes.axhline(0, color=LIGHT["line"], lw=0.8)
        for x, y, text in ((0.97, 0.06, "crossed below"), (0.03, 0.94, "uncrossed above")):
            axes.annotate(
                text,
                (x, y),
                xycoords="axes fraction",
                ha="right" if x > 0.5 else "left",
                va="center",
                color=PUBLISHED,
                size=8,
            )
        axes.set_xlim(-most, most)
        axes.set_ylim(-20, 20)
        axes.set_xlabel("disparity (deg, crossed positive)")
        axes.set_ylabel("elevation in the field (deg)")
    return figure
