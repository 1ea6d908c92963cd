"""Where the eyes look: fixations on surfaces and saccades between them."""

import math
from dataclasses import dataclass

import numpy as np

from ...scenes.scene import Scene
from .. import steady
from ..observer.card import GazeCard
from .fixations import Fixation, GazeTask, next_target, relative_to_head
from .path import BodyPath
from .saccades import duration_s, way_gone
from .stabilise import strayed

LARGEST_UNDERSHOOT = 0.1
"""Saccades fall short by at most this share of their amplitude."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GazeCourse:
    """The gaze at every instant, as it is meant to be."""

    target: np.ndarray
    """``[n, 3]`` in the world; during a saccade the one it leads to."""
    before: np.ndarray
    """``[n, 3]``: the target before that."""
    azimuth_rad: np.ndarray
    """``[n]``, counter-clockwise from the body path's head yaw."""
    elevation_rad: np.ndarray
    """``[n]``, above the body path's head pitch."""
    way: np.ndarray
    """``[n]``: share of the way from the target before to this one, 1 but in saccades."""
    onset: np.ndarray
    """int ``[n]``: instant at which the saccade to the target begins."""
    landing: np.ndarray
    """int ``[n]``: instant at which it ends."""
    undershoot_rad: np.ndarray
    """``[n, 2]``: azimuth and elevation by which the target is missed at landing."""
    fixation_id: np.ndarray
    saccade: np.ndarray


def look_around(  # noqa: PLR0913 - the world, the task, the way and the time
    scene: Scene,
    task: GazeTask,
    path: BodyPath,
    time_s: np.ndarray,
    rng: np.random.Generator,
    *,
    chosen_from: BodyPath | None = None,
) -> GazeCourse:
    """Return the gaze of a head on ``path`` at times ``[n]``.

    Targets are chosen as if the head were on the path ``chosen_from``, if that is given.
    """
    chosen_from = chosen_from or path
    card = task.card
    fixations: list[Fixation] = []
    next_s = -math.inf
    while not fixations or next_s <= time_s[-1]:
        lasts_s = card.fixation_s.sample(rng)
        at = int(np.searchsorted(time_s, max(next_s, 0.0)))
        last = fixations[-1] if fixations else None
        target, amplitude_rad = next_target(scene, task, chosen_from, at, last, rng)
        amplitude_deg = math.degrees(amplitude_rad)
        onset_s = landing_s = -rng.random() * lasts_s
        if last:
            onset_s = next_s
            landing_s = next_s + float(duration_s(card, np.array(amplitude_deg)))
        fixations.append(Fixation(target, onset_s, landing_s, amplitude_deg))
        next_s = _lost_s(card, chosen_from, time_s, fixations[-1], landing_s + lasts_s)
    return _course(card, path, time_s, fixations)


def _lost_s(
    card: GazeCard, path: BodyPath, time_s: np.ndarray, fixation: Fixation, end_s: float
) -> float:
    """Return when a fixation ends: as planned, or when its target leaves the eyes' range."""
    first, last = np.searchsorted(time_s, [max(fixation.landing_s, 0.0), end_s])
    if first >= last:
        return end_s
    angles = np.stack(relative_to_head(path, fixation.target, slice(first, last)), axis=1)
    outside = steady.length(angles) > 1.05 * math.radians(card.gaze_limit_deg.value)
    shortest = fixation.landing_s + (card.fixation_s.low or 0.05)
    return max(float(time_s[first + int(outside.argmax())]), shortest) if outside.any() else end_s


def _course(
    card: GazeCard, path: BodyPath, time_s: np.ndarray, fixations: list[Fixation]
) -> GazeCourse:
    """Return the gaze: on a target throughout its fixation, under way to it in saccades."""
    n = len(time_s)
    onsets_s = np.array([f.onset_s for f in fixations])
    landings_s = np.array([f.landing_s for f in fixations])
    ids = np.maximum(np.searchsorted(onsets_s, time_s, side="right") - 1, 0)
    target = np.stack([f.target for f in fixations])
    before = target[np.maximum(ids - 1, 0)]
    now = np.stack(relative_to_head(path, target[ids], slice(0, n)), axis=1)
    then = np.stack(relative_to_head(path, before, slice(0, n)), axis=1)
    saccade = time_s < landings_s[ids]
    passed = (time_s - onsets_s[ids]) / np.maximum(landings_s - onsets_s, 1e-9)[ids]
    amplitude_deg = np.array([f.amplitude_deg for f in fixations])[ids]
    way = np.where(saccade, way_gone(card, amplitude_deg, np.clip(passed, 0.0, 1.0)), 1.0)
    azimuth, elevation = (then + way[:, None] * (now - then)).T
    landing = np.minimum(np.searchsorted(time_s, landings_s), n - 1)[ids]
    missed = _undershoot(card, now[landing] - then[landing]) * (landings_s > onsets_s)[ids, None]
    return GazeCourse(
        target=target[ids],
        before=before,
        azimuth_rad=azimuth,
        elevation_rad=elevation,
        way=way,
        onset=np.minimum(np.searchsorted(time_s, onsets_s), n - 1)[ids],
        landing=landing,
        undershoot_rad=missed,
        fixation_id=ids.astype(np.int64),
        saccade=saccade,
    )


def _undershoot(card: GazeCard, way: np.ndarray) -> np.ndarray:
    """Return by how much ``[n, 2]`` saccades along ``way`` ``[n, 2]`` fall short."""
    amplitude = steady.length(way)
    short = np.minimum(
        math.radians(card.saccade_undershoot_deg.value), LARGEST_UNDERSHOOT * amplitude
    )
    return -way * (short / np.maximum(amplitude, 1e-9))[:, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sight:
    """Where the eyes really look at every instant ``[n]``."""

    yaw_rad: np.ndarray
    pitch_rad: np.ndarray
    distance: np.ndarray
    """Distance for which the eyes would converge without any gain."""


def sight_of(
    card: GazeCard, course: GazeCourse, path: BodyPath, heads: np.ndarray, step_s: float
) -> Sight:
    """Return the line of sight of a moving head ``[n, 4, 4]``: the course, and what it misses.

    In a saccade vergence changes as the direction does: most of it is intrasaccadic (Collewijn
    and Erkelens).
    """
    miss = course.undershoot_rad + strayed(card, heads, course.target, course.landing, step_s)
    started = miss[np.maximum(course.onset - 1, 0)]
    way = course.way[:, None]
    miss = np.where(
        course.saccade[:, None], started + way * (course.undershoot_rad - started), miss
    )
    position = heads[:, :3, 3]
    far, was_far = (steady.length(at - position) for at in (course.target, course.before))
    nearness = 1 / was_far + course.way * (1 / far - 1 / was_far)
    return Sight(
        yaw_rad=path.head_yaw_rad + course.azimuth_rad + miss[:, 0],
        pitch_rad=path.head_pitch_rad + course.elevation_rad + miss[:, 1],
        distance=1 / nearness,
    )
