"""The report of view constancy: scores, floors, and maps as they are carried."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..alignment.scores.bootstrap import Interval
from ..alignment.views.carry import TOLERANCE
from ..alignment.views.constancy import Constancy
from ..alignment.views.planes import FACING_PLANE
from ..alignment.views.view_pairs import View, ViewPair, carried_between
from .blocks import (
    Block,
    Column,
    FigureBlock,
    GridCell,
    GridItem,
    ImageGrid,
    Note,
    Table,
)
from .ceilings import interval_cell
from .maps import map_colour_bar, map_over_image
from .page import Report, Section
from .scores import ScoreRow, score_plot
from .sections import provenance_section

LEAD = (
    "A map of one view is carried to another by the scene's depth and correlated (Spearman) with "
    "the map there, over the pixels that both views see. The floors are the same map left where it "
    "was, maps of other things, and a centred Gaussian, over the same pixels."
)
SHOWN_PAIRS = 6


def constancy_report(  # noqa: PLR0913 - what was measured, and of what
    pairs: Sequence[ViewPair],
    maps: Mapping[str, np.ndarray],
    trained: Constancy,
    untrained: Constancy | None,
    gain: Interval | None,
    *,
    people: Sequence[Constancy] = (),
    recipe: str,
    tolerance: float = TOLERANCE,
    commands: Sequence[str] = (),
) -> Report:
    """Return the report of a model's view constancy.

    Args:
        pairs: the views.
        maps: the trained model's map of each view.
        trained: its constancy.
        untrained: that of the same network untrained.
        gain: trained minus untrained.
        people: comparisons with human maps, if there are some.
        recipe: name of the saliency recipe.
        tolerance: with which maps were carried.
        commands: command lines that made this.
    """
    measured = [each for each in (trained, untrained) if each is not None]
    measured += people
    blocks: list[Block] = [
        _plot(measured, people),
        _table(measured),
        _grid(pairs, maps, trained, tolerance),
    ]
    if gain is not None:
        blocks.insert(1, Note(text=f"Trained minus untrained, pair by pair: {gain}."))
    if people:
        blocks.append(Note(text=f"Depth: {FACING_PLANE}.", kind="warning"))
    if trained.undefined:
        why = "; ".join(f"{pair}: {reason}" for pair, reason in trained.undefined.items())
        blocks.append(Note(text=f"Pairs without a value: {why}.", kind="warning"))
    section = Section(
        title="Constancy across views", lead=f"{LEAD} Recipe: {recipe}.", blocks=tuple(blocks)
    )
    return Report(
        title="Does looking stay with the thing?",
        subtitle=f"{trained.name}: saliency carried between {len(pairs)} pairs of views.",
        sections=(section, provenance_section(commands=commands)),
    )


def _plot(measured: Sequence[Constancy], people: Sequence[Constancy]) -> FigureBlock:
    scores = (measured[0], *people)
    rows = [_row(each.name, each.interval, is_floor=each not in scores) for each in measured]
    rows += [_row(f.name, f.interval, is_floor=True) for f in measured[0].floors]
    return FigureBlock(
        figure=score_plot(rows, label="Spearman correlation across views"),
        caption="Means over pairs with bootstrap intervals; pairs of one object are not "
        "independent.",
    )


def _row(name: str, of: Interval, *, is_floor: bool) -> ScoreRow:
    low, high = (None if np.isnan(end) else end for end in (of.low, of.high))
    return ScoreRow(name=name, value=of.mean, low=low, high=high, is_floor=is_floor)


def _table(measured: Sequence[Constancy]) -> Table:
    columns = (Column(name=""), Column(name="carried"), Column(name="pairs", decimals=0))
    floors = [floor.name for floor in measured[0].floors]
    columns += tuple(Column(name=f"above: {name}") for name in floors)
    rows = tuple(
        (
            each.name,
            interval_cell(each.interval),
            each.interval.count,
            *(interval_cell(floor.difference) for floor in each.floors),
        )
        for each in measured
    )
    return Table(columns=columns, rows=rows, caption="Differences are taken pair by pair.")


def _grid(
    pairs: Sequence[ViewPair],
    maps: Mapping[str, np.ndarray],
    trained: Constancy,
    tolerance: float,
) -> ImageGrid:
    values = dict(zip(trained.pair_names, trained.values, strict=True))
    places = np.unique(np.linspace(0, len(pairs) - 1, SHOWN_PAIRS).round().astype(int))
    items = [_item(pairs[i], maps, values[pairs[i].name], tolerance) for i in places]
    return ImageGrid(
        items=tuple(items),
        caption=f"{len(items)} of {len(pairs)} pairs, one way each. Pixels that only one "
        "of the views sees are dark in the carried map.",
        bar=map_colour_bar(),
    )


def _item(
    pair: ViewPair, maps: Mapping[str, np.ndarray], value: float, tolerance: float
) -> GridItem:
    first, second = pair.first, pair.second
    carried = _carried(first, second, maps[first.name], tolerance)
    written = "undefined" if np.isnan(value) else f"{value:.3f}, both ways"
    cells = (
        GridCell(name="from", image=_shown(first, maps[first.name])),
        GridCell(name="carried", image=carried, value=written),
        GridCell(name="its own", image=_shown(second, maps[second.name])),
    )
    turn_deg = np.degrees(pair.turn_rad)
    return GridItem(title=f"{pair.name}, {turn_deg:.0f} degrees apart", cells=cells)


def _shown(view: View, values: np.ndarray) -> np.ndarray:
    return map_over_image(view.image, values)


def _carried(source: View, target: View, values: np.ndarray, tolerance: float) -> np.ndarray:
    moved = carried_between(values, source, target, tolerance=tolerance)
    picture = map_over_image(target.image, np.where(moved.visible, moved.values, np.nan))
    return np.where(moved.visible[..., None], picture, picture // 4)
