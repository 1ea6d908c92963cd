"""How eyes move, hold and blink, beside what was published."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from ..render.observer import Quantity
from .observer_plots import (
    CARD,
    GENERATED,
    PUBLISHED,
    SIZE_IN,
    Axis,
    band,
    histogram,
    label,
    mark,
    nothing,
    plain_log_ticks,
)
from .theme import LIGHT, new_axes, themed

SHARES = np.linspace(0.002, 0.998, 400)
MOST_DOTS = 2000


def fixation_plot(duration_s: np.ndarray, card: Quantity) -> Figure:
    """Return the distribution of fixations, with the density that the observer's card asks for."""
    axis = Axis(name="fixation (s)", low=0.05, high=2.0, log=True)

    def draw(axes: Axes) -> None:
        values = np.array([card.quantile(float(share)) for share in SHARES])
        edges = np.geomspace(axis.low, axis.high, 41)
        counts, _ = np.histogram(values, edges)
        middle = np.sqrt(edges[1:] * edges[:-1])
        density = counts / len(values) / np.diff(np.log(edges))
        axes.plot(middle, density, color=CARD, lw=1.4)
        axes.set_ylim(0, max(axes.get_ylim()[1], 1.2 * float(density.max())))
        mark(axes, 0.27, "median 0.27 s")
        axes.annotate("card", (0.03, 0.9), xycoords="axes fraction", color=CARD, size=8)

    return histogram(duration_s, axis, draw)


def amplitude_plot(amplitude_deg: np.ndarray) -> Figure:
    """Return which share of saccades is smaller than each amplitude."""
    if not len(amplitude_deg):
        return nothing("no saccades")
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        ordered = np.sort(amplitude_deg)
        axes.plot(ordered, 100 * np.arange(1, len(ordered) + 1) / len(ordered), color=GENERATED)
        axes.plot([5, 15], [53, 83], "D", ms=6, color=PUBLISHED)
        for x, y in ((5, 53), (15, 83)):
            axes.annotate(
                f"{y} % < {x}°",
                (x, y),
                xytext=(7, -3),
                textcoords="offset points",
                color=PUBLISHED,
                size=8,
            )
        axes.set_xlim(0, 45)
        axes.set_ylim(0, 102)
        axes.set_xlabel("saccade amplitude (deg)")
        axes.set_ylabel("smaller ones (%)")
    return figure


def peak_plot(saccades: np.ndarray) -> Figure:
    """Return the peak velocity over amplitude of saccades ``[k, 5]``."""
    amplitude = np.geomspace(0.5, 45, 100)
    line = 502 * (1 - np.exp(-amplitude / 12))
    figure = _over_amplitude(saccades[:, 0], saccades[:, 1], "peak velocity (deg/s)", log=True)
    axes = figure.axes[0] if figure.axes else None
    if axes and len(saccades):
        axes.plot(amplitude, line, color=PUBLISHED, lw=1.4)
        axes.plot(10, 400, "D", ms=5, color=PUBLISHED)
        _note(axes, "502 (1 − exp(−A/12)); 400 at 10°")
    return figure


def duration_plot(saccades: np.ndarray) -> Figure:
    """Return the duration over amplitude of saccades ``[k, 5]``."""
    figure = _over_amplitude(saccades[:, 0], 1000 * saccades[:, 2], "duration (ms)", log=False)
    axes = figure.axes[0] if figure.axes else None
    if axes and len(saccades):
        amplitude = np.array([0.0, 45.0])
        axes.plot(amplitude, 23 + 2.7 * amplitude, color=PUBLISHED, lw=1.4)
        axes.plot(amplitude, 21 + 2.2 * amplitude, color=PUBLISHED, lw=1, ls=(0, (4, 2)))
        axes.plot(10, 60, "D", ms=5, color=PUBLISHED)
        _note(axes, "23 + 2.7 A; dashed 21 + 2.2 A; 60 at 10°")
    return figure


def _over_amplitude(amplitude: np.ndarray, value: np.ndarray, name: str, *, log: bool) -> Figure:
    if not len(amplitude):
        return nothing("no saccades")
    with themed():
        figure, axes = new_axes(*SIZE_IN)
        every = max(1, len(amplitude) // MOST_DOTS)
        axes.plot(
            amplitude[::every], value[::every], "o", ms=2.6, alpha=0.35, mew=0, color=GENERATED
        )
        if log:
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlim(0.4, 50)
            plain_log_ticks(axes, both=True)
        else:
            axes.set_xlim(0, 45)
            axes.set_ylim(0, 170)
        axes.set_xlabel("saccade amplitude (deg)")
        axes.set_ylabel(name)
    return figure


def _note(axes: Axes, text: str) -> None:
    axes.annotate(text, (0.98, 0.03), xycoords="axes fraction", ha="right", color=PUBLISHED, size=8)


def eccentricity_plot(eccentricity_deg: np.ndarray) -> Figure:
    """Return how far the eyes are turned in the head."""
    axis = Axis(name="eye in the head (deg)", low=0.0, high=60.0)
    return histogram(eccentricity_deg, axis, lambda axes: band(axes, 45, 50, "limit\n45-50"))


def heading_plot(gaze_deg: np.ndarray) -> Figure:
    """Return where gaze is from the direction of travel, of azimuths and elevations ``[k, 2]``."""
    if not len(gaze_deg):
        return nothing("no travel")
    with themed():
        figure, axes = new_axes(4.4, 3.3)
        shown = gaze_deg[:: max(1, len(gaze_deg) // MOST_DOTS)]
        axes.plot(-shown[:, 0], shown[:, 1], "o", ms=2, alpha=0.25, mew=0, color=GENERATED)
        middle = (-float(np.mean(gaze_deg[:, 0])), float(np.mean(gaze_deg[:, 1])))
        for hue, spread in ((PUBLISHED, (19.0, 14.0)), (GENERATED, np.std(gaze_deg, axis=0))):
            width, height = 2 * float(spread[0]), 2 * float(spread[1])
            axes.add_patch(Ellipse(middle, width, height, fill=False, color=hue, lw=1.6))
        axes.axhline(0, color=LIGHT["line"], lw=0.8, zorder=0)
        axes.axvline(0, color=LIGHT["line"], lw=0.8, zorder=0)
        axes.set_xlim(-80, 80)
        axes.set_ylim(-60, 40)
        axes.set_aspect("equal")
        axes.set_xlabel("azimuth from the heading (deg, right)")
        axes.set_ylabel("elevation (deg)")
    return figure


def distance_plot(distance_m: np.ndarray) -> Figure:
    """Return how far away what is looked at is."""
    axis = Axis(name="fixation distance (m)", low=0.1, high=100.0, log=True)

    def draw(axes: Axes) -> None:
        axes.axvspan(0.4, 80, color=PUBLISHED, alpha=0.12, lw=0)
        label(axes, 0.45, "0.4-80 m", PUBLISHED)

    return histogram(distance_m, axis, draw)


def slip_plot(slip_deg_s: np.ndarray) -> Figure:
    """Return how fast the picture slips over the retina while a point is held."""
    if not len(slip_deg_s):
        return nothing("nothing was held")
    if float(np.quantile(slip_deg_s, 0.9)) < 1e-3:
        return nothing("no slip: the eyes compensate perfectly")
    axis = Axis(name="retinal slip (deg/s)", low=0.01, high=100.0, log=True)
    return histogram(slip_deg_s, axis, lambda axes: None)


def blink_plot(closed_s: np.ndarray) -> Figure:
    """Return how long the lids are closed."""
    axis = Axis(name="lids closed (s)", low=0.0, high=0.6)
    return histogram(closed_s, axis, lambda axes: band(axes, 0.1, 0.4, "0.1-0.4 s"), bins=30)
