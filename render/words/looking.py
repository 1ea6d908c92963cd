"""What the eyes were on, fixation by fixation."""

from dataclasses import dataclass, replace

import numpy as np

from ...scenes.card import SceneCard
from ..camera import Camera
from ..motion.motion import Motion
from ..rigid import angles_from_direction, apply, inverse
from ..truth.object_ids import BACKGROUND, object_ids
from .description import Look, Thing
from .measure import bearing_deg, direction_of, metres, rounded, things_of

OBJECT_MARGIN_M = 0.08
"""What is looked at lies within this of a box, as for the gaze that chose it."""
FLOOR_MARGIN_M = 0.05
HIDING = 0.9
"""What is seen at less than this share of a point's depth hides it."""
SHORTEST_LOOK_S = 0.05
FLOOR = BACKGROUND - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """The pictures of one eye, as far as words need them."""

    camera: Camera
    depth: np.ndarray
    """z-depth ``[time, h, w]`` in world units, infinite where there is no surface."""
    world_from_eye: np.ndarray
    """``[time, 4, 4]``."""


def looks_of(card: SceneCard, motion: Motion, view: View | None) -> tuple[Look, ...]:
    """Return what the eyes were on, in the order of time; what the pictures hide is not named."""
    course = motion.course
    objects = _objects_at(card, course.gaze_target)
    looks: list[Look] = []
    for first, stop in _stays(course.fixation_id, course.saccade, objects):
        lasts_s = course.time_s[min(stop, len(course.time_s) - 1)] - course.time_s[first]
        if len(course.time_s) > 1 and lasts_s < SHORTEST_LOOK_S:
            continue
        look = _look(card, motion, view, np.arange(first, stop), int(objects[first]))
        if looks and _is_same(looks[-1], look):
            before = looks.pop()
            look = replace(before, end_s=look.end_s, frames=(*before.frames, *look.frames))
        looks.append(look)
    return tuple(looks)


def _stays(
    fixation_id: np.ndarray, saccade: np.ndarray, objects: np.ndarray
) -> list[tuple[int, int]]:
    """Return the first instant of every stay of the eyes on one thing, and the one after it."""
    held = np.where(saccade, -1, fixation_id)
    edges = np.flatnonzero((np.diff(held) != 0) | (np.diff(objects) != 0)) + 1
    starts = np.concatenate([[0], edges])
    stops = np.concatenate([edges, [len(held)]])
    return [(int(a), int(b)) for a, b in zip(starts, stops, strict=True) if held[a] >= 0]


def _look(
    card: SceneCard, motion: Motion, view: View | None, instants: np.ndarray, at: int
) -> Look:
    """Return a stay of the eyes on an object (or what else there is), as it is halfway through."""
    course, middle = motion.course, int(instants[(len(instants) - 1) // 2])
    held = instants[instants % motion.frame_every == 0]
    frames = held // motion.frame_every
    hidden = False
    if view is not None and len(held) > 0:
        hidden = not _is_seen(view, frames, course.gaze_target[held])
    offset = course.gaze_target[middle] - course.world_from_head[middle, :3, 3]
    angle = rounded(float(bearing_deg(offset, motion.heading_rad[middle])))
    return Look(
        thing=things_of(card)[at] if at >= 0 and not hidden else None,
        is_floor=at == FLOOR and not hidden,
        start_s=rounded(float(course.time_s[instants[0]])),
        end_s=rounded(float(course.time_s[min(instants[-1] + 1, len(course.time_s) - 1)])),
        distance_m=metres(float(np.linalg.norm(offset)), is_metric=card.is_metric),
        direction=direction_of(angle),
        direction_deg=angle,
        elevation_deg=rounded(float(np.degrees(angles_from_direction(offset)[1]))),
        frames=tuple(int(frame) for frame in frames),
    )


def _objects_at(card: SceneCard, targets: np.ndarray) -> np.ndarray:
    """Return the object whose box holds each point ``[n, 3]``, the smallest first.

    Or else one whose box comes near to it, or ``FLOOR``, or ``BACKGROUND``.
    """
    at = object_ids(targets, card.objects, floor_height=card.floor_height)
    if card.floor_height is not None:
        on_floor = targets[:, 2] < card.floor_height + FLOOR_MARGIN_M
        at = np.where((at == BACKGROUND) & on_floor, FLOOR, at)
    sizes = [float(np.prod(listed.box.size_m)) for listed in card.objects]
    for index in np.argsort(sizes):
        near = card.objects[index].box.contains(targets, margin_m=OBJECT_MARGIN_M)
        at = np.where((at == BACKGROUND) & near, index, at)
    return at


def _is_seen(view: View, frames: np.ndarray, targets: np.ndarray) -> bool:
    """Return whether one of points ``[n, 3]`` is in its picture, with nothing in front of it."""
    points = apply(inverse(view.world_from_eye[frames]), targets)
    xy = view.camera.project(points)
    size = np.array([view.camera.width, view.camera.height])
    inside = np.all((xy >= 0) & (xy < size), axis=-1)
    column, row = np.where(inside[:, None], xy, 0.0).astype(int).T
    return bool((inside & (view.depth[frames, row, column] >= HIDING * points[:, 2])).any())


def _is_same(one: Look, other: Look) -> bool:
    def named(look: Look) -> tuple[Thing | None, bool]:
        return look.thing, look.is_floor

    return named(one) == named(other) != (None, False)
