"""What is looked at next.

One of a few places where lines of sight meet matter: an exponential saccade away from the present
one, on the ground ahead, or on a listed object; places straight ahead are preferred.
"""

import math
from dataclasses import dataclass

import numpy as np

from ...scenes.scene import Scene
from .. import steady
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
SHARE_OF_PLACES = 0.25
"""Weight of places that are known beside those that saccades are drawn to, of which there are fewer
the farther away they are."""


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


@dataclass(frozen=True)
class Fixation:
    """A point that is looked at for a while."""

    target: np.ndarray
    onset_s: float
    """When the saccade to the target starts."""
    landing_s: float
    amplitude_deg: float


def relative_to_head(
    path: BodyPath, target: np.ndarray, part: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Return azimuth and elevation of a target from straight ahead, at some instants."""
    yaw, pitch = angles_from_direction(target - path.position[part])
    return wrap_angle(yaw - path.head_yaw_rad[part]), pitch - path.head_pitch_rad[part]


def next_target(
    scene: Scene,
    task: GazeTask,
    path: BodyPath,
    at: int,
    last: Fixation | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, float]:
    """Return the next point to look at, and how far the eyes turn to get there."""
    at = min(at, len(path.position) - 1)
    head, yaw, pitch = path.position[at], path.head_yaw_rad[at], path.head_pitch_rad[at]
    now = np.zeros(2)
    if last:
        now = np.stack(relative_to_head(path, last.target, slice(at, at + 1)))[:, 0]
    saccades = _saccade_candidates(task, now, last is not None, rng)
    others = np.concatenate(
        [
            _ground_candidates(task, head, pitch, rng),
            _object_candidates(scene, head, (yaw, pitch), rng),
            np.zeros((1, 2)),
        ]
    )
    angles = np.concatenate([saccades, others])
    closeness = np.concatenate([np.ones(len(saccades)), _closeness(task, others, now, last)])
    limit = math.radians(task.card.gaze_limit_deg.value)
    within = steady.length(angles) <= limit
    angles, closeness = angles[within], closeness[within]
    directions = direction_from_angles(yaw + angles[:, 0], pitch + angles[:, 1])
    points = _seen_from(scene, task, head, directions)
    weight = closeness * _preference(scene, task, angles, points)
    if weight.sum() == 0:
        points = head + task.typical_distance * directions
        weight[-1] = 1.0
    cumulative = np.cumsum(weight)
    best = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
    return points[best], float(steady.length(angles[best] - now))


def _seen_from(
    scene: Scene, task: GazeTask, head: np.ndarray, directions: np.ndarray
) -> np.ndarray:
    """Return the points ``[n, 3]`` that lines of sight meet; NaN where too near, or none."""
    far = float(steady.length(np.ptp(np.asarray(scene.card.bounds, np.float64), axis=0)))
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
        return steady.normal(rng, (SACCADES_TRIED, 2)) / np.sqrt(
            np.multiply(spread, task.concentration)
        )
    amplitude = np.radians([task.card.saccade_deg.sample(rng) for _ in range(SACCADES_TRIED)])
    angle = rng.uniform(-math.pi, math.pi, SACCADES_TRIED)
    return now + amplitude[:, None] * np.stack(steady.sin_cos(angle)[::-1], axis=1)


def _closeness(
    task: GazeTask, angles: np.ndarray, now: np.ndarray, last: Fixation | None
) -> np.ndarray:
    """Return weights ``[k]`` of places by how far a saccade leads there, as saccades are drawn."""
    if last is None:
        return np.ones(len(angles))
    mean_rad = math.radians(task.card.saccade_deg.value)
    return SHARE_OF_PLACES * steady.exp(-steady.length(angles - now) / mean_rad)


def _ground_candidates(
    task: GazeTask, head: np.ndarray, pitch: float, rng: np.random.Generator
) -> np.ndarray:
    if task.floor_height is None:
        return np.zeros((0, 2))
    ahead = rng.uniform(*GROUND_AHEAD_M, GROUND_TRIED)
    elevation = -steady.atan2(head[2] - task.floor_height, ahead) - pitch
    return np.stack([GROUND_SPREAD_RAD * steady.normal(rng, GROUND_TRIED), elevation], axis=1)


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
    weight = steady.exp(factor * card.azimuth_concentration.value * (steady.cos(angles[:, 0]) - 1))
    weight *= steady.exp(
        factor * card.elevation_concentration.value * (steady.cos(angles[:, 1]) - 1)
    )
    if task.floor_height is not None:
        on_ground = points[:, 2] < task.floor_height + OBJECT_MARGIN
        weight = np.where(on_ground, card.ground_preference.value * weight, weight)
    on_object = np.zeros(len(points), dtype=bool)
    for thing in scene.card.objects:
        on_object |= thing.box.contains(points, margin_m=OBJECT_MARGIN)
    weight = np.where(on_object, card.object_preference.value * weight, weight)
    return np.where(np.isnan(points).any(axis=1), 0.0, weight)
