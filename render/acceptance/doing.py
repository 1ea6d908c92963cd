"""What a body does over time: steps, bouts of walking, falls, and shares of each activity."""

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt

from ..motion.motion import ACTIVITIES
from .signals import Signals, runs, smoothed

STEP_BAND_HZ = (0.8, 5.0)
STEP_PROMINENCE_M = 0.002
"""A bob of less than this, from top to bottom, is no step."""
WALKING_M_S = 0.15
LEAST_BOUT_S = 0.3
BOUT_SMOOTHING_S = 0.2
"""Standard deviation of the Gaussian that speed goes through: a bout from rest to 0.8 m/s and back
looks a third of a second longer."""
FALL_SHARE = 0.2
"""A fall takes at least this share of the upright height."""
FALL_M_S = 0.35
"""The head falls at least this fast. Assumption: sitting down on purpose is slower."""
FALL_SMOOTHING_S = 0.08


def steps(signals: Signals) -> int:
    """Return how many steps there are: lowest points of the head's height while it travels."""
    if len(signals.head) < 3 * 30:
        return 0
    rate = 1 / signals.step_s
    band = butter(2, STEP_BAND_HZ, "bandpass", fs=rate, output="sos")
    height = sosfiltfilt(band, signals.head[:, 2])
    lowest, _ = find_peaks(-height, prominence=STEP_PROMINENCE_M, distance=round(0.2 * rate))
    fallen = _falling(signals)
    return int(np.sum((signals.path_speed[lowest] > WALKING_M_S) & ~fallen[lowest]))


def bouts_s(signals: Signals) -> tuple[int, np.ndarray]:
    """Return how many bouts of travel start in a clip, and how long ``[k]`` the whole ones are."""
    least = LEAST_BOUT_S / signals.step_s
    velocity = np.gradient(signals.head[:, :2], signals.step_s, axis=0)
    speed = np.linalg.norm(smoothed(velocity, signals.step_s, BOUT_SMOOTHING_S), axis=1)
    found = [run for run in runs(speed > WALKING_M_S) if run.stop - run.start > least]
    end = len(signals.head)
    whole = [run for run in found if run.start > 0 and run.stop < end]
    started = sum(run.start > 0 for run in found)
    return started, np.array([(run.stop - run.start) * signals.step_s for run in whole])


def falls(signals: Signals, floor_height: float) -> int:
    """Return how often the head falls: fast, by a good share of its height when upright."""
    upright = float(np.quantile(signals.head[:, 2], 0.95)) - floor_height
    height = smoothed(signals.head[:, 2], signals.step_s, FALL_SMOOTHING_S)
    drops = [height[run.start] - height[run.stop - 1] for run in runs(_falling(signals))]
    return sum(float(drop) > FALL_SHARE * upright for drop in drops)


def activity_shares(signals: Signals) -> np.ndarray:
    """Return which share ``[7]`` of the time each of ``ACTIVITIES`` takes."""
    counts = np.bincount(signals.activity.astype(int), minlength=len(ACTIVITIES))
    return counts / len(signals.activity)


def _falling(signals: Signals) -> np.ndarray:
    height = smoothed(signals.head[:, 2], signals.step_s, FALL_SMOOTHING_S)
    fast = np.gradient(height, signals.step_s) < -FALL_M_S
    falling = np.zeros(len(height), dtype=bool)
    for run in runs(fast):
        falling[_slope(height, run)] = True
    return falling


def _slope(height: np.ndarray, run: slice) -> slice:
    """Return the whole way down of which ``run`` is the steep part."""
    start, stop = run.start, run.stop
    while start > 0 and height[start - 1] > height[start]:
        start -= 1
    while stop < len(height) and height[stop] < height[stop - 1]:
        stop += 1
    return slice(start, stop)
