"""How like two sets of features of the same samples are, and how many dimensions they fill."""

import numpy as np
import torch
from jaxtyping import Float

from ..scores.similarity import feature_distances, similarity

Rows = Float[np.ndarray, "row _feature"]


def linear_cka(first: Rows, second: Rows, *, debiased: bool = True) -> float:
    """Return linear centred kernel alignment (Kornblith et al. 2019, arXiv 1905.00414).

    1 for features that are the same up to rotation, reflection, scale and shift. The plain estimate
    is biased towards 1 where there are not many more samples than features; the debiased one
    (Song et al. 2012, J. Mach. Learn. Res. 13:1393) is about 0 for unrelated features, and may be
    below. No kernel matrix is made, so the number of samples may be large.

    Returns:
        NaN where features are constant.

    Raises:
        ValueError: different numbers of rows, or fewer than 4.
    """
    if len(first) != len(second) or len(first) < 4:
        raise ValueError(
            f"expected four or more rows of both sets of features, got {len(first)} and "
            f"{len(second)}"
        )
    one, other = (_centred(each) for each in (first, second))
    dependence = _debiased if debiased else _plain
    joint, own, others = dependence(one, other), dependence(one, one), dependence(other, other)
    if own <= 0 or others <= 0:
        return float("nan")
    return float(joint / np.sqrt(own * others))


def cka_matrix(first: list[np.ndarray], second: list[np.ndarray]) -> np.ndarray:
    """Return debiased linear CKA ``[first, second]`` between all of two lists of features."""
    return np.array([[linear_cka(one, other) for other in second] for one in first])


def rsa(first: Rows, second: Rows) -> float:
    """Return Spearman's rho between the distances of all pairs of samples in two sets of features.

    Distances are 1 minus Pearson's correlation (Kriegeskorte, Mur & Bandettini 2008).
    """
    one, other = (feature_distances(torch.from_numpy(each)) for each in (first, second))
    return similarity(one, other)


def participation_ratio(features: Rows) -> float:
    """Return ``(sum v)^2 / sum v^2`` of the covariance's eigenvalues v: a number of dimensions.

    NaN where features are constant.
    """
    centred = _centred(features)
    # Sums of eigenvalues and of their squares are traces: of the smaller of the two products.
    wide = centred.shape[1] > len(centred)
    product = centred @ centred.T if wide else centred.T @ centred
    total, squares = float(np.trace(product)), float(np.square(product).sum())
    return total**2 / squares if squares > 0 else float("nan")


def _centred(features: np.ndarray) -> np.ndarray:
    rows = np.asarray(features, dtype=np.float64)
    return rows - rows.mean(axis=0)


def _plain(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.square(one.T @ other).sum())


def _debiased(one: np.ndarray, other: np.ndarray) -> float:
    """Return the unbiased estimate of HSIC, times a constant, from the features alone.

    Song et al.'s U-statistic of the kernels K = X X' and L = Y Y' without their diagonals k and l:
    ``tr(KL) + (1'K1)(1'L1) / ((n-1)(n-2)) - 2/(n-2) 1'KL1``.
    """
    n = len(one)
    k, l = (np.square(each).sum(axis=1) for each in (one, other))  # noqa: E741 - as the paper
    k_one = one @ one.sum(axis=0) - k
    l_one = other @ other.sum(axis=0) - l
    trace = np.square(one.T @ other).sum() - k @ l
    sums = k_one.sum() * l_one.sum() / ((n - 1) * (n - 2))
    return float(trace + sums - 2 / (n - 2) * (k_one @ l_one))
