"""Moving around an object: from training view to training view, looking where they looked.

A scene that is no place to walk in is trustworthy only near the photographs it was trained on, so
the head stays within the convex hull of their cameras, but for reaching towards what is looked at
now and then, to look closer.
"""

import math

import numpy as np

from .. import steady
from ..navigation.views import Views
from ..observer.card import BodyCard, Observer
from ..rigid import angles_from_direction, unit
from .bouts import steady_course
from .path import BodyPath, still

NEIGHBOURS = 6
POINTS_PER_LEG = 64
SMOOTHING_LEGS = 0.5
MOST_LEGS = 64


def move_between_views(
    views: Views, observer: Observer, rng: np.random.Generator, time_s: np.ndarray
) -> BodyPath:
    """Return a course at times ``[n]`` along a smoothed chain of neighbouring training views.

    Positions and looked-at points are averages of those of training views, at a steady speed of
    ``inspection_per_s`` times the distance to what is looked at.
    """
    speed = observer.body.inspection_per_s.value * views.distance
    chain = _chain(views, rng, 1.3 * speed * float(time_s[-1]))
    if observer.locomotion == "stand" or len(chain) == 1:
        yaw, pitch = angles_from_direction(views.look_point[chain[0]] - views.position[chain[0]])
        return still(views.position[chain[0]], float(yaw), float(pitch), len(time_s))
    position, look = (_rounded(points[chain]) for points in (views.position, views.look_point))
    arc = np.concatenate([[0.0], np.cumsum(steady.length(np.diff(position, axis=0)))])
    speed = min(speed, arc[-1] / max(float(time_s[-1]), 1e-9))
    at = speed * time_s
    place, target = (steady.interpolate(at, arc, points) for points in (position, look))
    yaw, pitch = angles_from_direction(target - place)
    yaw = np.unwrap(yaw)
    place = place + _reach(observer.body, rng, time_s)[:, None] * (target - place)
    return BodyPath(
        position=place,
        heading_rad=yaw,
        head_yaw_rad=yaw,
        head_pitch_rad=pitch,
        speed=np.full(len(time_s), speed),
        course=steady_course("walking", len(time_s)),
    )


def _reach(body: BodyCard, rng: np.random.Generator, time_s: np.ndarray) -> np.ndarray:
    """Return how far ``[n]`` the head has gone towards what it looks at, and back, smoothly."""
    reach = np.zeros(len(time_s))
    lasts_s, between_s = body.reach_s.value, 60 / body.reaches_per_min.value
    start_s = -between_s * rng.random()
    while start_s <= time_s[-1]:
        x = np.clip((time_s - start_s) / lasts_s, 0.0, 1.0)
        # Position, velocity and acceleration are those of rest at both ends.
        reach += body.reach.sample(rng) * 64 * (x * (1 - x)) ** 3
        start_s += lasts_s + max(between_s - lasts_s, 0.0) * 2 * rng.random()
    return reach


def _chain(views: Views, rng: np.random.Generator, length: float) -> list[int]:
    """Return views one after the other: each time the neighbour most nearly straight on."""
    position = views.position
    chain = [int(rng.integers(len(position)))]
    step = unit(steady.normal(rng, 3))
    passed = 0.0
    while passed < length and len(chain) <= min(MOST_LEGS, len(position) - 1):
        offset = position - position[chain[-1]]
        distance = steady.length(offset)
        distance[chain] = math.inf
        distance[distance < 1e-6 * views.distance] = math.inf
        near = np.argsort(distance, kind="stable")[:NEIGHBOURS]
        near = near[np.isfinite(distance[near])]
        if len(near) == 0:
            break
        straight = steady.dot(offset[near], step) / distance[near]
        # Straight on is good, far away is not: long steps cut through space no camera saw.
        best = int(near[np.argmax(straight - 0.5 * distance[near] / distance[near].max())])
        step = unit(step + unit(offset[best]))
        passed += float(distance[best])
        chain.append(best)
    return chain


def _rounded(points: np.ndarray) -> np.ndarray:
    """Return a smooth course through the neighbourhood of points ``[k, 3]``, in their hull."""
    at = np.linspace(0, len(points) - 1, POINTS_PER_LEG * (len(points) - 1) + 1)
    dense = steady.interpolate(at, np.arange(len(points), dtype=np.float64), points)
    return steady.smooth(dense, SMOOTHING_LEGS * POINTS_PER_LEG)
