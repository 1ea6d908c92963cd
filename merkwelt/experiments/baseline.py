"""Experiment (a): how far a small classifier agrees with people, who played no part in it."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.maps.read_maps import read_maps
from ..alignment.scores.floors import CENTRED_GAUSSIAN
from ..parts import Progress, part
from ..training.stills import HumanMapStills, StillSettings
from .finish import Done, finish
from .folder import identity_of, open_folder
from .labelled import Pictures, keep_pictures, kept_pictures
from .network import still_experiment
from .outcome import Outcome, Pooled, facts_of_maps
from .scored_part import PartScores, still_part
from .seeded import (
    ALL,
    FLOORS,
    floor_rows,
    mean_by_name,
    over_floor,
    seed_row,
    seeded_pictures,
    trained_less_untrained,
)
from .settings import Learning


def baseline(
    maps_path: Path,
    pictures: Pictures,
    out: Path,
    *,
    learning: Learning | None = None,
    progress: Progress | None = None,
) -> Done:
    """Train a small classifier on labelled pictures and score it on human maps of other images.

    Args:
        maps_path: what ``read_maps`` reads.
        pictures: what it learns to tell apart.
        out: folder of the experiment; networks are kept in ``out/parts``.
        learning: of the network.
        progress: told the share done.

    Raises:
        FileNotFoundError: no maps, no pictures.
        ValueError: pictures that cannot be told apart, or a target that needs the maps' classes.
        FileExistsError: ``out`` holds something else.
    """
    learning = learning or Learning()
    if learning.target == "true_class":
        raise ValueError(
            "expected own_class or norm as target: the classifier does not know the classes of the "
            "images that it is scored on"
        )
    maps = read_maps(maps_path)
    shown = kept_pictures(pictures, learning.size, out, part(progress, 0.0, 0.2))
    asked = {
        "experiment": "baseline",
        "maps": identity_of(maps),
        "images": pictures.name,
        "per_object": pictures.per_object,
        "pictures": identity_of(shown),
        "learning": asdict(learning),
    }
    parts = open_folder(out, asked)
    keep_pictures(shown, pictures, out)
    settings = StillSettings(size_px=learning.size, per_step=learning.stills)
    scored = [
        still_part(
            parts / f"seed{seed}",
            still_experiment(learning, name="baseline", classes=len(set(shown.labels)), seed=seed),
            HumanMapStills(shown, settings, seed=seed, maps_needed=False),
            shown,
            maps,
            learning,
            with_ceilings=seed == 0,
            progress=part(
                progress,
                0.2 + 0.8 * seed / learning.seeds,
                0.2 + 0.8 * (seed + 1) / learning.seeds,
            ),
        )
        for seed in range(learning.seeds)
    ]
    outcome = _outcome(maps, shown, pictures, learning, scored)
    command = f"merkwelt experiment baseline --maps {maps_path.name} --images {pictures.name}"
    return finish(outcome, out, f"{command} --out {out.name}")


def _outcome(
    maps: HumanMaps,
    shown: HumanMaps,
    pictures: Pictures,
    learning: Learning,
    scored: list[PartScores],
) -> Outcome:
    pooled, first = Pooled(maps.names), scored[0]
    change = trained_less_untrained("classifier less untrained", scored, ALL, pooled)
    over_centre = over_floor("classifier", scored, CENTRED_GAUSSIAN, ALL, pooled)
    row = seed_row("small classifier", ALL, [each.trained for each in scored], pooled)
    accuracy = _mean_of(scored, "stills_accuracy")
    chance = _mean_of(scored, "stills_accuracy_chance")
    return Outcome(
        experiment="baseline",
        title="A baseline: a small classifier and people",
        question=f"How far does a small network that learned to tell {len(set(shown.labels))} "
        f"classes apart on {len(shown)} pictures ({pictures.name}) agree with where people look? "
        "No human map played a part in its training.",
        metric=first.metric,
        recipe=first.recipe,
        maps=facts_of_maps(maps),
        settings={"learning": asdict(learning)},
        rows=(
            row,
            seed_row("untrained", ALL, [each.untrained for each in scored], pooled, is_floor=True),
            *floor_rows(scored, ALL, pooled),
        ),
        differences=(change, over_centre),
        verdict=f"The classifier agrees with people by {row.interval}; training changed that by "
        f"{change.interval}, and it stands to the centred Gaussian as {over_centre.interval}. It "
        f"tells held-out pictures apart with {accuracy:.2f} (chance {chance:.2f}).",
        undefined={name: why for each in scored for name, why in each.undefined.items()},
        ceilings=first.ceilings,
        parameters=first.parameters,
        facts={
            "pictures": f"{len(shown)} of {len(set(shown.labels))} classes; a fifth held out",
            "held-out accuracy": f"{accuracy:.3f}, chance {chance:.3f}",
        },
        per_image={
            "classifier": mean_by_name(maps, [each.trained for each in scored]),
            "untrained": mean_by_name(maps, [each.untrained for each in scored]),
            **{n: mean_by_name(maps, [each.floors[n] for each in scored]) for n in FLOORS},
        },
        pictures=seeded_pictures(maps, learning.size, first, ("classifier", "untrained")),
    )


def _mean_of(scored: list[PartScores], name: str) -> float:
    return float(np.mean([each.measures.get(name, float("nan")) for each in scored]))
