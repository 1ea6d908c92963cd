"""Saccades and fixations found in the velocity of the line of sight.

A velocity-threshold detector as eye trackers use it, on the direction of gaze in space. What moves
slowly while a point is held (the body passes by, the head turns under an eye that stays) is taken
off as a running median before the threshold is applied.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from .signals import Signals, angle_between, runs

THRESHOLD_DEG_S = 20.0
"""A main sequence of 502 (1 - exp(-A / 12)) deg/s exceeds this from half a degree on."""
EDGE_DEG_S = 10.0
"""Onset and end are where the velocity falls below this."""
BACKGROUND_S = 0.35
LEAST_AMPLITUDE_DEG = 0.5
JOIN_S = 0.012
"""Movements closer together than this are one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Saccades:
    """Saccades of one clip, each ``[k]``."""

    first: np.ndarray
    """Last instant before the eyes move."""
    last: np.ndarray
    """First instant at which they rest."""
    amplitude_deg: np.ndarray
    """Angle between the directions before and after."""
    peak_deg_s: np.ndarray
    duration_s: np.ndarray
    peak_share: np.ndarray
    """When the peak is reached, as a share of the duration."""
    whole: np.ndarray
    """Whether both ends lie in the clip."""


def find_saccades(gaze: np.ndarray, step_s: float) -> Saccades:
    """Return the saccades in unit directions ``[n, 3]``, ``step_s`` apart, in order."""
    velocity = np.gradient(gaze, step_s, axis=0)
    width = 2 * round(BACKGROUND_S / step_s / 2) + 1
    background = median_filter(velocity, size=(width, 1), mode="nearest")
    speed = np.degrees(np.linalg.norm(velocity - background, axis=1))
    found = [_stretched(part, speed) for part in runs(speed > THRESHOLD_DEG_S)]
    parts = _joined(found, max(1, round(JOIN_S / step_s)))
    rows = [_row(gaze, speed, part, step_s) for part in parts]
    table = np.array([row for row in rows if row[2] >= LEAST_AMPLITUDE_DEG]).reshape(-1, 7)
    return Saccades(
        first=table[:, 0].astype(int),
        last=table[:, 1].astype(int),
        amplitude_deg=table[:, 2],
        peak_deg_s=table[:, 3],
        duration_s=table[:, 4],
        peak_share=table[:, 5],
        whole=table[:, 6] > 0,
    )


def fixations(saccades: Saccades) -> list[slice]:
    """Return the stretches between one saccade's end and the next one's onset."""
    pairs = zip(saccades.last[:-1], saccades.first[1:], strict=True)
    return [slice(int(start), int(stop) + 1) for start, stop in pairs if stop > start]


def landing_errors_deg(signals: Signals, saccades: Saccades) -> np.ndarray:
    """Return how far each saccade ``[k]`` falls short of the target, along its own way.

    Positive where the gaze ends before the target, which is that of the instant of landing.
    """
    if not len(saccades.first):
        return np.zeros(0)
    start, end = signals.gaze[saccades.first], signals.gaze[saccades.last]
    wanted = signals.target[saccades.last] - signals.eyes[saccades.last].mean(axis=1)
    wanted = wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
    way = end - start
    way = way - end * np.sum(way * end, axis=1, keepdims=True)
    way = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)
    return np.degrees(np.sum((wanted - end) * way, axis=1))


def _stretched(part: slice, speed: np.ndarray) -> slice:
    start, stop = part.start, part.stop - 1
    while start > 0 and speed[start - 1] > EDGE_DEG_S and speed[start - 1] <= speed[start]:
        start -= 1
    while stop < len(speed) - 1 and speed[stop + 1] > EDGE_DEG_S and speed[stop + 1] <= speed[stop]:
        stop += 1
    return slice(start, stop + 1)


def _joined(parts: list[slice], gap: int) -> list[slice]:
    joined: list[slice] = []
    for part in parts:
        if joined and part.start - joined[-1].stop < gap:
            joined[-1] = slice(joined[-1].start, max(part.stop, joined[-1].stop))
        else:
            joined.append(part)
    return joined


def _row(gaze: np.ndarray, speed: np.ndarray, part: slice, step_s: float) -> tuple[float, ...]:
    """Return first, last, amplitude, peak, duration, share of the peak, and whether it is whole.

    Ends are where the velocity, between instants, crosses the edge; central differences see the
    movement one instant before it starts and after it ends, which is why both are moved inwards.
    """
    first, last = max(part.start - 1, 0), min(part.stop, len(speed) - 1)
    amplitude = math.degrees(float(angle_between(gaze[first], gaze[last])))
    onset = _crossing(speed, part.start, -1) + 0.5
    end = _crossing(speed, part.stop - 1, 1) - 0.5
    peak, place = _peak(speed, part)
    duration = max(end - onset, 1e-9)
    whole = part.start > 1 and part.stop < len(speed) - 1
    return first, last, amplitude, peak, duration * step_s, (place - onset) / duration, float(whole)


def _crossing(speed: np.ndarray, at: int, way: int) -> float:
    beyond = at + way
    if not 0 <= beyond < len(speed) or speed[beyond] >= speed[at]:
        return float(at)
    share = (speed[at] - EDGE_DEG_S) / (speed[at] - speed[beyond])
    return at + way * float(np.clip(share, 0.0, 1.0))


def _peak(speed: np.ndarray, part: slice) -> tuple[float, float]:
    """Return the greatest speed and where it is, by a parabola through three instants."""
    best = part.start + int(speed[part].argmax())
    if not 0 < best < len(speed) - 1:
        return float(speed[best]), float(best)
    before, here, after = speed[best - 1 : best + 2]
    bend = before - 2 * here + after
    shift = float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
    return float(here - (before - after) * shift / 4), best + shift
