"""Scores against what people reach, and scores that exist for a set of images only."""

import math
from collections.abc import Mapping

from ..alignment.results import CeilingScores, Results
from ..alignment.scores.bootstrap import Interval as ScoreInterval
from .blocks import Block, Cell, Column, Interval, Note, Table

MINUS = "\N{MINUS SIGN}"
CAPTION = (
    "Raw scores and the same against people. Over the ceiling: the mean score divided by the mean "
    "ceiling. Over each image's own: the mean of such quotients. Floor-corrected: (score "
    f"{MINUS} floor) / (ceiling {MINUS} floor), which is 0 for a map of another image and 1 for "
    "people. Intervals draw images for all parts together."
)
PUBLISHED_CAPTION = " A published ceiling was not measured on these maps: a reference and no bound."


def ceiling_blocks(results: Mapping[str, Results]) -> list[Block]:
    """Return the table of scores against ceilings and what must be known of it; empty without any.

    Args:
        results: model name to its results, all on the same maps.
    """
    entries = [
        (model, result, ceiling)
        for model, result in results.items()
        for ceiling in result.main.ceilings
    ]
    blocks: list[Block] = []
    if entries:
        names = ("", "against the", "raw score", "over it", "over each image's own")
        blocks.append(
            Table(
                columns=(*(Column(name=name) for name in names), Column(name="floor-corrected")),
                rows=tuple(_row(*entry) for entry in entries),
                caption=CAPTION,
            )
        )
        blocks.append(_ceilings(entries))
    return blocks + _notes(results)


def set_table(results: Mapping[str, Results]) -> list[Block]:
    """Return the scores of the whole set of images; empty without any."""
    first = next(iter(results.values()))
    found = [each for each in first.set_scores if math.isfinite(each.interval.mean)]
    if not found:
        return []
    rows: list[tuple[Cell, ...]] = []
    for model, result in results.items():
        own = {each.name: each.interval for each in result.set_scores}
        rows.append((model, *[interval_cell(own.get(each.name)) for each in found]))
    meanings = "; ".join(f"{each.name}: {each.meaning}" for each in found)
    return [
        Table(
            columns=(Column(name=""), *(Column(name=each.name, best="max") for each in found)),
            rows=tuple(rows),
            caption=f"{meanings}. One number for the whole set of images.",
        )
    ]


def _row(model: str, result: Results, ceiling: CeilingScores) -> tuple[Cell, ...]:
    return (
        model,
        ceiling.name,
        interval_cell(result.main.interval),
        interval_cell(ceiling.over_ceiling),
        interval_cell(ceiling.over_own_ceiling),
        interval_cell(ceiling.floor_corrected),
    )


def _ceilings(entries: list[tuple[str, Results, CeilingScores]]) -> Table:
    """Return what each ceiling is, once, or once for each model where they differ."""
    found: dict[str, CeilingScores] = {}
    for model, _, ceiling in entries:
        known = found.setdefault(ceiling.name, ceiling)
        if known is not ceiling and (known.value, known.source) != (ceiling.value, ceiling.source):
            found[f"{ceiling.name} ({model})"] = ceiling
    rows = tuple(
        (
            name,
            ceiling.value if ceiling.interval is None else interval_cell(ceiling.interval),
            ceiling.floor_name,
            ceiling.source,
        )
        for name, ceiling in found.items()
    )
    names = ("ceiling", "value", "floor that is taken off", "how it was measured")
    is_published = any(not ceiling.measured for ceiling in found.values())
    return Table(
        columns=tuple(Column(name=name) for name in names),
        rows=rows,
        caption="What people reach on these images." + (PUBLISHED_CAPTION if is_published else ""),
    )


def _notes(results: Mapping[str, Results]) -> list[Block]:
    first = next(iter(results.values()))
    notes: list[Block] = []
    if first.without_ceiling:
        listed = "; ".join(f"{name}: {why}" for name, why in first.without_ceiling.items())
        count = len(first.without_ceiling)
        images = "image has" if count == 1 else "images have"
        notes.append(
            Note(kind="warning", text=f"{count} {images} no ceiling and count in none. {listed}.")
        )
    measured = any(each.measured for each in first.main.ceilings)
    if first.ceiling_note and (measured or not first.main.ceilings):
        text = first.ceiling_note.strip().rstrip(".")
        kind = "warning" if measured else "note"
        notes.append(Note(kind=kind, text=f"{text[:1].upper()}{text[1:]}."))
    return notes


def interval_cell(interval: ScoreInterval | None) -> Cell:
    """Return a table's cell; without the interval, or empty, where they are undefined."""
    if interval is None or not math.isfinite(interval.mean):
        return None
    if not math.isfinite(interval.low):
        return interval.mean
    return Interval(value=interval.mean, low=interval.low, high=interval.high)
