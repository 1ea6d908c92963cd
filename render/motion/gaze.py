"""Where the eyes look: fixations on surfaces, saccades between them, and blinks.

The next thing to look at is one of a few places where lines of sight meet matter: an exponential
saccade away from the present one, on the ground ahead, or on a listed object; places straight
ahead are preferred.
"""

import math
from dataclasses import dataclass

import numpy as np

from ...scenes.scene import Scene
from ..navigation.surfaces import first_hits
from ..observer.card import GazeCard
from ..rigid import angles_from_direction, direction_from_angles, wrap_angle
from .path import BodyPath

SACCADES_TRIED = 16
GROUND_TRIED = 4
GROUND_AHEAD_M = (1.5, 6.0)
GROUND_SPREAD_RAD = math.radians(8.0)
OBJECT_SHARE = 0.3
"""Objects are looked at within this share of their extent about the centre."""
OBJECT_MARGIN = 0.08
LIMIT_MARGIN_RAD = math.radians(5.0)


@dataclass(frozen=True, kw_only=True)
class GazeTask:
    """What the eyes have to deal with in one scene."""

    card: GazeCard
    floor_height: float | None
    """Height of the ground if it is walked on."""
    concentration: float = 1.0
    """Factor on the concentrations about straight ahead."""
    typical_distance: float = 3.0
    nearest: float = 0.0
    """Distance in world units below which nothing is looked at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GazeCourse:
    """The gaze at every instant."""

    target: np.ndarray
    """``[n, 3]`` in the world; during a saccade the one it leads to."""
    azimuth_rad: np.ndarray
    """``[n]``, counter-clockwise from the body path's head yaw."""
    elevation_rad: np.ndarray
    """``[n]``, above the body path's head pitch."""
    fixation_id: np.ndarray
    saccade: np.ndarray


@dataclass(frozen=True)
class _Fixation:
    target: np.ndarray
    onset_s: float
    """When the saccade to the target starts."""
    landing_s: float


def look_around(
    scene: Scene,
    task: GazeTask,
    path: BodyPath,
    time_s: np.ndarray,
    rng: np.random.Generator,
) -> GazeCourse:
    """Return the gaze of a head on ``path`` at times ``[n]``."""
    card = task.card
    fixations: list[_Fixation] = []
    next_s = -math.inf
    while not fixations or next_s <= time_s[-1]:
        duration_s = card.fixation_s.sample(rng)
        at = int(np.searchsorted(time_s, max(next_s, 0.0)))
        target, amplitude_rad = _next_target(scene, task, path, at, fixations, rng)
        if not fixations:
            onset_s = landing_s = -rng.random() * duration_s
        else:
            onset_s, landing_s = next_s, next_s + _saccade_s(card, amplitude_rad)
        fixations.append(_Fixation(target, onset_s, landing_s))
        next_s = _lost_s(card, path, time_s, fixations[-1], landing_s + duration_s)
    return _course(path, time_s, fixations)


def _saccade_s(card: GazeCard, amplitude_rad: float) -> float:
    degrees = math.degrees(amplitude_rad)
    return card.saccade_onset_s.value + card.saccade_s_per_deg.value * degrees


def _relative(path: BodyPath, target: np.ndarray, part: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return azimuth and elevation of a target from straight ahead, at some instants."""
    yaw, pitch = angles_from_direction(target - path.position[part])
    return wrap_angle(yaw - path.head_yaw_rad[part]), pitch - path.head_pitch_rad[part]


def _lost_s(
    card: GazeCard,
    path: BodyPath,
    time_s: np.ndarray,
    fixation: _Fixation,
    end_s: float,
) -> float:
    """Return when a fixation ends: as planned, or when its target leaves the eyes' range."""
    first, last = np.searchsorted(time_s, [max(fixation.landing_s, 0.0), end_s])
    if first >= last:
        return end_s
    azimuth, elevation = _relative(path, fixation.target, slice(first, last))
    outside = np.hypot(azimuth, elevation) > math.radians(card.eye_limit_deg.value)
    shortest = fixation.landing_s + (card.fixation_s.low or 0.05)
    return max(float(time_s[first + int(outside.argmax())]), shortest) if outside.any() else end_s


def _next_target(
    scene: Scene,
    task: GazeTask,
    path: BodyPath,
    at: int,
    fixations: list[_Fixation],
    rng: np.random.Generator,
) -> tuple[np.ndarray, float]:
    """Return the next point to look at, and how far the eyes turn to get there."""
    at = min(at, len(path.position) - 1)
    head, yaw, pitch = path.position[at], path.head_yaw_rad[at], path.head_pitch_rad[at]
    now = np.zeros(2)
    if fixations:
        now = np.stack(_relative(path, fixations[-1].target, slice(at, at + 1)))[:, 0]
    angles = np.concatenate(
        [
            _saccade_candidates(task, now, bool(fixations), rng),
            _ground_candidates(task, head, pitch, rng),
            _object_candidates(scene, head, (yaw, pitch), rng),
            np.zeros((1, 2)),
        ]
    )
    limit = math.radians(task.card.eye_limit_deg.value) - LIMIT_MARGIN_RAD
    angles = angles[np.hypot(angles[:, 0], angles[:, 1]) <= limit]
    directions = direction_from_angles(yaw + angles[:, 0], pitch + angles[:, 1])
    points = _seen_from(scene, task, head, directions)
    weight = _preference(scene, task, angles, points)
    if weight.sum() == 0:
        points = head + task.typical_distance * directions
        weight[-1] = 1.0
    cumulative = np.cumsum(weight)
    best = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
    return points[best], float(np.hypot(*(angles[best] - now)))


def _seen_from(
    scene: Scene, task: GazeTask, head: np.ndarray, directions: np.ndarray
) -> np.ndarray:
    """Return the points ``[n, 3]`` that lines of sight meet; NaN where too near, or none."""
    far = float(np.linalg.norm(np.ptp(np.asarray(scene.card.bounds), axis=0)))
    near = max(task.nearest / 2, 1e-3 * far)
    origins = np.broadcast_to(head, directions.shape)
    distance = first_hits(scene, origins, directions, near=near, far=far)
    distance = np.where(distance >= task.nearest, distance, np.nan)
    return head + distance[:, None] * directions


def _saccade_candidates(
    task: GazeTask, now: np.ndarray, is_looking: bool, rng: np.random.Generator
) -> np.ndarray:
    """Return azimuths and elevations ``[k, 2]`` one saccade away, or about straight ahead."""
    if not is_looking:
        spread = [task.card.azimuth_concentration.value, task.card.elevation_concentration.value]
        return rng.normal(size=(SACCADES_TRIED, 2)) / np.sqrt(
            np.multiply(spread, task.concentration)
        )
    amplitude = np.radians([task.card.saccade_deg.sample(rng) for _ in range(SACCADES_TRIED)])
    angle = rng.uniform(-math.pi, math.pi, SACCADES_TRIED)
    return now + amplitude[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _ground_candidates(
    task: GazeTask, head: np.ndarray, pitch: float, rng: np.random.Generator
) -> np.ndarray:
    if task.floor_height is None:
        return np.zeros((0, 2))
    ahead = rng.uniform(*GROUND_AHEAD_M, GROUND_TRIED)
    elevation = -np.arctan2(head[2] - task.floor_height, ahead) - pitch
    return np.stack([GROUND_SPREAD_RAD * rng.normal(size=GROUND_TRIED), elevation], axis=1)


def _object_candidates(
    scene: Scene, head: np.ndarray, head_angles: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    objects = scene.card.objects
    if not objects:
        return np.zeros((0, 2))
    centre = np.array([o.box.centre_m for o in objects])
    size = np.array([o.box.size_m for o in objects])
    points = centre + OBJECT_SHARE * rng.uniform(-0.5, 0.5, centre.shape) * size
    yaw, pitch = angles_from_direction(points - head)
    return np.stack([wrap_angle(yaw - head_angles[0]), pitch - head_angles[1]], axis=1)


def _preference(scene: Scene, task: GazeTask, angles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the weight ``[n]`` of each candidate: ahead, on the ground, on an object.

    Candidates without a point, NaN, weigh nothing.
    """
    card, factor = task.card, task.concentration
    weight = np.exp(factor * card.azimuth_concentration.value * (np.cos(angles[:, 0]) - 1))
    weight *= np.exp(factor * card.elevation_concentration.value * (np.cos(angles[:, 1]) - 1))
    if task.floor_height is not None:
        on_ground = points[:, 2] < task.floor_height + OBJECT_MARGIN
        weight = np.where(on_ground, card.ground_preference.value * weight, weight)
    on_object = np.zeros(len(points), dtype=bool)
    for thing in scene.card.objects:
        on_object |= thing.box.contains(points, margin_m=OBJECT_MARGIN)
    weight = np.where(on_object, card.object_preference.value * weight, weight)
    return np.where(np.isnan(points).any(axis=1), 0.0, weight)


def _course(path: BodyPath, time_s: np.ndarray, fixations: list[_Fixation]) -> GazeCourse:
    """Return the gaze: on a target throughout its fixation, gliding over during saccades."""
    n = len(time_s)
    ids = np.searchsorted([f.onset_s for f in fixations], time_s, side="right") - 1
    ids = np.maximum(ids, 0)
    target = np.stack([f.target for f in fixations])
    onset = np.array([f.onset_s for f in fixations])[ids]
    landing = np.array([f.landing_s for f in fixations])[ids]
    now = np.stack(_relative(path, target[ids], slice(0, n)))
    before = np.stack(_relative(path, target[np.maximum(ids - 1, 0)], slice(0, n)))
    saccade = time_s < landing
    share = np.ones(n)
    share[saccade] = ((time_s - onset) / np.maximum(landing - onset, 1e-9))[saccade]
    glide = share**3 * (10 - 15 * share + 6 * share**2)
    azimuth, elevation = before + glide * (now - before)
    return GazeCourse(
        target=target[ids],
        azimuth_rad=azimuth,
        elevation_rad=elevation,
        fixation_id=ids.astype(np.int64),
        saccade=saccade,
    )


def blinks(card: GazeCard, time_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return, for times ``[n]``, whether the lids are closed; log-normal time between blinks."""
    closed = np.zeros(len(time_s), dtype=bool)
    spread = card.blink_spread.value
    median_s = 60.0 / card.blinks_per_min.value * math.exp(-(spread**2) / 2)
    start_s = -rng.random() * median_s * math.exp(spread * rng.normal())
    while start_s <= time_s[-1]:
        closed |= (time_s >= start_s) & (time_s < start_s + card.blink_s.sample(rng))
        start_s += median_s * math.exp(spread * rng.normal())
    return closed
