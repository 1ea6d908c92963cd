"""How many annotations the harmonizer needs: the share of training images whose maps are shown."""

from dataclasses import asdict
from pathlib import Path

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.maps.read_maps import read_maps
from ..alignment.scores.floors import RANDOM_NETWORK
from ..parts import Progress, part
from .finish import Done, finish
from .folder import identity_of, open_folder
from .folds import (
    HELD_OUT,
    Condition,
    FoldScores,
    fold_words,
    folds_of,
    named,
    objects_of,
    over_folds,
    paired,
)
from .outcome import Difference, Outcome, Pooled, Row, facts_of_maps
from .seeded import FLOORS
from .settings import Harmonizing, Learning

SHARES = (0.0, 0.125, 0.25, 0.5, 1.0)


def annotations(
    maps_path: Path,
    out: Path,
    *,
    shares: tuple[float, ...] = SHARES,
    learning: Learning | None = None,
    harmonizing: Harmonizing | None = None,
    progress: Progress | None = None,
) -> Done:
    """Train with the maps of a growing share of the images, and score on images held out.

    Images without a map still teach their labels, so that only the maps differ. Which objects'
    maps are shown is drawn for each seed; smaller shares are parts of larger ones.

    Args:
        maps_path: what ``read_maps`` reads.
        out: folder of the experiment; networks are kept in ``out/parts``.
        shares: of the objects trained on, ascending; 0 is the twin without maps.
        learning: of the networks.
        harmonizing: from human maps.
        progress: told the share done.

    Raises:
        FileNotFoundError: no maps.
        ValueError: shares that are no shares or no object, or maps that cannot be learned from.
        FileExistsError: ``out`` holds something else.
    """
    learning, harmonizing = learning or Learning(), harmonizing or Harmonizing()
    _check(shares)
    maps = read_maps(maps_path)
    _check_objects(maps, shares, harmonizing)
    asked = {
        "experiment": "annotations",
        "maps": identity_of(maps),
        "shares": list(shares),
        "learning": asdict(learning),
        "harmonizing": asdict(harmonizing),
    }
    parts = open_folder(out, asked)
    found = {
        share: over_folds(
            parts,
            maps,
            _condition(share, harmonizing),
            learning,
            harmonizing,
            with_ceilings=place == 0,
            progress=part(progress, place / len(shares), (place + 1) / len(shares)),
        )
        for place, share in enumerate(shares)
    }
    outcome = _outcome(maps, learning, harmonizing, found)
    command = f"merkwelt experiment annotations --maps {maps_path.name} --out {out.name}"
    return finish(outcome, out, command)


def _check(shares: tuple[float, ...]) -> None:
    ordered = tuple(sorted(set(shares)))
    if len(shares) < 2 or ordered != tuple(shares) or shares[0] != 0 or shares[-1] > 1:
        raise ValueError(
            f"expected two or more ascending shares from 0 to at most 1, the first 0, got {shares}"
        )


def _check_objects(maps: HumanMaps, shares: tuple[float, ...], harmonizing: Harmonizing) -> None:
    """Refuse a share so small that it is no object at all, before anything is trained."""
    fewest = min(len(objects_of(maps, fold.fit)) for fold in folds_of(maps, harmonizing))
    if not round(shares[1] * fewest):
        raise ValueError(
            f"expected shares above 0 to be an object at least, but {shares[1]:g} of the {fewest} "
            "objects that a fold trains on is none; ask for larger shares, or more folds or images"
        )


def _condition(share: float, harmonizing: Harmonizing) -> Condition:
    weight = harmonizing.map_weight if share else 0.0
    return Condition(folder=f"share{share:g}", weight=weight, share=share or 1.0)


def _outcome(
    maps: HumanMaps,
    learning: Learning,
    harmonizing: Harmonizing,
    found: dict[float, FoldScores],
) -> Outcome:
    pooled = Pooled(maps.names)
    none = found[0.0]
    means = {share: scores.mean(HELD_OUT) for share, scores in found.items()}
    scored = [
        Row(name=_words(share), where=HELD_OUT, interval=pooled.interval(mean))
        for share, mean in means.items()
    ]
    floors = [none.floor_row(each, HELD_OUT, pooled) for each in (RANDOM_NETWORK, *FLOORS)]
    differences = tuple(
        paired(f"{_words(share)} less none", scores, none, HELD_OUT, pooled)
        for share, scores in found.items()
        if share
    )
    return Outcome(
        experiment="annotations",
        title="How many annotations the harmonizer needs",
        question="How does alignment on images held out grow with the share of training images "
        "whose human maps are shown? All images teach their labels.",
        metric=none.first.metric,
        recipe=none.first.recipe,
        maps=facts_of_maps(maps),
        settings={"learning": asdict(learning), "harmonizing": asdict(harmonizing)},
        rows=(*scored, *floors),
        differences=differences,
        verdict=_verdict(differences),
        undefined={name: why for each in found.values() for name, why in each.undefined.items()},
        ceilings=none.first.ceilings,
        parameters=none.first.parameters,
        facts={
            "folds": fold_words(none),
            "weight": "the harmonizer's loss is a mean over all images of a step, those without a "
            "map counting as 0, as in the reference: fewer maps weigh less as well",
        },
        per_image={_words(share): named(maps, mean) for share, mean in means.items()},
        curve=tuple((share, row.interval) for share, row in zip(found, scored, strict=True)),
        curve_of="share of training objects whose human maps are shown",
    )


def _verdict(differences: tuple[Difference, ...]) -> str:
    enough = next((each for each in differences if each.verdict == "higher"), None)
    if enough is None:
        return (
            "No share of the maps raised the alignment of images held out beyond what chance among "
            "images does."
        )
    return f"The smallest share with a gain on images held out: {enough.name}, {enough.interval}."


def _words(share: float) -> str:
    return "no maps" if share == 0 else f"maps of {100 * share:g} % of the objects"
