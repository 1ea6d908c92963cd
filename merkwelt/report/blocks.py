"""What a section of a report is made of: plain data, turned into HTML by the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class FigureBlock:
    """A picture with a caption."""

    figure: Figure | np.ndarray | bytes
    """A matplotlib figure (drawn inline, follows light and dark), a picture ``[height, width]`` or
    ``[height, width, 3]``, or the bytes of a PNG or JPEG."""
    caption: str
    title: str = ""
    wide: bool = False
    """Use the page's full width rather than the picture's own."""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Figures beside each other; below each other where the page is narrow."""

    figures: tuple[FigureBlock, ...]


@dataclass(frozen=True, kw_only=True)
class ColourBar:
    """The scale of a coloured picture."""

    colours: tuple[str, ...]
    """Hex colours at equal distances, left to right."""
    ticks: tuple[tuple[float, str], ...]
    """Places from 0 (left) to 1 (right) and their texts."""
    unit: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One moving picture of a clip player."""

    name: str
    frames: np.ndarray
    """``[time, height, width, 3]``, uint8 or float in [0, 1]."""
    bar: ColourBar | None = None


@dataclass(frozen=True, kw_only=True)
class ClipPlayer:
    """Moving pictures side by side that share one clock.

    Without JavaScript and on paper, the first frame stands.
    """

    panels: tuple[Panel, ...]
    time_s: tuple[float, ...]
    caption: str
    frame_notes: tuple[str, ...] = ()
    """What happens at each frame, such as ``saccade``; empty, or one text for each frame."""
    wiggle: tuple[int, int] | None = None
    """Two panels (left eye, right eye) that a button shows in turn, for depth without glasses."""

    def __post_init__(self) -> None:
        """Refuse panels that do not share one clock."""
        frames = len(self.time_s)
        if not self.panels or not frames:
            raise ValueError("expected at least one panel and one frame")
        for panel in self.panels:
            if panel.frames.ndim != 4 or len(panel.frames) != frames:
                raise ValueError(
                    f"panel {panel.name!r}: expected {frames} frames [time, height, width, 3] as "
                    f"there are times, got shape {panel.frames.shape}"
                )
        if self.frame_notes and len(self.frame_notes) != frames:
            raise ValueError(f"expected {frames} frame notes, got {len(self.frame_notes)}")


@dataclass(frozen=True, kw_only=True)
class GridCell:
    """One small picture of an image grid."""

    name: str
    image: np.ndarray
    value: str = ""
    """A number that belongs to the picture, such as its score."""


@dataclass(frozen=True, kw_only=True)
class GridItem:
    """Pictures that belong together, such as an image and the maps over it."""

    title: str
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, kw_only=True)
class ImageGrid:
    """Groups of small pictures."""

    items: tuple[GridItem, ...]
    caption: str
    bar: ColourBar | None = None


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number with the interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Column:
    """How one column of a table is written."""

    name: str
    unit: str = ""
    decimals: int = 3
    """Places after the point of its floating numbers, the same in every row."""
    best: Literal["", "max", "min"] = ""
    """Which of its numbers to emphasise."""


Cell = str | int | float | Interval | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text and numbers."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    floor_rows: frozenset[int] = frozenset()
    """Rows that are floors: set back, and never the best."""

    def __post_init__(self) -> None:
        """Refuse rows that do not fit the columns."""
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table row {index}: expected {len(self.columns)} cells, got {len(row)}"
                )


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """One number that matters, with what it means and what it must be compared to."""

    value: str
    meaning: str
    unit: str = ""
    floor: str = ""
    """The floor beside it, in words, such as ``random network 0.021``."""


@dataclass(frozen=True, kw_only=True)
class KeyFigures:
    """Three to five numbers that a reader should take home."""

    figures: Sequence[KeyFigure]


@dataclass(frozen=True, kw_only=True)
class Note:
    """A remark that must not be overlooked; a warning where it limits what may be concluded."""

    text: str
    kind: Literal["note", "warning"] = "note"


@dataclass(frozen=True, kw_only=True)
class Details:
    """Folded-away particulars: configuration, provenance, long texts."""

    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    """Shown in a fixed-width font, as it is."""
    table: Table | None = None


Block = FigureBlock | Gallery | ClipPlayer | ImageGrid | Table | KeyFigures | Note | Details
