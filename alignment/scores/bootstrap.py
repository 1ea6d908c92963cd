"""Bootstrap intervals of a mean over images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over images with a percentile bootstrap interval.

    NaN everywhere where no image counts; ``low`` and ``high`` are NaN with fewer than two images.
    """

    mean: float
    low: float
    high: float
    count: int
    """Images that counted: those with a defined value."""
    level: float = LEVEL

    def __str__(self) -> str:
        """Show the mean and its interval."""
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap_interval(
    values: np.ndarray,
    generator: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Return the mean over images and the interval of its bootstrap distribution.

    Images are drawn with replacement; the interval holds the middle ``level`` of the resampled
    means (percentile method, Efron & Tibshirani 1993, chapter 13). NaN values are left out and
    show in ``count``. Images of one object are treated as independent.

    Args:
        values: One value per image, ``[n]``; NaN where undefined.
        generator: Source of the draws; the same state gives the same interval.
        resamples: Number of bootstrap samples.
        level: Share of the bootstrap distribution that the interval holds.
    """
    if values.ndim != 1 or not 0 < level < 1 or resamples < 1:
        raise ValueError(
            f"expected one value per image, a level in (0, 1) and at least 1 resample, got values "
            f"of shape {values.shape}, level {level}, {resamples} resamples"
        )
    defined = values[~np.isnan(values)].astype(np.float64)
    count, nan = len(defined), float("nan")
    if count < 2:
        mean = float(defined[0]) if count else nan
        return Interval(mean=mean, low=nan, high=nan, count=count, level=level)
    means = _resampled_means(defined[None], generator, resamples)[0]
    return percentile_interval(float(defined.mean()), means, count=count, level=level)


def joint_interval(
    values: Sequence[np.ndarray],
    statistic: Callable[..., np.ndarray],
    generator: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Return a statistic of several means over the same images, with its bootstrap interval.

    The same images are drawn for all means, so that what an easy image adds to a numerator and to
    its denominator stays together. Only images where all values are defined count.

    Args:
        values: Arrays ``[n]``, one for each mean.
        statistic: From the means, each ``[resample]``, to one number for each; NaN if undefined.
        generator: Source of the draws.
        resamples: Number of bootstrap samples.
        level: Share of the bootstrap distribution that the interval holds.

    Returns:
        The interval; its ends are NaN where any resample has no defined statistic.
    """
    stacked = np.stack([np.asarray(each, dtype=np.float64) for each in values])
    defined = stacked[:, ~np.isnan(stacked).any(axis=0)]
    count = defined.shape[1]
    if not count:
        return percentile_interval(float("nan"), np.empty(0), count=0, level=level)
    mean = statistic(*(defined.mean(axis=1)[:, None]))
    means = _resampled_means(defined, generator, resamples)
    drawn = statistic(*means) if count > 1 else np.empty(0)
    return percentile_interval(float(mean[0]), drawn, count=count, level=level)


def percentile_interval(
    mean: float, resampled: np.ndarray, *, count: int, level: float
) -> Interval:
    """Return the middle ``level`` of resampled statistics; NaN without any, or with a NaN."""
    low = high = float("nan")
    if len(resampled) and not np.isnan(resampled).any():
        low, high = (float(q) for q in np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2]))
    return Interval(mean=mean, low=low, high=high, count=count, level=level)


def _resampled_means(
    values: np.ndarray, generator: np.random.Generator, resamples: int
) -> np.ndarray:
    """Return means ``[value, resample]`` over images drawn with replacement."""
    count = values.shape[1]
    # Counts of each image in a resample, drawn at once: the same as drawing images by index.
    counts = generator.multinomial(count, np.full(count, 1 / count), size=resamples)
    return values @ counts.T / count


def paired_difference(
    values: np.ndarray,
    floor: np.ndarray,
    generator: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Return the mean difference ``values - floor`` over images with its bootstrap interval.

    Only images where both are defined count.
    """
    if values.shape != floor.shape:
        raise ValueError(
            f"expected the values and the floor of the same images, got shapes {values.shape} and "
            f"{floor.shape}"
        )
    return bootstrap_interval(values - floor, generator, resamples=resamples, level=level)
