"""How a body walks and a head moves, beside what was published."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from ..render.acceptance.envelope import SPECTRUM_HZ
from ..render.motion.motion import ACTIVITIES
from .observer_plots import (
    GENERATED,
    PUBLISHED,
    SIZE_IN,
    Axis,
    band,
    histogram,
    mark,
    nothing,
    plain_log_ticks,
)
from .theme import LIGHT, new_axes, themed

MM_PER_M_S = 23 / 1.67


def bob_plot(walks: np.ndarray) -> Figure:
    """Return the vertical amplitude over speed of walks ``[k, 8]``, and the published line."""
    if not len(walks):
        return nothing("no straight walking")
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        top = max(1.8, float(walks[:, 0].max()) * 1.1)
        axes.plot([0, top], [0, MM_PER_M_S * top], color=PUBLISHED, lw=1.2)
        axes.plot(1.67, 23, "D", ms=5, color=PUBLISHED)
        axes.annotate(
            "23 mm at 1.67 m/s, linear",
            (1.67, 23),
            xytext=(-6, 4),
            textcoords="offset points",
            ha="right",
            color=PUBLISHED,
            size=8,
        )
        axes.plot(walks[:, 0], 1000 * walks[:, 2], "o", ms=4, alpha=0.6, mew=0, color=GENERATED)
        axes.set_xlim(0, top)
        axes.set_ylim(0, max(30.0, 1100 * float(walks[:, 2].max())))
        axes.set_xlabel("speed (m/s)")
        axes.set_ylabel("vertical amplitude (mm)")
    return figure


def step_plot(walks: np.ndarray) -> Figure:
    """Return the step frequency over speed of walks ``[k, 8]``."""
    if not len(walks):
        return nothing("no straight walking")
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        axes.axhspan(1.8, 2.2, color=PUBLISHED, alpha=0.16, lw=0)
        axes.plot(1.67, 2.0, "D", ms=5, color=PUBLISHED)
        axes.annotate(
            "tightly around 2 Hz",
            (0.02, 2.0),
            xycoords=axes.get_yaxis_transform(),
            va="center",
            color=PUBLISHED,
            size=8,
        )
        axes.plot(walks[:, 0], walks[:, 1], "o", ms=4, alpha=0.6, mew=0, color=GENERATED)
        axes.set_xlim(0, max(1.8, float(walks[:, 0].max()) * 1.1))
        axes.set_ylim(0, 4)
        axes.set_xlabel("speed (m/s)")
        axes.set_ylabel("step frequency (Hz)")
    return figure


def spectrum_plot(spectra: np.ndarray, knee_hz: float) -> Figure:
    """Return the spectrum of the head's angular velocity, clip by clip and in the mean."""
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        shown = spectra[:24]
        axes.plot(SPECTRUM_HZ, shown.T, color=GENERATED, lw=0.5, alpha=0.25)
        mean = spectra.mean(axis=0)
        axes.plot(SPECTRUM_HZ, mean, color=GENERATED, lw=2)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(SPECTRUM_HZ[0], SPECTRUM_HZ[-1])
        top = max(float(mean.max()), 1e-9)
        axes.set_ylim(top * 1e-6, top * 30)
        plain_log_ticks(axes)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("frequency (Hz)")
        axes.set_ylabel("(deg/s)² / Hz")
        mark(axes, 2.0, "knee near 2 Hz")
        if np.isfinite(knee_hz):
            axes.axvline(knee_hz, color=GENERATED, lw=1)
    return figure


def head_plot(head_deg_s: np.ndarray) -> Figure:
    """Return the distribution of the head's angular speed."""
    axis = Axis(name="head velocity (deg/s)", low=1.0, high=1000.0, log=True)
    return histogram(head_deg_s, axis, lambda axes: mark(axes, 450, "envelope 450"))


def speed_plot(speed: np.ndarray, straight: np.ndarray, *, grown: bool) -> Figure:
    """Return the distribution of speed over the ground; its straight parts apart."""
    axis = Axis(name="speed (m/s)", low=0.0, high=2.2)

    def draw(axes: Axes) -> None:
        if grown:
            band(axes, 1.25, 1.48, "preferred\n1.25-1.48")
        if len(straight):
            counts, edges = np.histogram(np.clip(straight, 0, 2.2), axis.edges(40))
            density = counts / len(speed) / np.diff(edges)
            axes.stairs(density, edges, color=GENERATED, lw=1.2)

    return histogram(speed, axis, draw)


def activity_plot(shares: np.ndarray) -> Figure:
    """Return which share of the time each activity takes, of shares ``[clip, 7]``."""
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        mean = 100 * shares.mean(axis=0)
        places = np.arange(len(ACTIVITIES))[::-1]
        axes.barh(places, mean, color=GENERATED, alpha=0.6, height=0.6)
        for place, value in zip(places, mean, strict=True):
            axes.annotate(
                f"{value:.3g} %" if value else "–",
                (value, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                size=8,
                color=LIGHT["muted"],
            )
        axes.set_yticks(places, ACTIVITIES)
        axes.set_xlim(0, 115)
        axes.set_xticks((0, 50, 100))
        axes.set_xlabel("share of the time (%)")
    return figure
