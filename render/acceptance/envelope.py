"""How fast and how strongly the head is moved, and at which frequencies."""

import math

import numpy as np
from scipy.signal import welch

from .signals import Signals

GRAVITY_M_S2 = 9.81
SPECTRUM_HZ = np.geomspace(0.4, 25.0, 48)
SEGMENT_S = 5.0
KNEES_HZ = (0.8, 12.0)
"""Where a knee is looked for."""


def acceleration_g(signals: Signals) -> np.ndarray:
    """Return the size ``[n]`` of the head's linear acceleration in g, without gravity."""
    velocity = np.gradient(signals.head, signals.step_s, axis=0)
    acceleration = np.gradient(velocity, signals.step_s, axis=0)
    return np.linalg.norm(acceleration, axis=1) / GRAVITY_M_S2


def turn_spectrum(signals: Signals) -> np.ndarray:
    """Return the power density of the head's angular velocity at ``SPECTRUM_HZ``.

    Welch's method over windows of ``SEGMENT_S``, summed over three axes, in (deg/s)^2 per Hz.
    """
    length = min(round(SEGMENT_S / signals.step_s), len(signals.turn))
    hz, power = welch(np.degrees(signals.turn), 1 / signals.step_s, nperseg=length, axis=0)
    total = np.maximum(power.sum(axis=1), 1e-12)
    return np.exp(np.interp(np.log(SPECTRUM_HZ), np.log(hz[1:]), np.log(total[1:])))


def knee_hz(spectrum: np.ndarray) -> float:
    """Return where two straight lines, in logarithms of both, best meet along a spectrum.

    Args:
        spectrum: power ``[48]`` at ``SPECTRUM_HZ``.
    """
    x, y = np.log(SPECTRUM_HZ), np.log(spectrum)
    first, last = np.searchsorted(SPECTRUM_HZ, KNEES_HZ)
    errors = []
    for trial in range(first, last):
        design = np.stack([np.ones_like(x), x, np.maximum(x - x[trial], 0.0)], axis=1)
        solution = np.linalg.lstsq(design, y, rcond=None)[0]
        errors.append(float(np.sum((y - design @ solution) ** 2)))
    return math.exp(float(x[first + int(np.argmin(errors))]))
