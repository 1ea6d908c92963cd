"""Bootstrap intervals of a mean over images."""

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
    # Counts of each image in a resample, drawn at once: the same as drawing images by index.
    share = np.full(count, 1 / count)
    counts = generator.multinomial(count, share, size=resamples)
    means = counts @ defined / count
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    mean = float(defined.mean())
    return Interval(mean=mean, low=float(low), high=float(high), count=count, level=level)


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
