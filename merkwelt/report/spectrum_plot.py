"""The eigen-spectrum of a run's features: how many directions carry their variance."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from .curves import number
from .theme import LIGHT, colour, new_axes, themed

LEAST_SHARE = 1e-6
"""Directions with a smaller share of variance are left out: they are rounding."""


def read_spectra(path: Path) -> dict[int, np.ndarray]:
    """Return the spectra that a ``metrics.jsonl`` holds, by step.

    A last line without its end, which an interrupted run leaves, is not read.
    """
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    entries = (json.loads(line) for line in lines if '"spectrum"' in line)
    return {int(each["step"]): np.array(each["spectrum"]) for each in entries if each["spectrum"]}


def spectrum_plot(spectra: Mapping[int, np.ndarray]) -> Figure:
    """Return the first and the last spectrum as curves, each labelled at its end."""
    first, last = min(spectra), max(spectra)
    with themed():
        figure, axes = new_axes(5.2, 2.9)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        drawn = {"untrained" if first == 0 else f"step {first}": (spectra[first], LIGHT["floor"])}
        if last != first:
            drawn[f"step {last}"] = (spectra[last], colour(0))
        for name, (shares, hue) in drawn.items():
            kept = shares[shares > LEAST_SHARE]
            ranks = np.arange(1, len(kept) + 1)
            axes.plot(ranks, kept, color=hue, marker="o" if len(kept) == 1 else "", label=name)
        axes.margins(x=0.02, y=0.1)
        axes.set_xlabel("principal direction")
        axes.set_ylabel("share of variance")
        axes.yaxis.grid(visible=True)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="upper right")
    return figure
