"""Where the eyes look, how far they turn, how they converge, and when their lids are closed."""

import math

import numpy as np

from .signals import Signals, angle_between, runs

GROUND_MARGIN_M = 0.08


def eccentricity_deg(signals: Signals) -> np.ndarray:
    """Return how far ``[n]`` the eyes are turned from straight ahead in the head."""
    return np.degrees(angle_between(signals.gaze, signals.axes[:, :, 2]))


def gaze_from_heading_deg(signals: Signals) -> np.ndarray:
    """Return azimuth (left) and elevation ``[k, 2]`` of gaze from the direction of travel.

    Only while the body travels, which is horizontally.
    """
    gaze = signals.gaze[signals.is_moving]
    azimuth = np.arctan2(gaze[:, 1], gaze[:, 0]) - signals.path_heading[signals.is_moving]
    azimuth = (azimuth + math.pi) % (2 * math.pi) - math.pi
    return np.degrees(np.stack([azimuth, np.arcsin(np.clip(gaze[:, 2], -1, 1))], axis=1))


def on_ground(points: np.ndarray, floor_height: float) -> np.ndarray:
    """Return, for points ``[k, 3]``, whether they lie on the ground."""
    return points[:, 2] < floor_height + GROUND_MARGIN_M


def vergence_demand_rad(eyes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the angle ``[k]`` under which points ``[k, 3]`` see the eyes ``[k, 2, 3]``.

    It is the vergence that fixating the points takes.
    """
    return angle_between(points - eyes[:, 0], points - eyes[:, 1])


def closures(signals: Signals) -> tuple[int, np.ndarray]:
    """Return how many blinks start in a clip, and how long ``[k]`` the whole ones last, in s."""
    found = runs(signals.blink)
    whole = [part for part in found if part.start > 0 and part.stop < len(signals.blink)]
    started = sum(part.start > 0 for part in found)
    return started, np.array([(part.stop - part.start) * signals.step_s for part in whole])
