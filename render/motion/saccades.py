"""How fast an eye moves from one fixation to the next.

Collewijn, Erkelens and Steinman 1988: durations grow linearly with amplitude, peak velocities
saturate, and the larger a saccade, the earlier its peak.
"""

import numpy as np

from .. import steady
from ..observer.card import GazeCard

PEAK_TO_MEAN = 1.5, 2.0
"""Ratios that the profile can have; the two laws ask for others below 5 degrees only."""
SKEW_AT_DEG = 10.0, 50.0


def duration_s(card: GazeCard, amplitude_deg: np.ndarray) -> np.ndarray:
    """Return how long saccades take."""
    return card.saccade_onset_s.value + card.saccade_s_per_deg.value * amplitude_deg


def peak_deg_s(card: GazeCard, amplitude_deg: np.ndarray) -> np.ndarray:
    """Return the peak velocities of the main sequence, ``V (1 - exp(-A / c))``."""
    share = 1 - steady.exp(-amplitude_deg / card.saccade_peak_constant_deg.value)
    return card.saccade_peak_deg_s.value * share


def peak_at(card: GazeCard, amplitude_deg: np.ndarray) -> np.ndarray:
    """Return the share of its duration at which a saccade is fastest."""
    small, large = SKEW_AT_DEG
    grown = np.clip((amplitude_deg - small) / (large - small), 0.0, 1.0)
    first, last = card.saccade_skew_small.value, card.saccade_skew_large.value
    return first + grown * (last - first)


def way_gone(card: GazeCard, amplitude_deg: np.ndarray, passed: np.ndarray) -> np.ndarray:
    """Return the share of the way that is behind after a share ``passed`` of the duration.

    The velocity rises from 0 to its peak and falls to 0 again along two mirrored polynomials, a
    mixture of ``2 x - x^2`` and ``3 x^2 - 2 x^3`` such that duration, peak and its time are those
    of the card, as far as ``PEAK_TO_MEAN`` allows.
    """
    mean = np.maximum(amplitude_deg, 1e-9) / duration_s(card, amplitude_deg)
    ratio = np.clip(peak_deg_s(card, amplitude_deg) / mean, *PEAK_TO_MEAN)
    mix = 6 * (2 / 3 - 1 / ratio)
    top = peak_at(card, amplitude_deg)
    rising = passed <= top
    x = np.clip(np.where(rising, passed / top, (1 - passed) / (1 - top)), 0.0, 1.0)
    below = (1 - mix) * (x * x - x * x * x / 3) + mix * (x * x * x - x * x * x * x / 2)
    return np.where(rising, ratio * top * below, 1 - ratio * (1 - top) * below)
