"""How much light a picture is made of, frame by frame, and of what colour that light is."""

import math

import numpy as np

from ..key import ClipKey
from .settings import OpticsSettings
from .transfer import LUMINANCE

WAVES = 32
DARKEST = 1e-4
"""Mean luminance below which exposure is not made longer."""


def exposure_stops(
    settings: OpticsSettings, key: ClipKey, time_s: np.ndarray, mean_light: np.ndarray
) -> np.ndarray:
    """Return the exposure of every frame ``[time]`` in stops.

    Args:
        settings: of the clips.
        key: the clip's.
        time_s: ``[time]``, of the frames.
        mean_light: ``[time]``: mean luminance of the frames before exposure, for adaptation.
    """
    spread = settings.exposure_spread_stops * key.generator("optics/exposure").standard_normal()
    stops = np.full(len(time_s), settings.exposure_stops + spread)
    if settings.drift_stops > 0:
        wander = drift(key.generator("optics/drift"), time_s, settings.drift_s)
        stops += settings.drift_stops * wander
    if settings.adaptation > 0:
        stops += settings.adaptation * adapted_stops(mean_light, time_s, settings.adaptation_s)
    return stops


def drift(rng: np.random.Generator, time_s: np.ndarray, correlation_s: float) -> np.ndarray:
    """Return a smooth stationary course ``[time]`` of variance 1, whatever the frame rate.

    Its correlation over t seconds is ``exp(-(t / correlation_s)^2 / 2)``: a sum of waves of random
    frequency and phase (Rahimi and Recht 2007).
    """
    frequency = rng.standard_normal(WAVES) / correlation_s
    phase = rng.uniform(0, 2 * math.pi, WAVES)
    return math.sqrt(2 / WAVES) * np.cos(time_s[:, None] * frequency + phase).sum(axis=1)


def adapted_stops(light: np.ndarray, time_s: np.ndarray, constant_s: float) -> np.ndarray:
    """Return the stops ``[time]`` that make up for changes of light since the first frame.

    They follow, as a low-pass of first order, minus the logarithm of the light.
    """
    wanted = -np.log2(np.maximum(light, DARKEST) / max(float(light[0]), DARKEST))
    stops = np.zeros(len(wanted))
    for at, step_s in enumerate(np.diff(time_s), start=1):
        kept = math.exp(-step_s / constant_s)
        stops[at] = kept * stops[at - 1] + (1 - kept) * wanted[at - 1]
    return stops


def white_balance(settings: OpticsSettings, key: ClipKey) -> np.ndarray:
    """Return the gains ``[3]`` of linear red, green and blue; grey keeps its luminance."""
    spread = settings.warmth_spread_stops * key.generator("optics/warmth").standard_normal()
    half = (settings.warmth_stops + spread) / 2
    gains = np.array([2.0**half, 1.0, 2.0**-half])
    return gains / (np.asarray(LUMINANCE) @ gains)
