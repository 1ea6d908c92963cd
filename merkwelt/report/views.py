"""From blocks to the plain values that the page's template writes."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from .blocks import (
    Block,
    Cell,
    ClipPlayer,
    Column,
    Details,
    FigureBlock,
    Gallery,
    ImageGrid,
    Interval,
    KeyFigures,
    Note,
    Table,
)
from .encode import as_rgb, data_uri, figure_svg, jpeg_bytes, png_bytes
from .filmstrip import filmstrip
from .theme import POINTS_PER_INCH

SMALL_PICTURE_PX = 128 * 128
"""Pictures with fewer pixels are stored without loss."""
MINUS = "\N{MINUS SIGN}"

View = dict[str, Any]


def view_of(block: Block, identity: str) -> View:
    """Return the template's values for a block.

    Args:
        block: what to show.
        identity: unique within the page; prefixes ids of inline drawings.
    """
    return {"kind": _KINDS[type(block)][0], **_KINDS[type(block)][1](block, identity)}


def paragraphs(text: str) -> list[str]:
    """Return a text's paragraphs, which blank lines part."""
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def _figure(block: FigureBlock, identity: str) -> View:
    view: View = {"title": block.title, "caption": block.caption, "wide": block.wide}
    if isinstance(block.figure, Figure):
        view["svg"] = Markup(figure_svg(block.figure, identity=identity))
        view["width_px"] = round(float(block.figure.get_figwidth()) * POINTS_PER_INCH * 1.5)
    elif isinstance(block.figure, bytes):
        view["uri"] = data_uri(block.figure)
    else:
        view["uri"] = _picture_uri(block.figure)
    return view


def _picture_uri(image: np.ndarray) -> str:
    small = image.shape[0] * image.shape[1] <= SMALL_PICTURE_PX
    return data_uri(png_bytes(image) if small else jpeg_bytes(image))


def _gallery(block: Gallery, identity: str) -> View:
    figures = [_figure(figure, f"{identity}-{n}") for n, figure in enumerate(block.figures)]
    return {"figures": figures}


def _player(block: ClipPlayer, identity: str) -> View:
    del identity
    panels = []
    for panel in block.panels:
        strip = filmstrip(panel.frames)
        height, width = panel.frames.shape[1:3]
        panels.append(
            {
                "name": panel.name,
                "uri": strip.uri,
                "bar": panel.bar,
                "aspect": f"{width} / {height}",
                **strip.geometry,
            }
        )
    return {
        "panels": panels,
        "caption": block.caption,
        "times": [f"{time:.2f}" for time in block.time_s],
        "interval_ms": _frame_interval_ms(block.time_s),
        "notes": list(block.frame_notes),
        "wiggle": None if block.wiggle is None else list(block.wiggle),
    }


def _frame_interval_ms(time_s: tuple[float, ...]) -> int:
    steps = np.diff(np.asarray(time_s, dtype=np.float64))
    return max(20, round(1000 * float(np.median(steps)))) if len(steps) else 1000


def _grid(block: ImageGrid, identity: str) -> View:
    del identity
    items = [
        {
            "title": item.title,
            "cells": [
                {
                    "name": cell.name,
                    "value": cell.value,
                    "uri": data_uri(jpeg_bytes(as_rgb(cell.image))),
                }
                for cell in item.cells
            ],
        }
        for item in block.items
    ]
    return {"items": items, "caption": block.caption, "bar": block.bar}


def _table(block: Table, identity: str) -> View:
    del identity
    best = [set(_best_rows(block, index)) for index in range(len(block.columns))]
    rows = [
        {
            "is_floor": number in block.floor_rows,
            "cells": [
                {"text": cell_text(cell, column), "best": number in best[index]}
                for index, (cell, column) in enumerate(zip(row, block.columns, strict=True))
            ],
        }
        for number, row in enumerate(block.rows)
    ]
    heads = [
        {"name": column.name, "unit": column.unit, "numeric": _is_numeric(block, index)}
        for index, column in enumerate(block.columns)
    ]
    return {"heads": heads, "rows": rows, "caption": block.caption}


def _is_numeric(table: Table, column: int) -> bool:
    cells = [row[column] for row in table.rows if row[column] is not None]
    return bool(cells) and not any(isinstance(cell, str) for cell in cells)


def _best_rows(table: Table, column: int) -> Iterator[int]:
    """Yield the rows that hold a column's best number, floors left aside."""
    direction = table.columns[column].best
    if not direction:
        return
    values = {
        number: _value(row[column])
        for number, row in enumerate(table.rows)
        if number not in table.floor_rows and math.isfinite(_value(row[column]))
    }
    if len(values) < 2:
        return
    target = max(values.values()) if direction == "max" else min(values.values())
    yield from (number for number, value in values.items() if value == target)


def _value(cell: Cell) -> float:
    if isinstance(cell, Interval):
        return cell.value
    return float(cell) if isinstance(cell, int | float) else math.nan


def cell_text(cell: Cell, column: Column) -> str:
    """Return a cell as it is written: fixed decimals, a true minus sign, a dash for nothing."""
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Interval):
        low, high = _number(cell.low, column), _number(cell.high, column)
        return f"{_number(cell.value, column)} [{low}, {high}]"
    return _number(cell, column)


def _number(value: float, column: Column) -> str:
    if isinstance(value, int):
        text = f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    elif not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    else:
        text = f"{value:.{column.decimals}f}"
    return text.replace("-", MINUS)


def _key_figures(block: KeyFigures, identity: str) -> View:
    del identity
    return {"figures": list(block.figures)}


def _note(block: Note, identity: str) -> View:
    del identity
    return {"level": block.kind, "paragraphs": paragraphs(block.text)}


def _details(block: Details, identity: str) -> View:
    table = None if block.table is None else _table(block.table, identity)
    return {
        "title": block.title,
        "facts": dict(block.facts),
        "text": block.text,
        "table": table,
    }


_KINDS: dict[type, tuple[str, Callable[[Any, str], View]]] = {
    FigureBlock: ("figure", _figure),
    Gallery: ("gallery", _gallery),
    ClipPlayer: ("player", _player),
    ImageGrid: ("grid", _grid),
    Table: ("table", _table),
    KeyFigures: ("key_figures", _key_figures),
    Note: ("note", _note),
    Details: ("details", _details),
}
