"""Errors of what is read from features, on rows that were held out."""

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "row target"]


def r_squared(values: Values, guesses: Values) -> float:
    """Return the share of the variance of values that guesses explain, over all targets together.

    Always saying the mean of these values gives 0, and anything worse a negative number. NaN where
    values do not vary.
    """
    spread = np.square(values - values.mean(axis=0)).sum()
    if not len(values) or spread <= 0:
        return float("nan")
    return float(1 - np.square(values - guesses).sum() / spread)


def correlation(values: Values, guesses: Values) -> float:
    """Return Pearson's correlation of one target.

    NaN where either is constant, or has less than a billionth of the other's spread.
    """
    one, other = values[:, 0] - values[:, 0].mean(), guesses[:, 0] - guesses[:, 0].mean()
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    # Rounding leaves a constant with a spread of about 1e-16 of the other's.
    if min(lengths) <= 1e-9 * max(lengths):
        return float("nan")
    return float(one @ other) / (lengths[0] * lengths[1])


def median_distance(values: Values, guesses: Values) -> float:
    """Return the median Euclidean distance."""
    return float(np.median(np.linalg.norm(values - guesses, axis=1)))


def median_angle_deg(values: Values, guesses: Values) -> float:
    """Return the median angle between directions ``[row, 2 or 3]`` of any length, in degrees."""
    return float(np.median(angles_deg(values, guesses)))


def angles_deg(values: Values, guesses: Values) -> Float[np.ndarray, " row"]:
    """Return the angle between each pair of directions; 90 where a guess has no direction."""
    # Not by the cosine alone, which knows nothing of small angles (Kahan 2006).
    one, other = (_unit(each) for each in (values, guesses))
    apart = np.linalg.norm(one - other, axis=1), np.linalg.norm(one + other, axis=1)
    angles = np.degrees(2 * np.arctan2(*apart))
    return np.where(np.linalg.norm(guesses, axis=1) > 0, angles, 90.0)


def relative_error(values: Values, guesses: Values) -> float:
    """Return the mean of ``|guess - value| / value``: AbsRel (Eigen, Puhrsch & Fergus 2014)."""
    return float((np.abs(guesses - values) / np.abs(values)).mean())


def area_under_curve(present: np.ndarray, scores: np.ndarray) -> float:
    """Return the chance that a row with something scores above a row without; NaN with one kind."""
    from scipy.stats import rankdata

    yes = int(present.sum())
    no = len(present) - yes
    if not yes or not no:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[present].sum() - yes * (yes + 1) / 2) / (yes * no))


def _unit(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1.0)
