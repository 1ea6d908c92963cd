"""What a body did: its activities, its speed and its turns."""

import numpy as np
from scipy.signal import find_peaks

from ..motion.motion import ACTIVITIES, Motion
from .description import MotionFacts, Stretch, Turn
from .measure import bearing_deg, direction_of, metres, rounded

STANDING_M_S = 0.05
LEAST_TURN_DEG = 20.0
LEAST_STRETCH_S = 0.25
LEAST_WAY = 0.1
"""In metres; who gets no farther has no direction."""


def motion_facts(motion: Motion, *, is_metric: bool, extent: float) -> MotionFacts:
    """Return what the body of a clip did.

    Args:
        motion: the clip's.
        is_metric: whether the world is in metres.
        extent: size of the scene in world units, the scale of what is not in metres.
    """
    heading = np.degrees(motion.heading_rad)
    offset = motion.course.world_from_head[-1, :3, 3] - motion.course.world_from_head[0, :3, 3]
    least = LEAST_WAY if is_metric else LEAST_WAY / 10 * extent
    went = float(np.linalg.norm(offset[:2])) > least
    bearing = rounded(float(bearing_deg(offset, motion.heading_rad[0])))
    duration_s = float(motion.course.time_s[-1])
    stretches = _stretches(motion, is_metric=is_metric, extent=extent)
    speed = float(motion.speed.mean())
    return MotionFacts(
        activity=max(stretches, key=lambda s: s.end_s - s.start_s).activity,
        stretches=stretches,
        speed_m_s=metres(speed, is_metric=is_metric),
        way_m=metres(speed * duration_s, is_metric=is_metric),
        turn_deg=rounded(heading[-1] - heading[0]),
        turns=turns_of(heading),
        direction=direction_of(bearing) if went else None,
        direction_deg=bearing if went else None,
    )


def turns_of(heading_deg: np.ndarray) -> tuple[Turn, ...]:
    """Return the turns of 20 degrees or more in a course of headings ``[n]``, unwrapped.

    A turn ends where the heading goes back by as much.
    """
    peaks = [find_peaks(sign * heading_deg, prominence=LEAST_TURN_DEG)[0] for sign in (1, -1)]
    ends = np.unique(np.concatenate([[0, len(heading_deg) - 1], *peaks]).astype(int))
    steps: list[float] = []
    for step in np.diff(heading_deg[ends]):
        if abs(step) < LEAST_TURN_DEG:
            continue
        if steps and steps[-1] * step > 0:
            steps[-1] += float(step)
        else:
            steps.append(float(step))
    return tuple(
        Turn(side="left" if step > 0 else "right", angle_deg=rounded(abs(step))) for step in steps
    )


def _stretches(motion: Motion, *, is_metric: bool, extent: float) -> tuple[Stretch, ...]:
    names = _activities(motion, STANDING_M_S if is_metric else 1e-3 * extent)
    time_s = motion.course.time_s
    starts = _starts(names, time_s)
    stops = [*starts[1:], len(names)]
    return tuple(
        Stretch(
            activity=str(names[first]),
            start_s=rounded(time_s[first]),
            end_s=rounded(time_s[min(stop, len(names) - 1)]),
            speed_m_s=metres(motion.speed[first:stop].mean(), is_metric=is_metric),
        )
        for first, stop in zip(starts, stops, strict=True)
    )


def _activities(motion: Motion, standing_speed: float) -> np.ndarray:
    """Return the activity ``[n]`` of each instant; walking without steps is moving."""
    names = np.asarray(ACTIVITIES, dtype=object)[motion.activity]
    steps = np.ptp(motion.course.gait_phase_rad) > 0 or len(names) == 1
    if not steps:
        names[names == "walking"] = "moving"
    names[names == "carried"] = "moving"
    slow = motion.speed <= standing_speed
    names[slow & np.isin(names, ["walking", "crawling", "moving"])] = "standing"
    return names


def _starts(names: np.ndarray, time_s: np.ndarray) -> list[int]:
    """Return where each activity begins; one that is over at once belongs to the one before."""
    starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1)]
    kept = [0]
    for first, stop in zip(starts[1:], [*starts[2:], len(names)], strict=False):
        lasts = time_s[min(stop, len(names) - 1)] - time_s[first] >= LEAST_STRETCH_S
        if lasts and names[first] != names[kept[-1]]:
            kept.append(int(first))
    return kept
