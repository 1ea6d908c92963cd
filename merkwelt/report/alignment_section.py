"""A section about scores against human maps (or object masks), with their floors."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch.nn import functional

from ..alignment.results import FloorScores, MetricScores, Results
from ..alignment.scores.bootstrap import Interval as ScoreInterval
from ..alignment.scores.floors import RANDOM_NETWORK
from .blocks import (
    Block,
    Cell,
    Column,
    Details,
    FigureBlock,
    GridItem,
    ImageGrid,
    KeyFigure,
    KeyFigures,
    Note,
    Table,
)
from .ceilings import MINUS, ceiling_blocks, interval_cell, set_table
from .maps import map_colour_bar, map_item
from .page import Section
from .scores import ScoreRow, score_plot

SHOWN_IMAGES = 8
UNTRAINED = "untrained"


def alignment_section(results: Mapping[str, Results]) -> Section:
    """Return how well models' saliency agrees with where people look, beside the floors.

    Args:
        results: model name to its results, all on the same maps by the same recipe.

    Raises:
        ValueError: no results, or results on different maps.
    """
    first = _first(results)
    blocks: list[Block] = [_key_figures(results)]
    if not first.maps.are_human:
        blocks.append(_not_human(first))
    blocks += [_dots(results), _score_table(results)]
    blocks += ceiling_blocks(results)
    blocks += [_difference_table(results), *set_table(results), *_notes(results)]
    if len(first.maps):
        blocks.append(_map_grid(results))
    blocks.append(Details(title="How the scores were made", facts=_facts(first)))
    return Section(title="Where it looks", lead=_lead(first), blocks=tuple(blocks))


def _first(results: Mapping[str, Results]) -> Results:
    if not results:
        raise ValueError("expected the results of at least one model, got none")
    first = next(iter(results.values()))
    for name, other in results.items():
        if other.maps.names != first.maps.names or other.maps.kind != first.maps.kind:
            raise ValueError(
                f"expected results on the same maps, got {first.maps.kind!r} with "
                f"{len(first.maps)} images and, for {name!r}, {other.maps.kind!r} with "
                f"{len(other.maps)}"
            )
    return first


def _lead(first: Results) -> str:
    return (
        f"Saliency of the learned features on {len(first.maps)} images, compared with "
        f"{first.maps.kind}. Every number stands beside its floors: maps that know nothing "
        "of what was learned.\n\n"
        f"{_capital(first.main.name)} is the {first.main.meaning}. Recipe of the saliency: "
        f"{first.recipe['name']}."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _key_figures(results: Mapping[str, Results]) -> KeyFigures:
    figures = []
    for name, result in results.items():
        metric, best = result.main, result.main.best_floor
        beside = [
            f"{floor.name} {_text(floor.interval.mean)}"
            for floor in metric.floors
            if floor.name == RANDOM_NETWORK
        ]
        if best is not None and best.name != RANDOM_NETWORK:
            beside.append(f"best floor: {best.name} {_text(best.interval.mean)}")
        figures.append(
            KeyFigure(
                value=_text(metric.interval.mean),
                meaning=f"{name}: {metric.name}",
                floor="; ".join(beside),
            )
        )
    return KeyFigures(figures=tuple(figures))


def _text(value: float) -> str:
    return f"{value:.3f}".replace("-", MINUS) if math.isfinite(value) else "undefined"


def _not_human(first: Results) -> Note:
    return Note(
        kind="warning",
        text=f"No person made these maps: they are {first.maps.kind}. The scores say whether "
        "saliency lies on the labelled object or on its background, and nothing about people.",
    )


def _named_floors(results: Mapping[str, Results], metric: str) -> list[tuple[str, FloorScores]]:
    """Return each floor once, or, where models have their own, once for each model by its name."""
    found: dict[str, dict[str, FloorScores]] = {}
    for model, result in results.items():
        for floor in _metric(result, metric).floors:
            found.setdefault(floor.name, {})[model] = floor
    named: list[tuple[str, FloorScores]] = []
    for name, by_model in found.items():
        floors = list(by_model.values())
        is_shared = len(floors) == len(results) and all(
            np.array_equal(floors[0].per_image, f.per_image, equal_nan=True) for f in floors
        )
        if is_shared:
            named.append((name, floors[0]))
        else:
            named += [(f"{name} ({model})", floor) for model, floor in by_model.items()]
    return named


def _metric(result: Results, name: str) -> MetricScores:
    return next(metric for metric in result.metrics if metric.name == name)


def _dots(results: Mapping[str, Results]) -> FigureBlock:
    main = _first(results).main
    rows = [_dot(name, result.main.interval) for name, result in results.items()]
    floors = _named_floors(results, main.name)
    rows += [_dot(name, floor.interval, is_floor=True) for name, floor in floors]
    ceiling = main.ceilings[0] if main.ceilings else None
    band = None if ceiling is None or ceiling.interval is None else ceiling.interval
    shown = f"Dots: means over {main.interval.count} images. Lines: {main.interval.level:.0%} "
    return FigureBlock(
        figure=score_plot(
            rows,
            label=main.name,
            ceiling=None if ceiling is None else (ceiling.name, ceiling.value),
            ceiling_band=None if band is None else (band.low, band.high),
            chance=main.chance,
        ),
        caption=shown
        + "bootstrap intervals over images. Open dots: floors."
        + ("" if ceiling is None else " Dotted: what people reach."),
    )


def _dot(name: str, interval: ScoreInterval, *, is_floor: bool = False) -> ScoreRow:
    known = math.isfinite(interval.low) and math.isfinite(interval.high)
    return ScoreRow(
        name=name,
        value=interval.mean,
        low=interval.low if known else None,
        high=interval.high if known else None,
        is_floor=is_floor,
    )


def _score_table(results: Mapping[str, Results]) -> Table:
    """Return all metrics of models and floors."""
    first = _first(results)
    metrics = [metric.name for metric in first.metrics]
    columns = [Column(name="")] + [Column(name=name, best="max") for name in metrics]
    rows: list[tuple[Cell, ...]] = [
        (name, *[interval_cell(_metric(result, each).interval) for each in metrics])
        for name, result in results.items()
    ]
    models = len(rows)
    by_metric = {each: dict(_named_floors(results, each)) for each in metrics}
    for name in by_metric[metrics[0]]:
        found = [by_metric[each].get(name) for each in metrics]
        cells: list[Cell] = [
            None if floor is None else interval_cell(floor.interval) for floor in found
        ]
        rows.append((name, *cells))
    return Table(
        columns=tuple(columns),
        rows=tuple(rows),
        caption=f"Means with {first.main.interval.level:.0%} bootstrap intervals over images. "
        "Grey: floors. Bold: the best model.",
        floor_rows=frozenset(range(models, len(rows))),
    )


def _difference_table(results: Mapping[str, Results]) -> Table:
    """Return what each model has over each of its own floors, paired by image."""
    main = _first(results).main
    names = dict.fromkeys(floor.name for result in results.values() for floor in result.main.floors)
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        cells: list[Cell] = [name]
        for result in results.values():
            own = {floor.name: floor for floor in result.main.floors}
            cells.append(interval_cell(own[name].difference) if name in own else None)
        rows.append(tuple(cells))
    return Table(
        columns=(Column(name="floor"), *(Column(name=f"{model} over it") for model in results)),
        rows=tuple(rows),
        caption=f"{_capital(main.name)}: model minus floor, paired by image. An interval that "
        "includes 0 means that these images do not tell the two apart.",
    )


def _notes(results: Mapping[str, Results]) -> list[Block]:
    notes: list[Block] = []
    for model, result in results.items():
        if result.undefined:
            listed = "; ".join(f"{name}: {why}" for name, why in result.undefined.items())
            count = len(result.undefined)
            said = "image has no score and is" if count == 1 else "images have no score and are"
            text = f"{model}: {count} {said} in no mean. "
            notes.append(Note(kind="warning", text=text + listed))
        if result.missing_floors:
            listed = "; ".join(f"{name}: {why}" for name, why in result.missing_floors.items())
            notes.append(Note(kind="warning", text=f"{model}: missing floors. {listed}."))
        for metric in result.metrics[1:]:
            more = [name for name in metric.undefined if name not in result.undefined]
            if more:
                count = "1 image has" if len(more) == 1 else f"{len(more)} images have"
                text = f"{model}: {count} no {metric.name} and count in no mean of it: "
                notes.append(Note(kind="warning", text=text + ", ".join(more) + "."))
    return notes


def _map_grid(results: Mapping[str, Results]) -> ImageGrid:
    first = _first(results)
    scores = first.main.per_image
    order = np.lexsort((np.arange(len(scores)), -np.nan_to_num(scores, nan=-np.inf)))
    places = np.linspace(0, len(order) - 1, min(SHOWN_IMAGES, len(order))).round().astype(int)
    model = next(iter(results))
    target = "people" if first.maps.are_human else "object mask"
    return ImageGrid(
        items=tuple(_grid_item(results, int(order[place]), target) for place in places),
        caption=f"Images evenly spread from the best to the worst score of {model}, with "
        f"{first.main.name} below each map. Each map is scaled to its own range.",
        bar=map_colour_bar(),
    )


def _grid_item(results: Mapping[str, Results], index: int, target: str) -> GridItem:
    first = _first(results)
    maps = {target: first.target_maps[index]}
    values: dict[str, str] = {}
    for model, result in results.items():
        maps[model] = _at_size(result.saliency[index], first.images.shape[1])
        values[model] = _text(float(result.main.per_image[index]))
    if RANDOM_NETWORK in first.floor_maps:
        maps[UNTRAINED] = first.floor_maps[RANDOM_NETWORK][index]
        values[UNTRAINED] = _text(float(first.main.floor(RANDOM_NETWORK).per_image[index]))
    title = first.maps.labels[index].replace("_", " ")
    return map_item(title, first.images[index], maps, values=values)


def _at_size(saliency: np.ndarray, size: int) -> np.ndarray:
    """Return a map to look at beside maps of another model's input size."""
    if len(saliency) == size:
        return saliency
    picture = torch.from_numpy(saliency)[None, None]
    return functional.interpolate(picture, size=(size, size), mode="bilinear")[0, 0].numpy()


def _facts(first: Results) -> dict[str, str]:
    facts = {
        "score": first.name,
        "maps": first.maps.kind,
        "source of the maps": first.maps.source,
        "licence of the maps": first.maps.licence,
    }
    facts |= {f"recipe: {name}": str(value) for name, value in first.recipe.items()}
    facts |= {f"setting: {name}": str(value) for name, value in first.settings.items()}
    for ceiling in first.main.ceilings:
        facts[ceiling.name] = f"{ceiling.value:.4f}; {ceiling.source}"
    return facts
