"""Experiment (b): a small network with human maps, beside its twin that learned without."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.maps.read_maps import read_maps
from ..alignment.prepare import prepare
from ..alignment.scores.floors import (
    CENTRED_GAUSSIAN,
    EDGES,
    OTHER_SALIENCY,
    RANDOM_NETWORK,
)
from ..parts import Progress, part
from .finish import Done, finish
from .folder import identity_of, open_folder
from .folds import (
    HELD_OUT,
    TRAINED_ON,
    Condition,
    FoldScores,
    fold_words,
    named,
    over_folds,
    paired,
)
from .outcome import Difference, Outcome, Picture, Pooled, Row, facts_of_maps
from .seeded import FLOORS, shown_images
from .settings import Harmonizing, Learning

TWIN = "trained on labels alone (lambda 0)"
UNTRAINED = "untrained"
ONE_LABEL = (
    "All images have one label, so that labels teach nothing: the twin stays as good as untrained, "
    "and the difference is all that maps teach, not what they add to recognition."
)
CREDIT = (
    "Fel, Felipe, Linsley and Serre 2022, Harmonizing the object recognition strategies of deep "
    "neural networks with humans"
)


def harmonized(
    maps_path: Path,
    out: Path,
    *,
    learning: Learning | None = None,
    harmonizing: Harmonizing | None = None,
    progress: Progress | None = None,
) -> Done:
    """Train a small network with human maps and its twin without, and compare them held out.

    Each image is held out in one of the folds, and two views of one object together. Networks are
    kept in ``out/parts``; the same call goes on where it stopped.

    Args:
        maps_path: what ``read_maps`` reads.
        out: folder of the experiment.
        learning: of the network.
        harmonizing: from human maps.
        progress: told the share done.

    Raises:
        FileNotFoundError: no maps.
        ValueError: maps that cannot be learned from.
        FileExistsError: ``out`` holds something else.
    """
    learning, harmonizing = learning or Learning(), harmonizing or Harmonizing()
    maps = read_maps(maps_path)
    asked = {
        "experiment": "harmonized",
        "maps": identity_of(maps),
        "learning": asdict(learning),
        "harmonizing": asdict(harmonizing),
    }
    parts = open_folder(out, asked)
    without, with_maps = Condition(folder="without", weight=0.0), _with(harmonizing)
    twin = over_folds(
        parts,
        maps,
        without,
        learning,
        harmonizing,
        with_ceilings=True,
        progress=part(progress, 0.0, 0.5),
    )
    taught = over_folds(
        parts, maps, with_maps, learning, harmonizing, progress=part(progress, 0.5, 1.0)
    )
    outcome = _outcome(maps, learning, harmonizing, twin, taught)
    command = f"merkwelt experiment harmonized --maps {maps_path.name} --out {out.name}"
    return finish(outcome, out, command)


def _with(harmonizing: Harmonizing) -> Condition:
    return Condition(folder="with", weight=harmonizing.map_weight)


def _outcome(
    maps: HumanMaps,
    learning: Learning,
    harmonizing: Harmonizing,
    twin: FoldScores,
    taught: FoldScores,
) -> Outcome:
    name = f"trained with human maps (lambda {harmonizing.map_weight:g})"
    pooled = Pooled(maps.names)
    rows: list[Row] = []
    for where in (HELD_OUT, TRAINED_ON):
        for label, values in (
            (name, taught.mean(where)),
            (TWIN, twin.mean(where)),
            (UNTRAINED, twin.mean(where, RANDOM_NETWORK)),
        ):
            interval = pooled.interval(values)
            rows.append(
                Row(name=label, where=where, interval=interval, is_floor=label == UNTRAINED)
            )
        for label, scores in (("with maps", taught), ("without maps", twin)):
            interval = pooled.interval(scores.mean(where, OTHER_SALIENCY))
            name_of_floor = f"{label}: {OTHER_SALIENCY}"
            rows.append(Row(name=name_of_floor, where=where, interval=interval, is_floor=True))
        rows += [twin.floor_row(floor, where, pooled) for floor in FLOORS]
    differences = (
        paired("with maps less without", taught, twin, HELD_OUT, pooled),
        paired("with maps less without", taught, twin, TRAINED_ON, pooled),
        _over_floor("with maps", taught, CENTRED_GAUSSIAN, pooled),
        _over_floor("with maps", taught, EDGES, pooled),
        _over_floor("with maps", taught, OTHER_SALIENCY, pooled),
        _over_floor("without maps", twin, OTHER_SALIENCY, pooled),
        _over_floor("with maps", taught, RANDOM_NETWORK, pooled),
        _over_floor("without maps", twin, RANDOM_NETWORK, pooled),
    )
    return Outcome(
        experiment="harmonized",
        title="A network harmonized with human maps, beside its twin",
        question="Does learning from human maps raise the alignment of a small network with "
        "people on images whose maps it was never shown? Its twin starts from the same weights and "
        "learns from the same images and labels in the same order, without the maps.",
        metric=twin.first.metric,
        recipe=twin.first.recipe,
        maps=facts_of_maps(maps),
        settings={"learning": asdict(learning), "harmonizing": asdict(harmonizing)},
        rows=tuple(rows),
        differences=differences,
        verdict=verdict_of(differences[0], differences[2]),
        undefined=twin.undefined | taught.undefined,
        ceilings=twin.first.ceilings,
        parameters=twin.first.parameters,
        notes=() if len(set(maps.labels)) > 1 else (ONE_LABEL,),
        facts={"after": CREDIT, "folds": fold_words(twin), **accuracy_words(twin, taught)},
        per_image={
            "with maps, held out": named(maps, taught.mean(HELD_OUT)),
            "without maps, held out": named(maps, twin.mean(HELD_OUT)),
            "untrained": named(maps, twin.mean(HELD_OUT, RANDOM_NETWORK)),
            **{each: named(maps, twin.mean(HELD_OUT, each)) for each in FLOORS},
        },
        pictures=_pictures(maps, learning, twin, taught),
    )


def accuracy_words(twin: FoldScores, taught: FoldScores) -> dict[str, str]:
    """Return how often labels were told on images trained on and held out."""
    said: dict[str, str] = {}
    for name, scores in (("without maps", twin), ("with maps", taught)):
        found = [part.measures for parts in scores.parts for part in parts]
        means = [
            float(np.mean([each[key] for each in found if key in each] or [np.nan]))
            for key in ("stills_accuracy_training", "stills_accuracy", "stills_accuracy_chance")
        ]
        said[f"labels told, {name}"] = (
            f"{means[0]:.2f} of images trained on, {means[1]:.2f} of those held out, some of whose "
            f"labels may never have been trained; chance {means[2]:.2f}"
        )
    return said


def verdict_of(difference: Difference, over_centre: Difference) -> str:
    """Return what these images say, in a sentence or two."""
    interval = difference.interval
    said = {
        "higher": f"On images held out, human maps raised the alignment by {interval}.",
        "lower": f"On images held out, human maps lowered the alignment by {interval}.",
    }.get(
        difference.verdict,
        f"On images held out, human maps did not change the alignment beyond what chance among "
        f"images does: {interval}.",
    )
    beside = {
        "higher": "It lies above the centred Gaussian, which knows nothing of the image",
        "lower": "It stays below the centred Gaussian, which knows nothing of the image",
    }.get(
        over_centre.verdict,
        "It is not told apart from the centred Gaussian, which knows nothing of the image",
    )
    return f"{said} {beside} ({over_centre.interval})."


def _over_floor(name: str, scores: FoldScores, floor: str, pooled: Pooled) -> Difference:
    difference = scores.mean(HELD_OUT) - scores.mean(HELD_OUT, floor)
    return Difference(
        name=f"{name} less {floor}", where=HELD_OUT, interval=pooled.interval(difference)
    )


def _pictures(
    maps: HumanMaps, learning: Learning, twin: FoldScores, taught: FoldScores
) -> tuple[Picture, ...]:
    """Return held-out images from the best to the worst of the network with maps."""
    prepared = prepare(maps, learning.size)
    first = {
        "with maps": taught.per_seed(HELD_OUT)[0],
        "without": twin.per_seed(HELD_OUT)[0],
        UNTRAINED: twin.per_seed(HELD_OUT, RANDOM_NETWORK)[0],
    }
    pictures = []
    for image in shown_images(taught.mean(HELD_OUT)):
        pixels = prepared.images[image].permute(1, 2, 0).numpy()
        shown = {
            "people": prepared.maps[image].numpy(),
            "with maps": taught.saliency(image),
            "without": twin.saliency(image),
            UNTRAINED: twin.saliency(image, untrained=True),
        }
        pictures.append(
            Picture(
                title=maps.labels[image].replace("_", " "),
                image=(pixels * 255).round().astype(np.uint8),
                maps=shown,
                values={key: f"{values[image]:.2f}" for key, values in first.items()},
            )
        )
    return tuple(pictures)
