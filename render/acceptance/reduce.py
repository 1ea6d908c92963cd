"""From pooled rows to single numbers."""

import math
from collections.abc import Callable

import numpy as np

from . import holding
from .envelope import knee_hz

Reduce = Callable[[np.ndarray], float]
FITTED_DEG = (1.0, 40.0)
"""Saccades of these amplitudes take part in fits of the main sequence."""
TEN_DEG = (8.0, 12.0)
FITTED_SCALES_DEG = np.geomspace(2.0, 60.0, 120)


def column(index: int, reduce: Reduce, scale: float = 1.0) -> Reduce:
    """Return a statistic of one column of rows ``[k, ...]``, times a factor."""
    return lambda rows: scale * reduce(rows[:, index])


def quantile(share: float) -> Reduce:
    """Return the value that a share of all fall below."""
    return lambda values: float(np.quantile(values, share)) if len(values) else math.nan


def median(values: np.ndarray) -> float:
    """Return the median, or NaN of nothing."""
    return float(np.median(values)) if len(values) else math.nan


def spread(values: np.ndarray) -> float:
    """Return the standard deviation of those that there are."""
    values = values[np.isfinite(values)]
    return float(np.std(values)) if len(values) > 1 else math.nan


def most(values: np.ndarray) -> float:
    """Return the greatest."""
    return float(values.max()) if len(values) else math.nan


def mean(values: np.ndarray) -> float:
    """Return the mean, or NaN of nothing."""
    return float(np.mean(values)) if len(values) else math.nan


def rate(per_s: float) -> Reduce:
    """Return how often something happens in ``per_s`` seconds, from rows (count, seconds)."""
    return lambda rows: per_s * float(rows[:, 0].sum() / rows[:, 1].sum())


def percent_below(limit: float) -> Reduce:
    """Return which percentage of values is below a limit."""
    return lambda values: 100 * float(np.mean(values < limit)) if len(values) else math.nan


def circular_mean_deg(angles_rad: np.ndarray) -> float:
    """Return the mean direction of angles, in [0, 360) degrees."""
    mean = np.exp(1j * angles_rad).mean()
    return math.degrees(float(np.angle(mean))) % 360


def walks_at(low_m_s: float, high_m_s: float, reduce: Reduce) -> Reduce:
    """Return a statistic of the walks ``[k, 8]`` with speeds in a range."""

    def of(rows: np.ndarray) -> float:
        chosen = rows[(rows[:, 0] >= low_m_s) & (rows[:, 0] <= high_m_s)]
        return reduce(chosen) if len(chosen) else math.nan

    return of


def count_at(low_m_s: float, high_m_s: float) -> Callable[[np.ndarray], int]:
    """Return how many walks have speeds in a range."""
    return lambda rows: int(np.sum((rows[:, 0] >= low_m_s) & (rows[:, 0] <= high_m_s)))


def scaled_to(reference_m_s: float, index: int) -> Reduce:
    """Return the median amplitude in mm that walks would have at a speed, growing linearly."""
    return lambda rows: 1000 * median(rows[:, index] * reference_m_s / rows[:, 0])


def growth(rows: np.ndarray) -> float:
    """Return the power of speed with which the vertical amplitude grows, over walks ``[k, 8]``."""
    if len(rows) < 3 or np.ptp(rows[:, 0]) < 1e-6:
        return math.nan
    return float(np.polyfit(np.log(rows[:, 0]), np.log(rows[:, 2]), 1)[0])


def peak_velocity(index: int, times: float) -> Reduce:
    """Return the median peak velocity, deg/s, of an oscillation at ``times`` the step frequency."""
    return lambda rows: math.degrees(median(rows[:, index] * 2 * math.pi * times * rows[:, 1]))


def main_sequence(rows: np.ndarray) -> tuple[float, float]:
    """Return the top (deg/s) and scale (deg) of ``top (1 - exp(-A / scale))``.

    Least squares over saccades ``[k, 5]``; the top is solved for at each of many scales. NaN
    where the scale ends at the last of them: no top is in sight.
    """
    amplitude, peak = _fitted(rows)
    if len(amplitude) < 3:
        return math.nan, math.nan
    shape = 1 - np.exp(-amplitude / FITTED_SCALES_DEG[:, None])
    top = shape @ peak / np.sum(shape**2, axis=1)
    error = np.sum((peak - top[:, None] * shape) ** 2, axis=1)
    best = int(error.argmin())
    return float(top[best]), float(FITTED_SCALES_DEG[best])


def duration_line(rows: np.ndarray) -> tuple[float, float]:
    """Return start (ms) and slope (ms/deg) of the duration of saccades ``[k, 5]``."""
    kept = rows[(rows[:, 0] >= FITTED_DEG[0]) & (rows[:, 0] <= FITTED_DEG[1])]
    if len(kept) < 3 or np.ptp(kept[:, 0]) < 1e-6:
        return math.nan, math.nan
    slope, start = np.polyfit(kept[:, 0], 1000 * kept[:, 2], 1)
    return float(start), float(slope)


def around_ten(index: int, scale: float = 1.0) -> Reduce:
    """Return the median of a column of saccades ``[k, 5]`` of about 10 degrees."""

    def of(rows: np.ndarray) -> float:
        chosen = rows[(rows[:, 0] >= TEN_DEG[0]) & (rows[:, 0] <= TEN_DEG[1]), index]
        return scale * median(chosen)

    return of


def small(index: int) -> Reduce:
    """Return the median of a column of saccades ``[k, 5]`` of 2 to 10 degrees."""
    return lambda rows: median(rows[(rows[:, 0] >= 2) & (rows[:, 0] <= 10), index])


def large(index: int) -> Reduce:
    """Return the median of a column of saccades ``[k, 5]`` of 5 degrees and more."""
    return lambda rows: median(rows[rows[:, 0] >= 5, index])


def turn_gain(sums: np.ndarray) -> float:
    """Return the gain of the eye's answer to turns of the head, of sums ``[k, lag, c, c]``."""
    return holding.answer(sums.sum(axis=0))[0]


def turn_lag_ms(sums: np.ndarray) -> float:
    """Return how late that answer is, of sums ``[k, lag, c, c]``."""
    return 1000 * holding.answer(sums.sum(axis=0))[1]


def follow_gain(rows: np.ndarray) -> float:
    """Return how much of the targets' movement is followed, of rows ``[k, 3]``."""
    asked = float(rows[:, 1].sum())
    return float(rows[:, 0].sum()) / asked if asked > 0 else math.nan


def vergence_gain(rows: np.ndarray) -> float:
    """Return the slope through 0 of the angle between lines of sight on that which it takes."""
    return float(rows[:, 0] @ rows[:, 1] / (rows[:, 1] @ rows[:, 1])) if len(rows) else math.nan


def knee(spectra: np.ndarray) -> float:
    """Return the knee of the mean of spectra ``[k, 48]``, in Hz."""
    return knee_hz(spectra.mean(axis=0))


def log_spread(values: np.ndarray) -> float:
    """Return the standard deviation of the logarithm."""
    return float(np.std(np.log(values))) if len(values) > 1 else math.nan


def _fitted(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept = rows[(rows[:, 0] >= FITTED_DEG[0]) & (rows[:, 0] <= FITTED_DEG[1])]
    return kept[:, 0], kept[:, 1]
