"""Moving around an object: from training view to training view, looking where they looked.

A scene that is no place to walk in is trustworthy only near the photographs it was trained on, so
the head stays within the convex hull of their cameras.
"""

import math

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..navigation.views import Views
from ..observer.card import Observer
from ..rigid import angles_from_direction, unit
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
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(position, axis=0), axis=1))])
    speed = min(speed, arc[-1] / max(float(time_s[-1]), 1e-9))
    at = speed * time_s
    place = np.stack([np.interp(at, arc, position[:, axis]) for axis in range(3)], axis=1)
    target = np.stack([np.interp(at, arc, look[:, axis]) for axis in range(3)], axis=1)
    yaw, pitch = angles_from_direction(target - place)
    yaw = np.unwrap(yaw)
    return BodyPath(
        position=place,
        heading_rad=yaw,
        head_yaw_rad=yaw,
        head_pitch_rad=pitch,
        speed=np.full(len(time_s), speed),
    )


def _chain(views: Views, rng: np.random.Generator, length: float) -> list[int]:
    """Return views one after the other: each time the neighbour most nearly straight on."""
    position = views.position
    chain = [int(rng.integers(len(position)))]
    step = unit(rng.normal(size=3))
    passed = 0.0
    while passed < length and len(chain) <= min(MOST_LEGS, len(position) - 1):
        offset = position - position[chain[-1]]
        distance = np.linalg.norm(offset, axis=1)
        distance[chain] = math.inf
        distance[distance < 1e-6 * views.distance] = math.inf
        near = np.argsort(distance, kind="stable")[:NEIGHBOURS]
        near = near[np.isfinite(distance[near])]
        if len(near) == 0:
            break
        straight = offset[near] @ step / distance[near]
        # Straight on is good, far away is not: long steps cut through space no camera saw.
        best = int(near[np.argmax(straight - 0.5 * distance[near] / distance[near].max())])
        step = unit(step + unit(offset[best]))
        passed += float(distance[best])
        chain.append(best)
    return chain


def _rounded(points: np.ndarray) -> np.ndarray:
    """Return a smooth course through the neighbourhood of points ``[k, 3]``, in their hull."""
    at = np.linspace(0, len(points) - 1, POINTS_PER_LEG * (len(points) - 1) + 1)
    dense = [np.interp(at, np.arange(len(points)), points[:, axis]) for axis in range(3)]
    sigma = SMOOTHING_LEGS * POINTS_PER_LEG
    return gaussian_filter1d(np.stack(dense, axis=1), sigma, axis=0, mode="nearest")
