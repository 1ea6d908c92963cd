"""Decoding a task from features, on clips that were held out."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..alignment.probes.groups import Draws, Fold
from ..alignment.probes.ridge import Ridge, fit_ridge
from ..alignment.scores.bootstrap import Interval
from .features import FeatureSet, principal_axes
from .tasks import Measure, Task

MOST_ROWS = 12_000
"""Rows beyond this many, spread evenly, are left out of a fit."""
MOST_BASIS_ROWS = 1_500
"""Rows that principal components are taken from."""

Transform = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """True and decoded values of all rows that were tested."""

    values: np.ndarray
    """``[row, target]``."""
    guesses: np.ndarray
    clips: np.ndarray
    """Position of each row's clip."""
    folds: np.ndarray
    """Number of the fold that each row was tested in."""

    def interval(self, measure: Measure, draws: Draws) -> Interval:
        """Return a measure with its bootstrap interval over clips."""
        values, guesses = self.values, self.guesses
        if measure.within_folds:
            values, guesses = (_about_means(each, self.folds) for each in (values, guesses))
        return draws.interval(lambda rows: measure.of(values[rows], guesses[rows]), self.clips)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reader:
    """A probe of one fold, with the basis that it reads features in."""

    basis: Transform
    ridge: Ridge

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return what is read from rows of features."""
        return self.ridge(self.basis(rows))


def rows_of(task: Task, features: FeatureSet) -> np.ndarray:
    """Return the features ``[..., feature]`` that a task is read from."""
    return features.frame if task.at == "frame" else features.sites


def fit_readers(task: Task, features: FeatureSet) -> list[Reader]:
    """Return one probe for each fold of a task."""
    return [_reader(task, features, fold) for fold in task.split.folds]


def decode(task: Task, features: FeatureSet, readers: list[Reader] | None = None) -> Decoded:
    """Return what is decoded of the held-out clips.

    Args:
        task: what.
        features: from what.
        readers: probes that were fitted before, such as on other pictures; None fits them here.
    """
    probes = fit_readers(task, features) if readers is None else readers
    rows = rows_of(task, features)
    values, guesses, clips, folds = [], [], [], []
    for number, (fold, probe) in enumerate(zip(task.split.folds, probes, strict=True)):
        usable = task.usable[fold.test]
        values.append(task.values[fold.test][usable])
        guesses.append(probe(rows[fold.test][usable]))
        clips.append(_clip_of(fold.test, usable))
        folds.append(np.full(len(clips[-1]), number))
    return Decoded(
        values=np.concatenate(values),
        guesses=np.concatenate(guesses),
        clips=np.concatenate(clips),
        folds=np.concatenate(folds),
    )


def _reader(task: Task, features: FeatureSet, fold: Fold) -> Reader:
    rows, usable = rows_of(task, features), task.usable[fold.fit]
    inputs, aims = rows[fold.fit][usable], task.values[fold.fit][usable]
    clips = _clip_of(fold.fit, usable)
    kept = spread(len(inputs), MOST_ROWS)
    basis = basis_of(inputs, features, task.at)
    ridge = fit_ridge(basis(inputs[kept]), aims[kept], groups=clips[kept])
    return Reader(basis=basis, ridge=ridge)


def basis_of(rows: np.ndarray, features: FeatureSet, at: str) -> Transform:
    """Return how features are brought down to as many as there may be; as they are, mostly."""
    if features.keep is None:
        return lambda each: np.asarray(each, dtype=np.float64)
    keep = features.keep[("frame", "sites", "pooled").index(at)]
    return principal_axes(rows[spread(len(rows), MOST_BASIS_ROWS)], keep)


def spread(count: int, most: int) -> np.ndarray:
    """Return at most so many of the numbers below a count, spread evenly."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(int))


def reduced(features: FeatureSet, fit: np.ndarray) -> FeatureSet:
    """Return features whose pooled vectors are principal components fitted on some clips."""
    if features.keep is None:
        return features
    flat = features.pooled[fit].reshape(-1, features.pooled.shape[-1])
    return replace(features, pooled=basis_of(flat, features, "pooled")(features.pooled), keep=None)


def _about_means(rows: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return rows less the mean of their fold."""
    means = np.stack([rows[folds == fold].mean(axis=0) for fold in range(folds.max() + 1)])
    return rows - means[folds]


def _clip_of(clips: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Return the position of the clip of every usable row."""
    shape = (len(clips), *([1] * (usable.ndim - 1)))
    return np.broadcast_to(clips.reshape(shape), usable.shape)[usable]
