"""Sections of a report about what a run has learned, each number beside its floors."""

from collections.abc import Mapping

import numpy as np

from ..probing.decoding import Decoded
from ..probing.results import ControlScore, Measured, ProbeResults
from ..probing.subject import UNTRAINED
from ..probing.tasks import Task
from ..scenes.card import SceneCard
from .blocks import (
    Block,
    Cell,
    Column,
    Details,
    FigureBlock,
    Gallery,
    KeyFigure,
    KeyFigures,
    Note,
    Table,
)
from .ceilings import interval_cell
from .curves import number
from .page import Section
from .probe_plots import control_plot, place_map, similarity_plot, speed_plot
from .scores import ScoreRow, score_plot

PLOT_WIDTH_IN = 5.2
GROUPS = {
    "self-motion": "How it moves",
    "depth": "How far things are",
    "place": "Where it is",
    "objects": "What it looks at",
    "clips": "Which clip it is",
}
KEY_FIGURES = ("heading_direction", "depth", "disparity", "place", "fixated_object")


def probe_sections(
    results: ProbeResults,
    place: tuple[Task, Decoded] | None,
    cards: Mapping[str, SceneCard],
) -> tuple[Section, ...]:
    """Return the sections of a probe's report.

    Args:
        results: all that was measured.
        place: the task of telling places and what was decoded, for a map of it.
        cards: of the scenes whose plans are known.
    """
    sections = [_summary(results)]
    for group, title in GROUPS.items():
        measured = [each for each in results.measured if each.group == group]
        if not measured:
            continue
        blocks: list[Block] = [_plots(measured), _table(measured)]
        if group == "place" and place is not None:
            blocks.insert(0, _map(place, results, cards))
        if group == "depth" and results.controls:
            blocks += _controls(results.controls)
        sections.append(Section(title=title, lead=measured[0].split, blocks=tuple(blocks)))
    sections += [each for each in (_slowness(results), _similarity(results)) if each is not None]
    return tuple(sections)


def _summary(results: ProbeResults) -> Section:
    figures = []
    for task in KEY_FIGURES:
        found = next((each for each in results.measured if each.task == task), None)
        if found is not None:
            figures.append(_key_figure(found))
    blocks: list[Block] = [KeyFigures(figures=tuple(figures))] if figures else []
    blocks += [
        Note(text=f"Not measured: {name}. {_sentence(why)}")
        for name, why in results.left_out.items()
    ]
    facts = {name.replace("_", " "): str(value) for name, value in results.facts.items()}
    blocks.append(Details(title="How it was measured", facts=facts))
    lead = (
        f"What can be read from the frozen features of {results.run} by linear probes. "
        f"{results.split}\n\nFloors are hollow: what the same probe reads from the same network "
        "untrained, from as many principal components of the pixels, and from luminance. Intervals "
        "are of 95 %, over clips."
    )
    return Section(title="What was learned", lead=lead, blocks=tuple(blocks))


def _key_figure(found: Measured) -> KeyFigure:
    own = found.scores[0].interval
    floors = {each.features: each.interval.mean for each in found.scores if each.is_floor}
    pick = max if found.better == "higher" else min
    known = {name: value for name, value in floors.items() if np.isfinite(value)}
    best = pick(known, key=lambda name: known[name], default="")
    shown = [name for name in (UNTRAINED, best) if name in known]
    said = "; ".join(f"{name} {number(known[name])}" for name in dict.fromkeys(shown))
    if found.chance is not None:
        said += f"; {found.chance_name} {number(found.chance)}"
    return KeyFigure(
        value=number(own.mean), unit=found.unit, meaning=f"{found.title}: {found.name}", floor=said
    )


def _plots(measured: list[Measured]) -> Gallery:
    """Return a plot for the first measure of each task."""
    first = {}
    for each in measured:
        first.setdefault((each.task, each.name if each.group == "objects" else ""), each)
    return Gallery(figures=tuple(_plot(each) for each in first.values()))


def _plot(each: Measured) -> FigureBlock:
    rows = [
        ScoreRow(
            name=score.features,
            value=score.interval.mean,
            low=_finite(score.interval.low),
            high=_finite(score.interval.high),
            is_floor=score.is_floor,
        )
        for score in each.scores
    ]
    caption = f"{each.better.capitalize()} is better. {each.rows:,} samples of {each.clips} clips."
    if each.chance is not None:
        caption += f" Line: {each.chance_name}, {number(each.chance)}."
    figure = score_plot(rows, label=each.label, chance=each.chance)
    # Beside each other on the page: drawn smaller, so that letters keep their size.
    figure.set_size_inches(PLOT_WIDTH_IN, 0.75 + 0.3 * len(rows))
    return FigureBlock(figure=figure, title=each.title, caption=caption)


def _table(measured: list[Measured]) -> Details:
    names: list[str] = []
    for each in measured:
        names += [score.features for score in each.scores if score.features not in names]
    floors = {s.features for each in measured for s in each.scores if s.is_floor}
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        cells = [next((s.interval for s in m.scores if s.features == name), None) for m in measured]
        rows.append((name, *(interval_cell(each) for each in cells)))
    columns = [Column(name=f"{each.title}: {each.name}", unit=each.unit) for each in measured]
    table = Table(
        columns=(Column(name="features"), *columns),
        rows=tuple(rows),
        caption="All measures with their intervals.",
        floor_rows=frozenset(index for index, name in enumerate(names) if name in floors),
    )
    return Details(title="All measures", table=table)


def _map(
    place: tuple[Task, Decoded], results: ProbeResults, cards: Mapping[str, SceneCard]
) -> Gallery:
    """Return a map for each scene: where the eye was and where the features say that it was."""
    _, decoded = place
    scenes = results.scene_of_clip
    figures = []
    for scene in sorted(set(scenes)):
        clips = [index for index, name in enumerate(scenes) if name == scene]
        rows = np.isin(decoded.clips, clips)
        if not rows.any():
            continue
        middle = np.asarray(results.middle_of_scene[scene])
        figures.append(
            FigureBlock(
                figure=place_map(
                    decoded.values[rows] + middle, decoded.guesses[rows] + middle, cards.get(scene)
                ),
                title=scene,
                caption="From above: where the eye was, and where held-out features say it was.",
            )
        )
    return Gallery(figures=tuple(figures))


def _controls(controls: tuple[ControlScore, ...]) -> list[Block]:
    wanted = [(task, "correlation") for task in ("disparity", "depth")]
    blocks: list[Block] = []
    for task, measure in wanted:
        scores = [each for each in controls if (each.task, each.measure) == (task, measure)]
        if scores:
            blocks.append(
                FigureBlock(
                    figure=control_plot(scores, label=f"correlation of true and decoded {task}"),
                    title=f"Stereo controls: {task}",
                    caption="Filled: the probe that was fitted on clips as they were recorded is "
                    "shown other pictures. Hollow: it is fitted anew on them. A network that "
                    "computes disparity turns its sign with the eyes.",
                )
            )
    rows: list[tuple[Cell, ...]] = [
        (
            each.task.replace("_", " "),
            f"{each.measure} {each.unit}".strip(),
            each.condition,
            interval_cell(each.same_probe),
            interval_cell(each.refitted),
        )
        for each in controls
    ]
    columns = ("decoded", "measure", "eyes are shown", "same probe", "probe fitted anew")
    table = Table(
        columns=tuple(Column(name=name) for name in columns),
        rows=tuple(rows),
        caption="All stereo controls.",
    )
    return [*blocks, Details(title="All stereo controls", table=table)]


def _slowness(results: ProbeResults) -> Section | None:
    if not results.speeds:
        return None
    rows: list[tuple[Cell, ...]] = [
        (
            each.features,
            float(each.eta_hz[0]),
            float(each.eta_hz.mean()),
            _finite(each.half_life_s),
            each.clip_share,
        )
        for each in results.speeds
    ]
    floors = frozenset(index for index, each in enumerate(results.speeds) if each.is_floor)
    table = Table(
        columns=(
            Column(name="features"),
            Column(name="slowest", unit="Hz"),
            Column(name="mean", unit="Hz"),
            Column(name="half-life", unit="s", decimals=2),
            Column(name="share between clips"),
        ),
        rows=tuple(rows),
        caption="Slowness on held-out clips. Half-life: when the autocorrelation of the features "
        "has fallen to a half; empty if it does not within a clip. Share between clips: of their "
        "variance.",
        floor_rows=floors,
    )
    plot = FigureBlock(
        figure=speed_plot(results.speeds),
        caption="Speeds of the slowest directions of the pooled vector, fitted on training clips "
        "and measured on held-out ones, within fixations. Lower is slower.",
    )
    return Section(title="How slow it is", lead="", blocks=(plot, table))


def _similarity(results: ProbeResults) -> Section | None:
    if not results.similarities:
        return None
    figures = tuple(
        FigureBlock(
            figure=similarity_plot(each, results.run),
            title=f"{results.run} and {each.other}"
            if each.other != results.run
            else "Its own layers",
            caption=f"Debiased linear CKA on held-out clips. RSA of the pooled vectors: "
            f"{number(each.rsa)}.",
        )
        for each in results.similarities
    )
    rows: list[tuple[Cell, ...]] = [
        (name, each["effective_rank"], each["participation_ratio"], int(each["channels"]))
        for name, each in results.dimensions.items()
    ]
    table = Table(
        columns=(
            Column(name="features"),
            Column(name="effective rank", decimals=1),
            Column(name="participation ratio", decimals=1),
            Column(name="channels"),
        ),
        rows=tuple(rows),
        caption="Dimensions that the pooled vectors of held-out clips fill.",
        floor_rows=frozenset(i for i, name in enumerate(results.dimensions) if name == UNTRAINED),
    )
    return Section(
        title="What it is like",
        lead="1 is the same up to rotation and scale, 0 unrelated.",
        blocks=(Gallery(figures=figures), table),
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
