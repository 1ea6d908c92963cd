"""Ridge regression in closed form, with its strength chosen by the data."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from .groups import group_folds

STRENGTHS = tuple(float(10.0**power) for power in np.arange(-4, 5.01, 0.5))
"""Penalties that are tried, each times the number of rows over 1000."""
MOST_FOLDS = 8
Selection = Literal["gcv", "loo", "groups"]

Rows = Float[np.ndarray, "row feature"]
Targets = Float[np.ndarray, "row target"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Standardised:
    """What brings features to zero mean and unit variance; constant ones become 0."""

    mean: np.ndarray
    scale: np.ndarray
    """Standard deviation; infinite for features without any."""

    @classmethod
    def of(cls, features: Rows) -> "Standardised":
        """Return that of some rows."""
        mean, sd = features.mean(axis=0), features.std(axis=0)
        # Rounding leaves a spread of about 1e-16 of the mean where there is none.
        flat = sd <= 1e-12 * np.maximum(1.0, np.abs(mean))
        return cls(mean=mean, scale=np.where(flat, np.inf, sd))

    def __call__(self, features: Rows) -> Rows:
        """Return standardised rows."""
        return (features - self.mean) / self.scale


@dataclass(frozen=True, kw_only=True, eq=False)
class Ridge:
    """A linear map from features to targets."""

    weights: np.ndarray
    """``[feature, target]``, of features as they are."""
    bias: np.ndarray
    """``[target]``."""
    penalties: np.ndarray
    """``[target]``: on the squared weights of standardised features, beside the sum of squares."""
    selection: Selection
    """How these were chosen."""

    def __call__(self, features: Rows) -> Targets:
        """Return what is read from features."""
        return np.asarray(features, dtype=np.float64) @ self.weights + self.bias


def fit_ridge(
    features: Rows,
    targets: Targets,
    *,
    groups: np.ndarray | None = None,
    penalties: np.ndarray | None = None,
    selection: Selection | None = None,
) -> Ridge:
    """Return the ridge regression of targets on standardised features, with an intercept.

    Minimises ``|y - Xw - b|^2 + penalty |w|^2``, for every target with a penalty of its own.
    It is chosen by leaving out groups, where rows come in groups: to leave out single frames of a
    clip, whose neighbours stay, asks for too little penalty. Without groups it is generalised
    cross-validation, ``|r|^2 / (n - trace)^2`` (Golub, Heath & Wahba 1979), or the error of leaving
    out each row.

    Args:
        features: ``[row, feature]``, finite.
        targets: ``[row, target]``, finite.
        groups: the group of each row.
        penalties: to choose from.
        selection: ``groups``, ``gcv`` or ``loo``; by default groups where there are two or more.

    Raises:
        ValueError: NaN, fewer than two rows, or groups asked for and none given.
    """
    rows, aims = _checked(features, targets)
    tried = len(rows) / 1000 * np.array(STRENGTHS) if penalties is None else np.asarray(penalties)
    several = groups is not None and len(np.unique(groups)) > 1
    chosen = selection or ("groups" if several else "gcv")
    standard = Standardised.of(rows)
    scaled = standard(rows)
    if chosen == "groups" and not several:
        raise ValueError("expected two or more groups to choose a penalty by, got fewer")
    if len(tried) == 1:  # Nothing to choose.
        errors = np.zeros((1, aims.shape[1]))
    elif chosen == "groups" and groups is not None:
        errors = _group_errors(scaled, aims, groups, tried)
    else:
        errors = _row_errors(scaled, aims, tried, chosen)
    best = tried[errors.argmin(axis=0)]
    weights = _solve(scaled, aims - aims.mean(axis=0), best) / standard.scale[:, None]
    return Ridge(
        weights=weights,
        bias=aims.mean(axis=0) - standard.mean @ weights,
        penalties=best,
        selection=chosen,
    )


def _checked(features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.asarray(features, dtype=np.float64)
    aims = np.asarray(targets, dtype=np.float64)
    if len(rows) != len(aims) or len(rows) < 2:
        raise ValueError(
            f"expected two or more rows with a target each, got {len(rows)} rows of features and "
            f"{len(aims)} of targets"
        )
    if not np.isfinite(rows).all() or not np.isfinite(aims).all():
        raise ValueError("expected finite features and targets, got NaN or infinity")
    return rows, aims


def _solve(scaled: np.ndarray, aims: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return weights ``[feature, target]`` of centred targets, each with its own penalty."""
    left, values, right = np.linalg.svd(scaled, full_matrices=False)
    shrink = values[:, None] / (values[:, None] ** 2 + penalties)
    # A direction of no variance has no weight, also without any penalty.
    shrink[values <= 1e-12 * max(values.max(initial=0.0), 1e-300)] = 0.0
    return right.T @ (shrink * (left.T @ aims))


def _row_errors(
    scaled: np.ndarray, aims: np.ndarray, penalties: np.ndarray, selection: str
) -> np.ndarray:
    """Return ``[penalty, target]`` errors by GCV or by leaving out each row."""
    left, values, _ = np.linalg.svd(scaled, full_matrices=False)
    centred = aims - aims.mean(axis=0)
    inside = left.T @ centred
    outside = centred - left @ inside
    count = len(scaled)
    errors = []
    for penalty in penalties:
        kept = values**2 / (values**2 + penalty) if penalty > 0 else (values > 0).astype(float)
        residual = outside + left @ ((1 - kept)[:, None] * inside)
        # The intercept takes one degree of freedom, 1/n from every row.
        leverage = 1 / count + np.square(left) @ kept
        free = leverage.mean() if selection == "gcv" else leverage[:, None]
        errors.append(np.square(residual / np.maximum(1 - free, 1e-12)).mean(axis=0))
    return np.array(errors)


def axes_of(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return squared singular values, ascending, and right singular vectors ``[feature, axis]``."""
    wide = rows.shape[1] > len(rows)
    values, axes = np.linalg.eigh(rows @ rows.T if wide else rows.T @ rows)
    kept = values > 1e-10 * max(float(values[-1]), 1e-300)
    values, axes = values[kept], axes[:, kept]
    return values, (rows.T @ axes) / np.sqrt(values) if wide else axes


def _group_errors(
    scaled: np.ndarray, aims: np.ndarray, groups: np.ndarray, penalties: np.ndarray
) -> np.ndarray:
    """Return ``[penalty, target]`` squared errors on groups that were left out."""
    total = np.zeros((len(penalties), aims.shape[1]))
    for fold in group_folds(groups, MOST_FOLDS):
        mean, aim = scaled[fold.fit].mean(axis=0), aims[fold.fit].mean(axis=0)
        inner = scaled[fold.fit] - mean
        values, axes = axes_of(inner)
        inside = axes.T @ (inner.T @ (aims[fold.fit] - aim))
        seen = (scaled[fold.test] - mean) @ axes
        for place, penalty in enumerate(penalties):
            guess = seen @ (inside / (values[:, None] + penalty)) + aim
            total[place] += np.square(aims[fold.test] - guess).sum(axis=0)
    return total
