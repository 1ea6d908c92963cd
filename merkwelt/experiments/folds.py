"""Networks over folds and seeds, each scored on all images: held out here, trained on there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.probes.groups import Fold, group_folds
from ..alignment.probes.labelled_images import shown_object
from ..parts import Progress, part
from ..training.stills import HumanMapStills, StillSettings
from .network import still_experiment
from .outcome import Difference, Pooled, Row, mean_of_seeds
from .scored_part import PartScores, still_part
from .settings import Harmonizing, Learning

HELD_OUT = "images held out"
TRAINED_ON = "images trained on"
NAME = "harmonized"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What distinguishes a set of networks from its twins: the human maps."""

    folder: str
    """Prefix of its networks' folders."""
    weight: float
    """Of human maps; 0 learns labels alone."""
    share: float = 1.0
    """Of the images trained on, whose human maps are shown; all their labels are."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldScores:
    """The networks of one condition."""

    parts: tuple[tuple[PartScores, ...], ...]
    """By seed and fold."""
    test: tuple[np.ndarray, ...]
    """Numbers of the images that each fold holds out."""

    def per_seed(self, where: str, floor: str | None = None) -> list[np.ndarray]:
        """Return scores ``[n]`` for each seed.

        Args:
            where: held out, by the one network that did not train on the image; or trained on, the
                mean over all networks that did.
            floor: scores of this floor instead.
        """
        return [self._of_seed(parts, where, floor) for parts in self.parts]

    def mean(self, where: str, floor: str | None = None) -> np.ndarray:
        """Return the mean over seeds ``[n]``."""
        return mean_of_seeds(self.per_seed(where, floor))

    def floor_row(self, floor: str, where: str, pooled: Pooled) -> Row:
        """Return a floor on the same images."""
        interval = pooled.interval(self.mean(where, floor))
        return Row(name=floor, where=where, interval=interval, is_floor=True)

    def saliency(self, image: int, *, untrained: bool = False) -> np.ndarray:
        """Return the map of the first seed's network that held an image out."""
        fold = next(i for i, test in enumerate(self.test) if image in test)
        part = self.parts[0][fold]
        return (part.untrained_saliency if untrained else part.saliency)[image]

    @property
    def first(self) -> PartScores:
        """The first network."""
        return self.parts[0][0]

    @property
    def undefined(self) -> dict[str, str]:
        """Images without a score in a network that held them out or trained on them."""
        return {
            name: why
            for parts in self.parts
            for each in parts
            for name, why in each.undefined.items()
        }

    def _of_seed(self, parts: Sequence[PartScores], where: str, floor: str | None) -> np.ndarray:
        scores = np.stack([p.trained if floor is None else p.floors[floor] for p in parts])
        held_out = np.zeros(scores.shape, dtype=bool)
        for fold, test in enumerate(self.test):
            held_out[fold, test] = True
        chosen = held_out if where == HELD_OUT else ~held_out
        # NaN of any chosen network stays NaN.
        return np.where(chosen, scores, 0).sum(axis=0) / chosen.sum(axis=0)


def over_folds(  # noqa: PLR0913 - what is learned, how, and where it goes
    parts: Path,
    maps: HumanMaps,
    condition: Condition,
    learning: Learning,
    harmonizing: Harmonizing,
    *,
    with_ceilings: bool = False,
    progress: Progress | None = None,
) -> FoldScores:
    """Return the networks of one condition, trained and scored, or as they were kept.

    Networks of one seed and fold start from the same weights and see the same images in the same
    order and cut, whatever the condition.

    Raises:
        ValueError: all images show one object.
    """
    folds = folds_of(maps, harmonizing)
    found: list[tuple[PartScores, ...]] = []
    total = learning.seeds * len(folds)
    for seed in range(learning.seeds):
        of_seed = []
        for number, fold in enumerate(folds):
            done = seed * len(folds) + number
            stills = _stills(maps, condition, learning, seed, fold.test)
            experiment = still_experiment(
                learning,
                name=NAME,
                classes=len(set(maps.labels)),
                seed=seed,
                preset=harmonizing.preset,
                map_weight=condition.weight,
            )
            of_seed.append(
                still_part(
                    parts / f"{condition.folder}-seed{seed}-fold{number}",
                    experiment,
                    stills,
                    maps,
                    maps,
                    learning,
                    with_ceilings=with_ceilings and done == 0,
                    progress=part(progress, done / total, (done + 1) / total),
                )
            )
        found.append(tuple(of_seed))
    return FoldScores(parts=tuple(found), test=tuple(fold.test for fold in folds))


def folds_of(maps: HumanMaps, harmonizing: Harmonizing) -> list[Fold]:
    """Return which images each fold learns from and holds out, whole objects at a time."""
    return group_folds([shown_object(name) for name in maps.names], harmonizing.folds)


def paired(name: str, one: FoldScores, other: FoldScores, where: str, pooled: Pooled) -> Difference:
    """Return how far one condition lies above another, paired by image."""
    per_seed = [a - b for a, b in zip(one.per_seed(where), other.per_seed(where), strict=True)]
    return Difference(
        name=name,
        where=where,
        interval=pooled.interval(one.mean(where) - other.mean(where)),
        per_seed=tuple(float(np.nanmean(each)) for each in per_seed),
    )


def named(maps: HumanMaps, values: np.ndarray) -> dict[str, float]:
    """Return values by image name."""
    return {name: float(value) for name, value in zip(maps.names, values, strict=True)}


def fold_words(scores: FoldScores) -> str:
    """Return how images were held out, in words."""
    sizes = [len(test) for test in scores.test]
    return (
        f"{len(sizes)} folds of {min(sizes)} to {max(sizes)} images held out, grouped by object; "
        f"{len(scores.parts)} seeds; {len(sizes) * len(scores.parts)} networks of each kind"
    )


def objects_of(maps: HumanMaps, training: Iterable[int]) -> list[str]:
    """Return what some images show, sorted."""
    return sorted({shown_object(maps.names[index]) for index in training})


def with_share(maps: HumanMaps, training: Sequence[int], share: float, seed: int) -> HumanMaps:
    """Return the same with the maps of some training images blank, so that they count as none.

    Which objects keep theirs is drawn by the seed; a smaller share is part of a larger one.
    """
    if share >= 1:
        return maps
    objects = objects_of(maps, training)
    order = np.random.default_rng(seed).permutation(len(objects))
    kept = {objects[place] for place in order[: round(share * len(objects))]}
    blank = [index for index in training if shown_object(maps.names[index]) not in kept]
    shown = maps.maps.copy()
    shown[blank] = 0
    return replace(maps, maps=shown)


def _stills(
    maps: HumanMaps, condition: Condition, learning: Learning, seed: int, test: np.ndarray
) -> HumanMapStills:
    held_out = test.tolist()
    training = [index for index in range(len(maps)) if index not in set(held_out)]
    settings = StillSettings(size_px=learning.size, per_step=learning.stills)
    shown = with_share(maps, training, condition.share, seed)
    return HumanMapStills(shown, settings, seed=seed, held_out=held_out)
