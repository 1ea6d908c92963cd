"""Placing labels so that none covers another."""

from collections.abc import Sequence

import numpy as np


def spread(wanted: Sequence[float], gap: float) -> np.ndarray:
    """Return places near the wanted ones, in the same order, at least a gap apart.

    Places that collide form a group, which keeps the mean of what its members wanted (the pool
    adjacent violators algorithm on ``wanted - rank * gap``).

    Args:
        wanted: where each label would like to be.
        gap: smallest distance between two labels, in the same unit.
    """
    order = np.argsort(np.asarray(wanted, dtype=np.float64), kind="stable")
    relaxed = np.asarray(wanted, dtype=np.float64)[order] - gap * np.arange(len(order))
    groups: list[tuple[float, int]] = []
    for value in relaxed:
        mean, count = float(value), 1
        while groups and groups[-1][0] > mean:
            other, size = groups.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        groups.append((mean, count))
    settled = np.concatenate([[], *(np.full(count, mean) for mean, count in groups)])
    places = np.empty(len(order))
    places[order] = settled + gap * np.arange(len(order))
    return places


def round_length(length: float) -> float:
    """Return the longest of 1, 2, 5 times a power of ten that is at most a length."""
    if not length > 0:
        raise ValueError(f"expected a positive length, got {length}")
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(step * power for step in (1, 2, 5) if step * power <= length * (1 + 1e-9)))
