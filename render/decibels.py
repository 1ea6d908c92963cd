"""The one scale on which pictures are compared."""

import math

LEAST = 1e-12
"""Mean squared error below which pictures count as equal: 120 dB."""


def decibels(mean_square: float) -> float:
    """Return the peak signal-to-noise ratio, in dB, of a mean squared error of values in [0, 1]."""
    return -10 * math.log10(max(mean_square, LEAST))
