"""A body's way over the ground: a smooth path free of collisions, and its course in time."""

import math
from dataclasses import dataclass

import numpy as np

from ...scenes.scene import Scene
from .. import steady
from ..navigation.ground import Ground, NoPath
from ..navigation.navigation import Routes
from ..navigation.surfaces import first_hits
from ..observer.card import Body, Observer
from ..rigid import direction_from_angles, wrap_angle
from .bouts import Course, steady_course

SPACING_M = 0.02
SMOOTHINGS_M = (0.4, 0.3, 0.2, 0.12, 0.06, 0.0)
"""Standard deviations tried in turn until the smoothed path keeps its distance from matter."""
MOST_LEGS = 24
INERTIA_S = 0.1
"""Standard deviation in time over which a body changes its velocity; a polyline has none."""
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
    course: Course
    """What the body does there."""


def walk(  # noqa: PLR0913 - who walks where and when, and what is random about it
    ground: Ground,
    routes: Routes,
    observer: Observer,
    body: Body,
    rng: np.random.Generator,
    time_s: np.ndarray,
    course: Course,
) -> BodyPath:
    """Return a walk over the ground at times ``[n]`` (seconds, evenly spaced from 0).

    The walker keeps to the drawn speed times the course's pace, slows down in turns, and walks on
    from goal to goal; in places too small for that the whole walk is slower, so that it fits.

    Raises:
        NoPath: the free ground is too small to go anywhere.
    """
    lead_s = observer.gait.turn_lead_s.value
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else 1.0
    margin = math.ceil(steady.MOST_SIGMAS * INERTIA_S / step_s)
    pace = np.pad(course.pace, margin, mode="edge")
    gone_s = np.cumsum(pace) * step_s
    end_s = float(gone_s[-1]) + lead_s
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

    def with_inertia(values: np.ndarray) -> np.ndarray:
        return steady.smooth(values, INERTIA_S / step_s)[margin : margin + len(time_s)]

    most = math.radians(observer.gait.turn_lead_deg.value)
    now = steady.interpolate(gone_s, passed_s, heading)
    ahead = steady.interpolate(gone_s + lead_s, passed_s, heading)
    speed = steady.interpolate(gone_s, passed_s, 1 / slowness)
    place = with_inertia(steady.interpolate(gone_s, passed_s, xy))
    height = ground.floor_height_m + body.eye_height_m * course.height
    return BodyPath(
        position=np.concatenate([place, height[:, None]], axis=1),
        heading_rad=with_inertia(now),
        head_yaw_rad=with_inertia(now + np.clip(ahead - now, -most, most)),
        head_pitch_rad=course.pitch_rad,
        speed=course.pace * with_inertia(speed),
        course=course,
    )


def stand(
    scene: Scene, ground: Ground, body: Body, rng: np.random.Generator, time_s: np.ndarray
) -> BodyPath:
    """Return a stay at one free place, facing a random direction, open ones preferred."""
    cells = np.argwhere(ground.reachable)
    place = cells[draw(rng, ground.coverage[tuple(cells.T)])]
    position = np.append(ground.centre_of(place), ground.floor_height_m + body.eye_height_m)
    yaw = rng.uniform(-math.pi, math.pi, HEADINGS_TRIED)
    directions = direction_from_angles(yaw, np.zeros_like(yaw))
    origins = np.broadcast_to(position, directions.shape)
    reach = float(np.ptp(np.asarray(scene.card.bounds), axis=0).max())
    open_m = np.nan_to_num(first_hits(scene, origins, directions, near=0.1, far=reach), nan=reach)
    return still(position, float(yaw[draw(rng, open_m)]), 0.0, len(time_s))


def still(position: np.ndarray, yaw_rad: float, pitch_rad: float, steps: int) -> BodyPath:
    """Return a stay of ``steps`` instants at one place."""
    return BodyPath(
        position=np.tile(position, (steps, 1)),
        heading_rad=np.full(steps, yaw_rad),
        head_yaw_rad=np.full(steps, yaw_rad),
        head_pitch_rad=np.full(steps, pitch_rad),
        speed=np.zeros(steps),
        course=steady_course("standing", steps),
    )


def draw(rng: np.random.Generator, weight: np.ndarray) -> int:
    """Return an index drawn in proportion to the weights, with one number of the generator."""
    cumulative = np.cumsum(weight)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def _route(ground: Ground, routes: Routes, rng: np.random.Generator, length_m: float) -> np.ndarray:
    """Return a polyline ``[n, 2]`` over cell centres, at least ``length_m`` long if it can be.

    Each leg leads to the one of some random goals that needs the least turning on the spot.
    """
    weight = ground.coverage[tuple(routes.cells.T)]
    node = draw(rng, weight)
    points = ground.centre_of(routes.cells[node])[None]
    for _ in range(MOST_LEGS):
        cost, predecessors = routes.from_node(node)
        longest = float(cost[np.isfinite(cost)].max())
        wanted = min(SHORTEST_LEG_M, 0.5 * longest)
        far_enough = np.where(np.isfinite(cost) & (cost >= max(wanted, 1e-9)), weight, 0.0)
        if far_enough.sum() == 0:
            raise NoPath("no path: the free ground is a single place")
        goals = [draw(rng, far_enough) for _ in range(GOALS_TRIED)]
        legs = [ground.centre_of(routes.cells[_trace(predecessors, goal)]) for goal in goals]
        best = int(np.argmin([_detour(points, leg) for leg in legs]))
        points, node = np.concatenate([points, legs[best][1:]]), goals[best]
        if steady.length(np.diff(points, axis=0)).sum() >= 1.1 * length_m:
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
    to, fro = (steady.atan2(way[1], way[0]) for way in (after, before))
    turn = wrap_angle(to - fro)
    return abs(float(turn)) - 0.1 * length_m


def _smooth(ground: Ground, polyline: np.ndarray, radius_m: float) -> np.ndarray:
    """Return the polyline, resampled and smoothed as far as it stays clear of matter."""
    arc_m = np.concatenate([[0.0], np.cumsum(steady.length(np.diff(polyline, axis=0)))])
    at = np.arange(0.0, arc_m[-1] + SPACING_M, SPACING_M)
    dense = steady.interpolate(at, arc_m, polyline)
    for sigma_m in SMOOTHINGS_M:
        smooth = steady.smooth(dense, sigma_m / SPACING_M)
        if np.all(ground.clearance_at(smooth) >= radius_m - 1e-9):
            return smooth
    raise NoPath("no path: the way found runs into matter")


def _arc_and_heading(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    steps = steady.length(np.diff(xy, axis=0))
    keep = np.concatenate([[True], steps > 1e-6])
    xy_kept = xy[keep]
    arc_m = np.concatenate([[0.0], np.cumsum(steps)])
    tangent = np.gradient(xy_kept, axis=0)
    heading = np.unwrap(steady.atan2(tangent[:, 1], tangent[:, 0]))
    heading = steady.smooth(heading, 0.1 / SPACING_M)
    return arc_m, steady.interpolate(arc_m, arc_m[keep], heading)


def _seconds_per_metre(
    arc_m: np.ndarray, heading: np.ndarray, speed_m_s: float, turning_rad_s: float
) -> np.ndarray:
    """Return 1 / v with ``v = v0 / sqrt(1 + (curvature v0 / turning)^2)``."""
    spacing = np.maximum(np.gradient(arc_m), 1e-4)
    curvature = np.gradient(heading) / spacing
    return np.sqrt(1 + (curvature * speed_m_s / turning_rad_s) ** 2) / speed_m_s
