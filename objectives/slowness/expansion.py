"""Nonlinear expansions of signals, for slow features that are not linear in them."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Monomials:
    """All products of up to ``degree`` signals, each signal itself first.

    Example:
        >>> Monomials(degree=2)(np.array([2.0, 3.0]))
        array([2., 3., 4., 6., 9.])
    """

    degree: int = 2

    def __post_init__(self) -> None:
        """Refuse degrees below 1."""
        if self.degree < 1:
            raise ValueError(f"expected monomials of a degree of at least 1, got {self.degree}")

    def size(self, signals: int) -> int:
        """Return how many monomials there are of so many signals."""
        return math.comb(signals + self.degree, self.degree) - 1

    def __call__(self, signals: np.ndarray) -> np.ndarray:
        """Return float64 ``[..., monomial]`` of signals ``[..., signal]``.

        Ordered by degree, then by the signals that are multiplied, as
        ``itertools.combinations_with_replacement`` has them.
        """
        first = np.asarray(signals, dtype=np.float64)
        count = first.shape[-1]
        out = np.empty((*first.shape[:-1], self.size(count)))
        out[..., :count] = first
        below, start, end = 0, np.arange(count), count
        # Products of one more factor: signal i times the products of signals i and later.
        for _ in range(self.degree - 1):
            starts, place = np.empty(count, dtype=np.int64), end
            for i in range(count):
                width = end - below - start[i]
                starts[i] = place - end
                out[..., place : place + width] = (
                    first[..., i : i + 1] * out[..., below + start[i] : end]
                )
                place += width
            below, start, end = end, starts, place
        return out
