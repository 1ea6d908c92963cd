"""Series with known slow features, as the literature and arithmetic have them."""

import math
from itertools import combinations_with_replacement

import numpy as np


def chaotic_series(samples=10_000):
    """Return Wiskott's (2003) logistic map and its driving force; oracle O3."""
    t = np.linspace(0, 1, samples, endpoint=False)
    force = np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 11 * t) + np.sin(2 * np.pi * 13 * t)
    series = np.empty(samples)
    series[0] = 0.6
    for i in range(1, samples):
        series[i] = (3.6 + 0.13 * force[i]) * series[i - 1] * (1 - series[i - 1])
    return series, force


def embedded(series, frames=10):
    """Return overlapping windows of a series, one a row."""
    return np.lib.stride_tricks.sliding_window_view(series, frames)


def monomials(signals, degree):
    """Return all products of up to ``degree`` columns, one after the other."""
    columns = range(signals.shape[1])
    return np.stack(
        [
            np.prod(signals[:, list(chosen)], axis=1)
            for order in range(1, degree + 1)
            for chosen in combinations_with_replacement(columns, order)
        ],
        axis=1,
    )


def mixed_cosines():
    """Return five cosines and their mixtures; oracle O2."""
    t = np.linspace(0, 8 * np.pi, 1000)
    sources = np.stack([np.cos(k * t) for k in range(1, 6)], axis=1)
    return sources, sources @ np.random.default_rng(0).normal(0, 1, (5, 5))


def clips_with_identity():
    """Return 40 clips that a constant tells apart, and what is slow within them."""
    rng = np.random.default_rng(0)
    identity = rng.normal(size=(40, 1, 12))
    slow = np.cumsum(rng.normal(size=(40, 16, 1)), axis=1)
    slow = slow - slow.mean(axis=1, keepdims=True)
    slow = slow / slow.std()
    mixing = rng.normal(size=(1, 12))
    return identity + slow * mixing + 0.3 * rng.normal(size=(40, 16, 12)), slow


def whitened_chaos():
    """Return whitened monomials of degree 1 and 2 of the chaotic series; oracle O5."""
    expanded = monomials(embedded(chaotic_series()[0]), 2)
    expanded = expanded - expanded.mean(axis=0)
    u, s, _ = np.linalg.svd(expanded, full_matrices=False)
    return u[:, s > 1e-6 * s[0]] * math.sqrt(len(expanded) - 1)


def walker_views(x, y, heading, views=30):
    """Return smooth random views of places and headings; oracle O4."""
    rng = np.random.default_rng(1)
    place = rng.normal(0, 2.5, (views, 2))
    offset = rng.uniform(0, 2 * np.pi, views)
    turn = rng.normal(0, 1, (views, 2))
    return np.tanh(
        np.outer(x, place[:, 0])
        + np.outer(y, place[:, 1])
        + (offset - np.pi)
        + np.outer(np.cos(heading), turn[:, 0])
        + np.outer(np.sin(heading), turn[:, 1])
    )


def correlation(a, b):
    """Return how well two series agree, but for sign and scale."""
    return abs(np.corrcoef(a, b)[0, 1])


def walks(clips=6, frames=20, signals=4, seed=3):
    """Return clips of random walks."""
    return np.cumsum(np.random.default_rng(seed).normal(size=(clips, frames, signals)), axis=1)
