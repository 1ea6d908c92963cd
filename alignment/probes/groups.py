"""Parts of samples that belong together and must be held out together.

Frames of one clip, views of one object and clips of one scene are near copies of each other. A
probe that is fitted on some of them and tested on the rest measures memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..scores.bootstrap import LEVEL, Interval, percentile_interval

RESAMPLES = 500


@dataclass(frozen=True, kw_only=True, eq=False)
class Fold:
    """Rows to fit on and rows to test on, which share no group."""

    fit: np.ndarray
    """int64 row numbers, ascending."""
    test: np.ndarray

    def __post_init__(self) -> None:
        """Refuse folds without either."""
        if not len(self.fit) or not len(self.test):
            raise ValueError(
                f"expected rows to fit on and rows to test on, got {len(self.fit)} and "
                f"{len(self.test)}"
            )


def group_folds(groups: Sequence[object] | np.ndarray, folds: int, *, seed: int = 0) -> list[Fold]:
    """Return folds in which every group is tested once, whole.

    Groups are dealt in a random order, the largest first to the smallest fold, so that folds are
    of about equal size.

    Args:
        groups: the group of each row.
        folds: how many; at most as many as there are groups.
        seed: of the order.

    Raises:
        ValueError: fewer than two groups, for then nothing can be held out.

    Example:
        >>> [fold.test.tolist() for fold in group_folds(["a", "a", "b", "c"], 3, seed=1)]
        [[0, 1], [2], [3]]
    """
    _, numbers = np.unique(np.asarray(groups), return_inverse=True)
    count = int(numbers.max()) + 1 if len(numbers) else 0
    if count < 2 or folds < 2:
        raise ValueError(
            f"expected at least two groups and two folds, to hold one out, got {count} groups and "
            f"{folds} folds"
        )
    sizes = np.bincount(numbers)
    order = np.random.default_rng(seed).permutation(count)
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of, filled = np.zeros(count, np.int64), np.zeros(min(folds, count), np.int64)
    for group in order:
        smallest = int(filled.argmin())
        fold_of[group] = smallest
        filled[smallest] += sizes[group]
    rows = fold_of[numbers]
    return [
        Fold(fit=np.flatnonzero(rows != each), test=np.flatnonzero(rows == each))
        for each in range(len(filled))
    ]


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How intervals over groups are drawn; the same draws give the same intervals."""

    seed: int = 0
    resamples: int = RESAMPLES

    def interval(self, statistic: Callable[[np.ndarray], float], groups: np.ndarray) -> Interval:
        """Return a statistic with its interval: see ``group_interval``."""
        generator = np.random.default_rng(self.seed)
        return group_interval(statistic, groups, generator, resamples=self.resamples)


def group_interval(
    statistic: Callable[[np.ndarray], float],
    groups: np.ndarray,
    generator: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Return a statistic of all rows, with its bootstrap interval over groups.

    Whole groups are drawn with replacement (Davison & Hinkley 1997, section 3.8), because rows of
    one group are not independent. Draws in which the statistic is undefined are left out.

    Args:
        statistic: from the numbers of rows, which may repeat, to a number.
        groups: the group of each row.
        generator: source of the draws.
        resamples: number of draws.
        level: share of the draws that the interval holds.
    """
    _, numbers = np.unique(groups, return_inverse=True)
    count = int(numbers.max()) + 1 if len(numbers) else 0
    rows = [np.flatnonzero(numbers == each) for each in range(count)]
    mean = statistic(np.arange(len(numbers))) if count else float("nan")
    drawn = np.empty(0)
    if count > 1 and np.isfinite(mean):
        picks = generator.integers(count, size=(resamples, count))
        drawn = np.array([statistic(np.concatenate([rows[g] for g in pick])) for pick in picks])
        drawn = drawn[np.isfinite(drawn)]
    return percentile_interval(mean, drawn, count=count, level=level)
