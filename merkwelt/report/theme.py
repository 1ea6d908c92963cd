"""Colours and settings that every figure of a report shares.

Figures are drawn with the light values below. Inside a page they become SVG whose colours are CSS
variables of the same names, so that one drawing follows the reader's light or dark preference.
The series colours keep the hue order of Okabe & Ito (2008), which stays apart under the common
colour vision deficiencies, at a lightness that reads as thin lines on paper.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

LIGHT = {
    "paper": "#fdfcfa",
    "ink": "#20262c",
    "muted": "#6b737b",
    "line": "#d9d7d1",
    "fill": "#f0eee9",
    "floor": "#8b9299",
    "blue": "#2166ac",
    "vermilion": "#c4501b",
    "green": "#0f8068",
    "purple": "#87489c",
    "gold": "#a67a00",
    "sky": "#3a94c5",
}
DARK = {
    "paper": "#15181b",
    "ink": "#e8e5df",
    "muted": "#9aa2a9",
    "line": "#343a40",
    "fill": "#20252a",
    "floor": "#8d959c",
    "blue": "#74b3f0",
    "vermilion": "#f08c5e",
    "green": "#4cc4a8",
    "purple": "#c996db",
    "gold": "#dfb54a",
    "sky": "#9ad2f2",
}
SERIES = ("blue", "vermilion", "green", "purple", "gold", "sky")
POINTS_PER_INCH = 72

_SETTINGS = {
    "text.parse_math": False,  # names such as "$5 lamp" are text, not formulas
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.edgecolor": LIGHT["muted"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.titlecolor": LIGHT["ink"],
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": LIGHT["line"],
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "text.color": LIGHT["ink"],
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "svg.fonttype": "none",
    "svg.hashsalt": "merkwelt",
}


def colour(index: int) -> str:
    """Return the colour of the series with this index, in the light theme."""
    return LIGHT[SERIES[index % len(SERIES)]]


@contextmanager
def themed() -> Iterator[None]:
    """Apply the theme, whatever the user's matplotlib settings are, and restore them after."""
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in _SETTINGS.items():
            mpl.rcParams[name] = value  # type: ignore[index] - names as plain strings
        yield


def new_axes(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    """Return an empty figure and its axes; call it, and draw, inside ``themed()``."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    return figure, figure.subplots()


def css_variables(values: dict[str, str]) -> str:
    """Return CSS declarations of a theme's colours, such as ``--ink: #20262c;``."""
    return " ".join(f"--{name}: {value};" for name, value in values.items())
