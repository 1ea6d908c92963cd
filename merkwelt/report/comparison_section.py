"""A section that shows alignment against accuracy, and against size, over networks."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from ..alignment.models.published_models import PublishedModel
from .blocks import Block, Cell, Column, FigureBlock, Note, Table
from .ceilings import interval_cell
from .page import Section
from .theme import LIGHT, SERIES, themed

if TYPE_CHECKING:
    from ..experiments.compare import Entry, Relation

CAVEAT = (
    "Published networks (grey) were scored with the plain gradient of the true class, not "
    "blurred, on ImageNet photographs with ClickMe 1.0 maps: other images and another recipe than "
    "the networks in colour. Positions can be compared in kind and not in value."
)
MIXED = (
    "These networks were not all scored by one metric, recipe and set of maps: compare those of "
    "one colour only. The table says which is which."
)
TICKS_MILLIONS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)


def comparison_section(
    entries: "Sequence[Entry]",
    relations: "Sequence[Relation]",
    published: Sequence[PublishedModel],
) -> tuple[Section, Figure]:
    """Return the section, and its figure for a file of its own.

    Args:
        entries: networks that were scored.
        relations: correlations over them.
        published: networks to lay behind; those read off a figure are left out.
    """
    conditions = list(dict.fromkeys(each.conditions for each in entries))
    exact = [each for each in published if each.exact]
    caption = (
        f"Dots: {entries[0].metric} with human maps, raw, with 95 % intervals over images, or over "
        "the objects that they show. Hollow: the same network untrained. Numbers: rows of the "
        "table; networks of one accuracy and size stand a little beside each other. Networks whose "
        "ImageNet accuracy is not known stand in the right panel alone. "
        + (CAVEAT if exact else "")
    )
    figure = _figure(entries, exact, conditions)
    blocks: list[Block] = [FigureBlock(figure=figure, caption=caption, wide=True)]
    if len(conditions) > 1:
        blocks.append(Note(text=MIXED, kind="warning"))
    blocks += [_relation_table(relations), _entry_table(entries)]
    return Section(title="Alignment, accuracy and size", blocks=tuple(blocks)), figure


def _figure(
    entries: "Sequence[Entry]",
    published: Sequence[PublishedModel],
    conditions: list[tuple[str, str, str]],
) -> Figure:
    with themed():
        figure = Figure(figsize=(9.2, 4.4), layout="constrained")
        by_accuracy, by_size = figure.subplots(1, 2, sharey=True)
        _behind(by_accuracy, [(m.top1_percent, m.spearman) for m in published])
        _behind(by_size, [(m.parameters / 1e6, m.spearman) for m in published])
        for number, (entry, beside) in enumerate(zip(entries, _beside(entries), strict=True), 1):
            hue = LIGHT[SERIES[conditions.index(entry.conditions) % len(SERIES)]]
            if entry.top1_percent is not None:
                _point(by_accuracy, entry, entry.top1_percent + 0.9 * beside, hue, number)
            if entry.parameters:
                _point(by_size, entry, entry.parameters / 1e6 * 1.18**beside, hue, number)
        by_accuracy.set_xlabel("published ImageNet top-1, %")
        by_accuracy.set_ylabel("alignment with human maps, raw")
        by_accuracy.set_title("Alignment against accuracy")
        by_size.set_xscale("log")
        by_size.xaxis.set_major_locator(FixedLocator(TICKS_MILLIONS))
        by_size.xaxis.set_minor_locator(NullLocator())
        by_size.xaxis.set_major_formatter("{x:g}")
        by_size.set_xlabel("parameters, millions")
        by_size.set_title("Alignment against size")
        if not any(each.top1_percent is not None for each in entries) and not published:
            by_accuracy.text(
                0.5,
                0.5,
                "no accuracy is known",
                transform=by_accuracy.transAxes,
                ha="center",
                color=LIGHT["muted"],
            )
            by_accuracy.set_xticks([])
    return figure


def _behind(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    known = np.array([each for each in points if all(math.isfinite(value) for value in each)])
    if len(known):
        axes.plot(known[:, 0], known[:, 1], ".", color=LIGHT["floor"], ms=4, alpha=0.55, zorder=0)


def _beside(entries: "Sequence[Entry]") -> list[int]:
    """Return how many networks of the same accuracy and size come before each."""
    seen: dict[tuple[float | None, int | None], int] = {}
    places = []
    for entry in entries:
        key = entry.top1_percent, entry.parameters
        places.append(seen.get(key, 0))
        seen[key] = places[-1] + 1
    return places


def _point(axes: Axes, entry: "Entry", x: float, hue: str, number: int) -> None:
    score = entry.score
    if not math.isfinite(score.mean):
        return
    top = score.mean
    if math.isfinite(score.low) and math.isfinite(score.high):
        axes.plot([x, x], [score.low, score.high], color=hue, lw=1.4, alpha=0.6, zorder=2)
        top = score.high
    axes.plot([x], [score.mean], "o", color=hue, ms=6, zorder=3)
    if entry.untrained is not None:
        axes.plot([x], [entry.untrained], "o", mfc=LIGHT["paper"], mec=hue, ms=5, mew=1, zorder=3)
    axes.annotate(
        str(number),
        (x, top),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        size=8,
        color=LIGHT["ink"],
    )


def _relation_table(relations: "Sequence[Relation]") -> Table:
    return Table(
        columns=(
            Column(name="over networks"),
            Column(name="Spearman", decimals=4),
            Column(name="n"),
        ),
        rows=tuple((each.name, each.rho, each.networks) for each in relations),
        caption="Rank correlations; empty for fewer than three networks, or where all are alike.",
    )


def _entry_table(entries: "Sequence[Entry]") -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{number}  {each.name}",
            interval_cell(each.score),
            each.untrained,
            None if each.top1_percent is None else f"{each.top1_percent:.1f}",
            None if each.parameters is None else f"{each.parameters / 1e6:.2f}",
            each.recipe,
            each.maps,
        )
        for number, each in enumerate(entries, 1)
    ]
    return Table(
        columns=(
            Column(name="network"),
            Column(name="alignment"),
            Column(name="untrained"),
            Column(name="top-1, %"),
            Column(name="parameters, millions"),
            Column(name="recipe"),
            Column(name="maps"),
        ),
        rows=tuple(rows),
        caption="Accuracies are their authors' and were not measured here.",
    )
