"""The motion of an observer whose head is carried along an imported path."""

from dataclasses import dataclass, replace

import numpy as np

from ...scenes.scene import Scene
from ..key import ClipKey
from ..navigation.ground import NoPath
from ..observer.card import Observer
from ..paths.head_path import HeadPath
from ..rigid import angles_from_direction
from ..twins import Factors, place_eyes
from .blinks import blinks
from .bouts import steady_course
from .fixations import GazeTask
from .frozen import no_gaze, points_ahead
from .gaze import look_around
from .motion import Motion
from .path import BodyPath
from .sight import lines_of_sight, nearest_looked_at, rig_of
from .trajectory import Trajectory


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """A clip's stretch of time."""

    start_s: float
    """When it starts if all clips follow each other, as along an imported path."""
    time_s: np.ndarray
    """Times ``[n]`` from the start of the clip."""
    frame_every: int
    """How many instants there are from one frame to the next."""


def carried_motion(
    scene: Scene,
    observer: Observer,
    key: ClipKey,
    path: HeadPath,
    window: Window,
    factors: Factors,
) -> Motion:
    """Return how an observer sees whose head follows ``path``; blinks and body are the key's own.

    Raises:
        NoPath: the path ends before the clip does.
    """
    _require_room(key, path, window)
    time_s = window.time_s
    heads = path.world_from_head(window.start_s + time_s)
    yaw, pitch = angles_from_direction(heads[:, :3, 2])
    course_of_head = BodyPath(
        position=heads[:, :3, 3],
        heading_rad=np.unwrap(yaw),
        head_yaw_rad=np.unwrap(yaw),
        head_pitch_rad=pitch,
        speed=path.speed(window.start_s + time_s),
        course=steady_course("carried", len(time_s)),
    )
    if path.gaze == "observer" and factors.gaze:
        nearest = nearest_looked_at(scene, observer)
        task = GazeTask(card=observer.gaze, floor_height=None, nearest=nearest)
        course = look_around(scene, task, course_of_head, time_s, key.generator("gaze"))
        step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else 1.0
        eye_axes, point = lines_of_sight(observer.gaze, course, course_of_head, heads, step_s)
    else:
        point = points_ahead(scene, heads, window.frame_every)
        course, eye_axes = replace(no_gaze(len(time_s)), target=point), heads[:, :3, :3]
    rig = rig_of(observer, observer.draw_body(key.generator("body")))
    return Motion(
        course=Trajectory(
            time_s=time_s,
            world_from_head=heads,
            world_from_eye=place_eyes(factors, rig, heads, eye_axes, point),
            gaze_target=course.target,
            fixation_id=course.fixation_id,
            saccade=course.saccade,
            blink=blinks(observer.gaze, time_s, key.generator("blink")) & factors.blink,
            gait_phase_rad=np.zeros(len(time_s)),
        ),
        heading_rad=course_of_head.heading_rad,
        speed=course_of_head.speed,
        activity=course_of_head.course.activity,
        frame_every=window.frame_every,
    )


def _require_room(key: ClipKey, path: HeadPath, window: Window) -> None:
    """Raise NoPath for a clip beyond the path's end."""
    end_s = window.start_s + float(window.time_s[-1])
    try:
        path.world_from_head(np.array([end_s]))
    except ValueError as error:
        raise NoPath(
            f"no path: clip {key.clip} would last from {window.start_s:.3f} to {end_s:.3f} s of a "
            f"path that ends at {path.duration_s:.3f} s"
        ) from error
