"""A body's way over the ground: a smooth path free of collisions, and its course in time."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ...scenes.scene import Scene
from ..navigation.ground import Ground, NoPath
from ..navigation.navigation import Routes
from ..navigation.surfaces import first_hits
from ..observer.card import Body, Observer
from ..rigid import wrap_angle

SPACING_M = 0.02
SMOOTHINGS_M = (0.4, 0.3, 0.2, 0.12, 0.06, 0.0)
"""Standard deviations tried in turn until the smoothed path keeps its distance from matter."""
MOST_LEGS = 24
GOALS_TRIED = 24
SHORTEST_LEG_M = 0.6
HEADINGS_TRIED = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class BodyPath:
    """The course of the point midway between the eyes, before gait."""

    position: np.ndarray
    """``[n, 3]`` in the world."""
    heading_rad: np.ndarray
    """``[n]``: yaw of the body, unwrapped."""
    head_yaw_rad: np.ndarray
    """``[n]``: yaw of the head while it looks where it is going."""
    head_pitch_rad: np.ndarray
    speed: np.ndarray
    """``[n]``, world units per second."""


def walk(
    ground: Ground,
    routes: Routes,
    observer: Observer,
    body: Body,
    rng: np.random.Generator,
    time_s: np.ndarray,
) -> BodyPath:
    """Return a walk over the ground at times ``[n]`` (seconds, ascending from 0).

    The walker keeps to the drawn speed, slows down in turns, and walks on from goal to goal; in
    places too small for that the whole walk is slower, so that it fits.

    Raises:
        NoPath: the free ground is too small to go anywhere.
    """
    lead_s = observer.gait.turn_lead_s.value
    end_s = float(time_s[-1]) + lead_s
    polyline = _route(ground, routes, rng, body.walking_speed_m_s * end_s)
    xy = _smooth(ground, polyline, observer.body.radius_m.value)
    arc_m, heading = _arc_and_heading(xy)
    turning = math.radians(observer.body.turning_deg_s.value)
    slowness = _seconds_per_metre(arc_m, heading, body.walking_speed_m_s, turning)
    passed_s = np.concatenate(
        [[0.0], np.cumsum(np.diff(arc_m) * (slowness[1:] + slowness[:-1]) / 2)]
    )
    stretch = max(1.0, end_s / passed_s[-1])
    passed_s, slowness = passed_s * stretch, slowness * stretch
    ahead = np.interp(time_s + lead_s, passed_s, heading)
    now = np.interp(time_s, passed_s, heading)
    most = math.radians(observer.gait.turn_lead_deg.value)
    x, y = (np.interp(time_s, passed_s, xy[:, axis]) for axis in (0, 1))
    height = np.full(len(time_s), ground.floor_height_m + body.eye_height_m)
    return BodyPath(
        position=np.stack([x, y, height], axis=1),
        heading_rad=now,
        head_yaw_rad=now + np.clip(ahead - now, -most, most),
        head_pitch_rad=np.zeros(len(time_s)),
        speed=1 / np.interp(time_s, passed_s, slowness),
    )


def stand(
    scene: Scene, ground: Ground, body: Body, rng: np.random.Generator, time_s: np.ndarray
) -> BodyPath:
    """Return a stay at one free place, facing a random direction, open ones preferred."""
    cells = np.argwhere(ground.reachable)
    place = cells[_draw(rng, ground.coverage[tuple(cells.T)])]
    position = np.append(ground.centre_of(place), ground.floor_height_m + body.eye_height_m)
    yaw = rng.uniform(-math.pi, math.pi, HEADINGS_TRIED)
    directions = np.stack([np.cos(yaw), np.sin(yaw), np.zeros_like(yaw)], axis=1)
    origins = np.broadcast_to(position, directions.shape)
    reach = float(np.ptp(np.asarray(scene.card.bounds), axis=0).max())
    open_m = np.nan_to_num(first_hits(scene, origins, directions, near=0.1, far=reach), nan=reach)
    return still(position, float(yaw[_draw(rng, open_m)]), 0.0, len(time_s))


def still(position: np.ndarray, yaw_rad: float, pitch_rad: float, steps: int) -> BodyPath:
    """Return a stay of ``steps`` instants at one place."""
    return BodyPath(
        position=np.tile(position, (steps, 1)),
        heading_rad=np.full(steps, yaw_rad),
        head_yaw_rad=np.full(steps, yaw_rad),
        head_pitch_rad=np.full(steps, pitch_rad),
        speed=np.zeros(steps),
    )


def _draw(rng: np.random.Generator, weight: np.ndarray) -> int:
    """Return an index drawn in proportion to the weights, with one number of the generator."""
    cumulative = np.cumsum(weight)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def _route(ground: Ground, routes: Routes, rng: np.random.Generator, length_m: float) -> np.ndarray:
    """Return a polyline ``[n, 2]`` over cell centres, at least ``length_m`` long if it can be.

    Each leg leads to the one of some random goals that needs the least turning on the spot.
    """
    weight = ground.coverage[tuple(routes.cells.T)]
    node = _draw(rng, weight)
    points = ground.centre_of(routes.cells[node])[None]
    for _ in range(MOST_LEGS):
        cost, predecessors = routes.from_node(node)
        longest = float(cost[np.isfinite(cost)].max())
        wanted = min(SHORTEST_LEG_M, 0.5 * longest)
        far_enough = np.where(np.isfinite(cost) & (cost >= max(wanted, 1e-9)), weight, 0.0)
        if far_enough.sum() == 0:
            raise NoPath("no path: the free ground is a single place")
        goals = [_draw(rng, far_enough) for _ in range(GOALS_TRIED)]
        legs = [ground.centre_of(routes.cells[_trace(predecessors, goal)]) for goal in goals]
        best = int(np.argmin([_detour(points, leg) for leg in legs]))
        points, node = np.concatenate([points, legs[best][1:]]), goals[best]
        if np.linalg.norm(np.diff(points, axis=0), axis=1).sum() >= 1.1 * length_m:
            break
    return points


def _trace(predecessors: np.ndarray, goal: int) -> list[int]:
    nodes = [goal]
    while predecessors[nodes[-1]] >= 0:
        nodes.append(int(predecessors[nodes[-1]]))
    return nodes[::-1]


def _detour(points: np.ndarray, leg: np.ndarray) -> float:
    """Return how unwelcome a leg is: the turn at its start, less some for its length."""
    length_m = 0.05 * len(leg)
    if len(points) < 2:
        return -length_m
    before, after = points[-1] - points[-min(len(points), 8)], leg[min(len(leg) - 1, 7)] - leg[0]
    turn = wrap_angle(math.atan2(after[1], after[0]) - math.atan2(before[1], before[0]))
    return abs(float(turn)) - 0.1 * length_m


def _smooth(ground: Ground, polyline: np.ndarray, radius_m: float) -> np.ndarray:
    """Return the polyline, resampled and smoothed as far as it stays clear of matter."""
    arc_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(polyline, axis=0), axis=1))])
    at = np.arange(0.0, arc_m[-1] + SPACING_M, SPACING_M)
    dense = np.stack([np.interp(at, arc_m, polyline[:, axis]) for axis in (0, 1)], axis=1)
    for sigma_m in SMOOTHINGS_M:
        smooth = dense
        if sigma_m > 0:
            smooth = gaussian_filter1d(dense, sigma_m / SPACING_M, axis=0, mode="nearest")
        if np.all(ground.clearance_at(smooth) >= radius_m - 1e-9):
            return smooth
    raise NoPath("no path: the way found runs into matter")


def _arc_and_heading(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    steps = np.linalg.norm(np.diff(xy, axis=0), axis=1)
    keep = np.concatenate([[True], steps > 1e-6])
    xy_kept = xy[keep]
    arc_m = np.concatenate([[0.0], np.cumsum(steps)])
    tangent = np.gradient(xy_kept, axis=0)
    heading = np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0]))
    heading = gaussian_filter1d(heading, 0.1 / SPACING_M, mode="nearest")
    return arc_m, np.interp(arc_m, arc_m[keep], heading)


def _seconds_per_metre(
    arc_m: np.ndarray, heading: np.ndarray, speed_m_s: float, turning_rad_s: float
) -> np.ndarray:
    """Return 1 / v with ``v = v0 / sqrt(1 + (curvature v0 / turning)^2)``."""
    spacing = np.maximum(np.gradient(arc_m), 1e-4)
    curvature = np.gradient(heading) / spacing
    return np.sqrt(1 + (curvature * speed_m_s / turning_rad_s) ** 2) / speed_m_s
