"""Decoding what is looked at, what is visible, and which clip it is."""

from collections.abc import Callable

import numpy as np

from ..alignment.probes.groups import Draws, Fold
from ..alignment.probes.measures import area_under_curve
from ..alignment.probes.neighbours import neighbour_votes
from ..alignment.probes.ridge import fit_ridge
from ..alignment.probes.softmax import fit_least_squares
from ..alignment.scores.bootstrap import Interval
from .decoding import basis_of
from .features import FeatureSet, Where
from .results import Measured, Score
from .seen_clips import SeenClips
from .splitting import Split
from .truths import fixated, visible

LEAST_CLIPS = 2
"""A category counts if it is seen in so many clips that are fitted on."""
VISIBLE_SHARE = 0.01
"""An object counts as visible if it has this share of the picture."""
CLASSIFIERS = ("linear", "nearest neighbours")

Fitted = Callable[[np.ndarray], np.ndarray]


def measure_fixated(
    clips: SeenClips, where: Where, split: Split, sets: list[FeatureSet], draws: Draws
) -> list[Measured] | str:
    """Return how often the category that is looked at is named, or why it cannot be told.

    Frames whose category is not seen in two clips or more that are fitted on are left out, for no
    probe could know it.
    """
    nouns = fixated(clips, where)
    if nouns is None:
        return "the data set has no descriptions; render it again with this version"
    folds = [(fold, kept) for fold in split.folds if (kept := _known(nouns, fold))]
    if not folds:
        return (
            "no category of objects is looked at in two clips that are fitted on and in one that "
            "is tested"
        )
    found = []
    for kind in CLASSIFIERS:
        scores, rows, tested = [], 0, 0
        for features in sets:
            right, of = _named(nouns, folds, features, kind)
            rows, tested = len(right), len(np.unique(of))
            interval = draws.interval(_mean_of(right), of)
            scores.append(_score(features, interval))
        found.append(
            Measured(
                task="fixated_object",
                title="Category of what is looked at",
                group="objects",
                name=f"accuracy, {kind}",
                unit="",
                better="higher",
                split=split.words,
                rows=rows,
                clips=tested,
                scores=tuple(scores),
                chance=_usual(nouns, folds),
                chance_name="the most frequent category",
            )
        )
    return found


def measure_visible(
    clips: SeenClips, where: Where, split: Split, sets: list[FeatureSet], draws: Draws
) -> list[Measured] | str:
    """Return how well it is told which categories are in the picture, or why it cannot be.

    The mean over categories of the area under the curve of a linear score. Categories count that
    are now in the picture and now not, in clips that are fitted on and in those that are tested.
    """
    seen = visible(clips, where, least_share=VISIBLE_SHARE)
    nouns = [noun for noun, truth in seen.items() if _comes_and_goes(truth, split)]
    if not nouns:
        return "no category of objects is now in the picture and now not, on both sides of a split"
    truth = np.stack([seen[noun] for noun in nouns], axis=-1)
    scores, rows, tested = [], 0, 0
    for features in sets:
        present, said, of = _presence(truth, split, features)
        rows, tested = len(present), len(np.unique(of))
        interval = draws.interval(_mean_area(present, said), of)
        scores.append(_score(features, interval))
    return [
        Measured(
            task="visible_objects",
            title=f"Which of {len(nouns)} categories are in the picture",
            group="objects",
            name="area under the curve",
            unit="",
            better="higher",
            split=split.words,
            rows=rows,
            clips=tested,
            scores=tuple(scores),
            chance=0.5,
            chance_name="a coin",
        )
    ]


def measure_identity(sets: list[FeatureSet], clips: SeenClips, draws: Draws) -> Measured:
    """Return how well the pooled vector tells which clip it is, which it need not know at all.

    A linear classifier of clips is fitted on the first half of each clip's steps and tested on the
    second half.
    """
    count, steps = sets[0].pooled.shape[:2]
    half = steps // 2
    labels = np.repeat(np.arange(count), half)
    scores = []
    for features in sets:
        first = features.pooled[:, :half].reshape(count * half, -1)
        second = features.pooled[:, half : 2 * half].reshape(count * half, -1)
        basis = basis_of(first, features, "pooled")
        probe = fit_least_squares(basis(first), labels, count)
        right = probe(basis(second)) == labels
        interval = draws.interval(_mean_of(right), labels)
        scores.append(_score(features, interval))
    return Measured(
        task="clip_identity",
        title="Which clip it is (a leak, not a virtue)",
        group="clips",
        name="accuracy",
        unit="",
        better="lower",
        split="Fitted on the first half of every clip, tested on the second.",
        rows=len(labels),
        clips=len(clips),
        scores=tuple(scores),
        chance=1 / count,
        chance_name="guessing",
    )


def _score(features: FeatureSet, interval: Interval) -> Score:
    return Score(features=features.name, interval=interval, is_floor=features.is_floor)


def _known(nouns: np.ndarray, fold: Fold) -> list[str]:
    """Return the categories of a fold that can be fitted, if one of them is tested."""
    fitted = [
        noun
        for noun in sorted(set(nouns[fold.fit].ravel()) - {""})
        if sum(noun in each for each in nouns[fold.fit]) >= LEAST_CLIPS
    ]
    tested = set(nouns[fold.test].ravel())
    return fitted if len(fitted) >= 2 and tested & set(fitted) else []


def _named(
    nouns: np.ndarray, folds: list[tuple[Fold, list[str]]], features: FeatureSet, kind: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each tested frame's category is named, and the position of its clip."""
    right, of = [], []
    for fold, known in folds:
        at = {noun: number for number, noun in enumerate(known)}
        fit, test = (np.isin(nouns[rows], known) for rows in (fold.fit, fold.test))
        labels = np.array([at[noun] for noun in nouns[fold.fit][fit]])
        inputs = features.frame[fold.fit][fit]
        basis = basis_of(inputs, features, "frame")
        groups = np.broadcast_to(fold.fit[:, None], fit.shape)[fit]
        classify = _fitted(kind, basis(inputs), labels, len(known), groups)
        truth = np.array([at[noun] for noun in nouns[fold.test][test]])
        right.append(classify(basis(features.frame[fold.test][test])) == truth)
        of.append(np.broadcast_to(fold.test[:, None], test.shape)[test])
    return np.concatenate(right), np.concatenate(of)


def _fitted(
    kind: str, rows: np.ndarray, labels: np.ndarray, classes: int, groups: np.ndarray
) -> Fitted:
    if kind == "linear":
        return fit_least_squares(rows, labels, classes, groups=groups)
    return lambda others: neighbour_votes(rows, labels, others, classes).argmax(axis=1)


def _usual(nouns: np.ndarray, folds: list[tuple[Fold, list[str]]]) -> float:
    """Return how often the most frequent category of what is fitted on is right."""
    right = []
    for fold, known in folds:
        fitted = nouns[fold.fit][np.isin(nouns[fold.fit], known)]
        names, counts = np.unique(fitted.astype(str), return_counts=True)
        tested = nouns[fold.test][np.isin(nouns[fold.test], known)]
        right.append(tested == names[counts.argmax()])
    return float(np.concatenate(right).mean())


def _comes_and_goes(truth: np.ndarray, split: Split) -> bool:
    sides = [truth[rows] for fold in split.folds for rows in (fold.fit, fold.test)]
    fitted, tested = sides[::2], np.concatenate([each.ravel() for each in sides[1::2]])
    both = all((each == 1).any() and (each == 0).any() for each in fitted)
    return both and bool((tested == 1).any() and (tested == 0).any())


def _presence(
    truth: np.ndarray, split: Split, features: FeatureSet
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is present, what is said of it, each ``[row, noun]``, and each row's clip."""
    present, said, of = [], [], []
    for fold in split.folds:
        fit, test = (np.isfinite(truth[rows]).all(axis=-1) for rows in (fold.fit, fold.test))
        inputs = features.frame[fold.fit][fit]
        basis = basis_of(inputs, features, "frame")
        groups = np.broadcast_to(fold.fit[:, None], fit.shape)[fit]
        ridge = fit_ridge(basis(inputs), truth[fold.fit][fit], groups=groups)
        present.append(truth[fold.test][test] == 1)
        # Scores of all folds are ranked together: from what each fold would say of anything.
        usual = truth[fold.fit][fit].mean(axis=0)
        said.append(ridge(basis(features.frame[fold.test][test])) - usual)
        of.append(np.broadcast_to(fold.test[:, None], test.shape)[test])
    return np.concatenate(present), np.concatenate(said), np.concatenate(of)


def _mean_area(present: np.ndarray, said: np.ndarray) -> Callable[[np.ndarray], float]:
    def mean(rows: np.ndarray) -> float:
        columns = range(present.shape[1])
        areas = np.array([area_under_curve(present[rows, n], said[rows, n]) for n in columns])
        return float(np.nanmean(areas)) if np.isfinite(areas).any() else float("nan")

    return mean


def _mean_of(right: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda rows: float(right[rows].mean())
