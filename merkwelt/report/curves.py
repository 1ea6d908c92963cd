"""Training curves beside their floors."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from .labels import spread
from .theme import LIGHT, colour, new_axes, themed

LOG_ABOVE_RATIO = 30.0
"""Axes turn logarithmic where positive values span more than this."""
SMOOTH_ABOVE = 60
"""Curves with more points get a running mean over their faint raw line."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One measured quantity over training steps."""

    name: str
    steps: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What a method without learning reaches."""

    name: str
    value: float


@dataclass(frozen=True, kw_only=True)
class CurvePanel:
    """Curves that share an axis, with their floors."""

    title: str
    curves: tuple[Curve, ...]
    floors: tuple[Floor, ...] = ()
    caption: str = ""


def read_metrics(path: Path) -> dict[str, Curve]:
    """Return every numeric quantity of a ``metrics.jsonl`` as a curve, by name.

    A last line without its end, which an interrupted run leaves, is not read.

    Raises:
        ValueError: a whole line is not a JSON object with a ``step``.
    """
    points: dict[str, list[tuple[float, float]]] = {}
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines[:-1], start=1):
        if not line.strip():
            continue
        for name, step, value in _numbers(line, f"{path}, line {number}"):
            points.setdefault(name, []).append((step, value))
    return {
        name: Curve(name=name, steps=np.array(pairs)[:, 0], values=np.array(pairs)[:, 1])
        for name, pairs in points.items()
    }


def _numbers(line: str, where: str) -> list[tuple[str, float, float]]:
    try:
        entry = json.loads(line)
        step = float(entry.pop("step"))
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{where}: expected a JSON object with a step, got {line[:80]!r}"
        ) from error
    numeric = ((k, v) for k, v in entry.items() if isinstance(v, int | float))
    return [(name, step, float(value)) for name, value in numeric if not isinstance(value, bool)]


def curve_plot(panel: CurvePanel) -> Figure:
    """Return a panel's curves, each labelled at its end, its floors as dashed labelled lines."""
    with themed():
        figure, axes = new_axes(5.2, 2.9)
        values = _all_values(panel)
        if not values.size:
            _say_empty(axes)
            return figure
        if values.min() > 0 and values.max() / values.min() > LOG_ABOVE_RATIO:
            _use_log_scale(axes)
        else:
            axes.yaxis.set_major_locator(MaxNLocator(5))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        for index, curve in enumerate(panel.curves):
            _draw_curve(axes, curve, colour(index))
        for floor in panel.floors:
            if math.isfinite(floor.value):
                axes.axhline(floor.value, color=LIGHT["floor"], lw=1.0, ls=(0, (4, 3)))
        axes.margins(x=0.02, y=0.1)
        axes.set_xlabel("training step")
        axes.yaxis.grid(visible=True)
        axes.set_axisbelow(True)
        _label_ends(axes, panel)
    return figure


def _all_values(panel: CurvePanel) -> np.ndarray:
    parts = [curve.values for curve in panel.curves]
    if not any(np.isfinite(part).any() for part in parts):
        return np.empty(0)
    values = np.concatenate([*parts, [floor.value for floor in panel.floors]])
    return values[np.isfinite(values)]


def _use_log_scale(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _say_empty(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, "nothing measured", ha="center", va="center", color=LIGHT["muted"])


def _draw_curve(axes: Axes, curve: Curve, hue: str) -> None:
    if len(curve.values) <= SMOOTH_ABOVE:
        marker = "o" if len(curve.values) == 1 else ""
        axes.plot(curve.steps, curve.values, color=hue, marker=marker)
        return
    axes.plot(curve.steps, curve.values, color=hue, lw=0.7, alpha=0.3)
    axes.plot(curve.steps, running_mean(curve.values, len(curve.values) // 25), color=hue)


def running_mean(values: np.ndarray, half_width: int) -> np.ndarray:
    """Return the mean of each value and its neighbours up to a distance, fewer at the ends."""
    kernel = np.ones(2 * half_width + 1)
    finite = np.isfinite(values)
    total = np.convolve(np.where(finite, values, 0.0), kernel, mode="full")
    count = np.convolve(finite.astype(np.float64), kernel, mode="full")
    inner = slice(half_width, half_width + len(values))
    return np.where(count[inner] > 0, total[inner] / np.maximum(count[inner], 1), np.nan)


def _label_ends(axes: Axes, panel: CurvePanel) -> None:
    labels: list[tuple[float, str, str]] = []
    for index, curve in enumerate(panel.curves):
        finite = curve.values[np.isfinite(curve.values)]
        if len(finite):
            end = float(np.mean(finite[-max(1, len(finite) // 25) :]))
            labels.append((end, f"{curve.name}  {number(end)}", colour(index)))
    labels += [
        (floor.value, f"{floor.name}  {number(floor.value)}", LIGHT["muted"])
        for floor in panel.floors
        if math.isfinite(floor.value)
    ]
    shares = _axis_shares(axes, [value for value, _, _ in labels]).tolist()
    for place, (_, text, hue) in zip(spread(shares, 0.085), labels, strict=True):
        axes.text(1.02, place, text, transform=axes.transAxes, color=hue, va="center", size=8.5)


def _axis_shares(axes: Axes, values: Sequence[float]) -> np.ndarray:
    """Return where values lie on the y axis: 0 at its lower end, 1 at its upper."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        return np.log(np.asarray(values) / low) / math.log(high / low)
    return (np.asarray(values) - low) / (high - low)


def number(value: float) -> str:
    """Return a number in three significant digits, with a true minus sign."""
    if value == 0:
        return "0"
    small = abs(value) < 1e-3 or abs(value) >= 1e5
    text = f"{value:.2e}" if small else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return text.replace("-", "\N{MINUS SIGN}")
