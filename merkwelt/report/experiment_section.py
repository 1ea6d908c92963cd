"""A section about an experiment: its verdict, scores beside floors, and maps over images."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ..experiments.outcome import Difference, Outcome, Row
from .blocks import (
    Block,
    Cell,
    Column,
    Details,
    FigureBlock,
    ImageGrid,
    KeyFigure,
    KeyFigures,
    Note,
    Table,
)
from .ceilings import MINUS, interval_cell
from .maps import map_colour_bar, map_item
from .page import Section
from .scores import ScoreRow, score_plot
from .theme import LIGHT, colour, new_axes, themed


def experiment_section(outcome: Outcome) -> Section:
    """Return what an experiment asked and found, each score beside its floors."""
    blocks: list[Block] = [_key_figures(outcome), Note(text=outcome.verdict)]
    blocks += [Note(text=each, kind="warning") for each in _warnings(outcome)]
    if outcome.curve:
        blocks.append(_curve(outcome))
    for where in dict.fromkeys(row.where for row in outcome.rows):
        blocks.append(_dots(outcome, where))
    blocks += [_score_table(outcome), _difference_table(outcome.differences)]
    if outcome.pictures:
        blocks.append(_grid(outcome))
    blocks.append(Details(title="How this was made", facts=_facts(outcome)))
    lead = f"{outcome.question}\n\nRecipe of the saliency: {outcome.recipe}."
    return Section(title="What was found", lead=lead, blocks=tuple(blocks))


def _key_figures(outcome: Outcome) -> KeyFigures:
    figures = [
        KeyFigure(
            value=_three(each.interval.mean),
            meaning=f"{each.name}, {each.where}",
            floor=f"interval {_three(each.interval.low)} to {_three(each.interval.high)}",
        )
        for each in outcome.differences[:3]
    ]
    return KeyFigures(figures=tuple(figures))


def _three(value: float) -> str:
    return f"{value:.3f}".replace("-", MINUS) if math.isfinite(value) else "undefined"


def _warnings(outcome: Outcome) -> list[str]:
    said = list(outcome.notes)
    if not outcome.maps["are_human"]:
        said.append(
            f"No person made these maps: they are {outcome.maps['kind']}. The scores say nothing "
            "about people."
        )
    if outcome.undefined:
        listed = "; ".join(f"{name}: {why}" for name, why in outcome.undefined.items())
        said.append(f"{len(outcome.undefined)} images have no score and are in no mean. {listed}")
    return said


def _dots(outcome: Outcome, where: str) -> FigureBlock:
    rows = [_dot(row) for row in outcome.rows if row.where == where]
    measured = [each for each in outcome.ceilings if each.get("measured")]
    ceiling = (measured[0]["name"], float(measured[0]["value"])) if measured else None
    return FigureBlock(
        figure=score_plot(rows, label=outcome.metric, ceiling=ceiling),
        title=where[:1].upper() + where[1:],
        caption="Dots: means over images and seeds. Lines: 95 % bootstrap intervals over objects. "
        "Open dots: floors; saliency of other images is a network's map of one image against "
        "people on another, which is what it does in any image."
        + (" Dotted: what people reach." if ceiling else ""),
    )


def _dot(row: Row) -> ScoreRow:
    known = math.isfinite(row.interval.low) and math.isfinite(row.interval.high)
    return ScoreRow(
        name=row.name,
        value=row.interval.mean,
        low=row.interval.low if known else None,
        high=row.interval.high if known else None,
        is_floor=row.is_floor,
    )


def _score_table(outcome: Outcome) -> Table:
    wheres = list(dict.fromkeys(row.where for row in outcome.rows))
    names = list(dict.fromkeys(row.name for row in outcome.rows))
    found = {(row.name, row.where): row for row in outcome.rows}
    rows: list[tuple[Cell, ...]] = []
    floors = set()
    for place, name in enumerate(names):
        cells: list[Cell] = [name]
        for where in wheres:
            row = found.get((name, where))
            cells.append(None if row is None else interval_cell(row.interval))
            if row is not None and row.is_floor:
                floors.add(place)
        rows.append(tuple(cells))
    return Table(
        columns=(Column(name=""), *(Column(name=where, best="max") for where in wheres)),
        rows=tuple(rows),
        caption=f"{outcome.metric}: means with 95 % bootstrap intervals over objects. Grey: "
        "floors. Bold: the best network.",
        floor_rows=frozenset(floors),
    )


def _difference_table(differences: Sequence[Difference]) -> Table:
    rows = tuple(
        (
            each.name,
            each.where,
            interval_cell(each.interval),
            ", ".join(_three(value) for value in each.per_seed),
            each.verdict,
        )
        for each in differences
    )
    return Table(
        columns=(
            Column(name="difference"),
            Column(name="on"),
            Column(name="paired by image"),
            Column(name="each seed alone"),
            Column(name="so"),
        ),
        rows=rows,
        caption="An interval that includes 0 means that these images do not tell the two apart.",
    )


def _curve(outcome: Outcome) -> FigureBlock:
    centre = [row for row in outcome.rows if row.is_floor and "Gaussian" in row.name]
    with themed():
        figure, axes = new_axes(6.4, 3.4)
        x = np.array([place for place, _ in outcome.curve])
        y = np.array([interval.mean for _, interval in outcome.curve])
        low = np.array([interval.low for _, interval in outcome.curve])
        high = np.array([interval.high for _, interval in outcome.curve])
        if np.isfinite(low).all() and np.isfinite(high).all():
            axes.fill_between(x, low, high, color=colour(0), alpha=0.15, lw=0)
        axes.plot(x, y, "o-", color=colour(0))
        for row in centre[:1]:
            axes.axhline(row.interval.mean, color=LIGHT["floor"], lw=0.9, ls="--")
            axes.annotate(
                row.name,
                (0.0, row.interval.mean),
                xycoords=("axes fraction", "data"),
                va="bottom",
                color=LIGHT["muted"],
                size=8,
            )
        axes.set_xlabel(outcome.curve_of)
        axes.set_ylabel(outcome.metric)
    return _as_block(figure)


def _as_block(figure: Figure) -> FigureBlock:
    return FigureBlock(
        figure=figure,
        caption="Dots: means over held-out images and seeds. Band: 95 % bootstrap intervals over "
        "objects, each point for itself; the paired differences below are sharper.",
    )


def _grid(outcome: Outcome) -> ImageGrid:
    items = tuple(
        map_item(each.title, each.image, dict(each.maps), values=dict(each.values))
        for each in outcome.pictures
    )
    return ImageGrid(
        items=items,
        caption="Images evenly spread from the best to the worst score of the first network named, "
        f"with the {outcome.metric} of the first seed below each map. Each map is scaled to its "
        "own range.",
        bar=map_colour_bar(),
    )


def _facts(outcome: Outcome) -> dict[str, str]:
    facts = {f"maps: {name}": str(value) for name, value in outcome.maps.items()}
    facts |= dict(outcome.facts)
    for group, settings in outcome.settings.items():
        facts |= {f"{group}: {name}": str(value) for name, value in dict(settings).items()}
    for each in outcome.ceilings:
        facts[str(each["name"])] = f"{each['value']:.4f}; {each['source']}"
    return facts
