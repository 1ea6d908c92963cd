"""From an observer and a scene to a trajectory: body, gait, gaze and eyes put together."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ...scenes.scene import Scene
from ..key import ClipKey
from ..navigation.navigation import Navigation
from ..observer.card import Observer
from ..rigid import transform
from ..twins import ORIGINAL, Factors, observer_with, place_eyes
from .blinks import blinks
from .carried import Window, carried_motion
from .frozen import no_gaze, points_ahead, without_steps
from .gaze import look_around
from .motion import Motion
from .moving import body_course, body_path, head_by_gait, position_with_gait
from .sight import gaze_task, lines_of_sight, rig_of, turned_head
from .trajectory import Trajectory

LEAST_RATE_HZ = 200.0
"""Motion is computed at a whole multiple of the frame rate that is at least this."""


@dataclass(frozen=True, kw_only=True)
class AttemptKey(ClipKey):
    """The key of a clip that is planned again because its first plan could not be rendered."""

    attempt: int = 0

    def generator(self, purpose: str) -> np.random.Generator:
        """Return the generator of a purpose; the body stays the same in all attempts."""
        again = self.attempt > 0 and purpose != "body"
        return super().generator(f"{purpose}/{self.attempt}" if again else purpose)


def plan_trajectory(  # noqa: PLR0913 - each of them decides what the clip is
    scene: Scene,
    observer: Observer,
    key: ClipKey,
    *,
    frames: int,
    frame_rate_hz: float,
    navigation: Navigation | None = None,
    factors: Factors = ORIGINAL,
) -> Trajectory:
    """Return the frames of ``plan_motion``."""
    return plan_motion(
        scene,
        observer,
        key,
        frames=frames,
        frame_rate_hz=frame_rate_hz,
        navigation=navigation,
        factors=factors,
    ).frames()


def plan_motion(  # noqa: PLR0913 - each of them decides what the clip is
    scene: Scene,
    observer: Observer,
    key: ClipKey,
    *,
    frames: int,
    frame_rate_hz: float,
    navigation: Navigation | None = None,
    factors: Factors = ORIGINAL,
) -> Motion:
    """Return how ``observer`` moves and looks through ``scene`` in the clip ``key``.

    The same arguments give the same trajectory, bit for bit; body, path, gait, gaze and blinks
    draw from their own streams of the key. ``navigation`` saves time when several clips of a
    scene are planned; it must be ``Navigation.of(scene, observer)``, or ``Navigation.along`` a path
    that carries the head. ``factors`` make a twin, which shares all that a factor does not touch.

    Raises:
        ValueError: stereo was asked for in a scene without metric scale, or no frames.
        NoPath: the observer cannot be or move there; says why.
    """
    if frames < 1 or not frame_rate_hz > 0:
        raise ValueError(
            f"expected at least 1 frame at a positive rate, got {frames} at {frame_rate_hz} Hz"
        )
    if observer.eyes == 2:
        scene.card.require_metric("stereo")
    navigation = navigation or Navigation.of(scene, observer)
    observer = observer_with(observer, factors)
    per_frame = math.ceil(LEAST_RATE_HZ / frame_rate_hz)
    time_s = np.arange((frames - 1) * per_frame + 1) * (1 / (frame_rate_hz * per_frame))
    start_s = key.clip * frames / frame_rate_hz
    window = Window(start_s=start_s, time_s=time_s, frame_every=per_frame)
    if navigation.head_path is not None:
        return carried_motion(scene, observer, key, navigation.head_path, window, factors)
    return _own_motion(scene, observer, key, navigation, window, factors)


def _own_motion(
    scene: Scene,
    observer: Observer,
    key: ClipKey,
    navigation: Navigation,
    window: Window,
    factors: Factors,
) -> Motion:
    """Return the motion of a body that goes its own way."""
    time_s, glides = window.time_s, observer.locomotion == "glide"
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else 1.0
    body = observer.draw_body(key.generator("body"))
    course = body_course(observer, body, key.generator("bouts"), time_s)
    path = body_path(scene, navigation, observer, body, key.generator("path"), time_s, course)
    steps = head_by_gait(scene, observer, path, step_s, key.generator("gait"))
    if glides or not factors.gait:
        steps = without_steps(steps)
    # Targets are chosen from the path without gait, so that they are the same without it.
    fixated, path = path, replace(path, position=position_with_gait(path, steps))
    card, gaze, looks = observer.gaze, no_gaze(len(time_s)), factors.gaze and not glides
    if looks:
        task, rng = gaze_task(scene, navigation, observer), key.generator("gaze")
        gaze = look_around(scene, task, path, time_s, rng, chosen_from=fixated)
    heads = transform(turned_head(card, path, steps, gaze, step_s), path.position)
    if looks:
        eye_axes, point = lines_of_sight(card, gaze, path, heads, step_s)
    else:
        eye_axes, point = heads[:, :3, :3], points_ahead(scene, heads, window.frame_every)
        gaze = replace(gaze, target=point)
    lids = blinks(card, time_s, key.generator("blink"))
    return Motion(
        course=Trajectory(
            time_s=time_s,
            world_from_head=heads,
            world_from_eye=place_eyes(factors, rig_of(observer, body), heads, eye_axes, point),
            gaze_target=gaze.target,
            fixation_id=gaze.fixation_id,
            saccade=gaze.saccade,
            blink=lids & (factors.blink and not glides),
            gait_phase_rad=steps.phase_rad,
        ),
        heading_rad=path.heading_rad,
        speed=path.speed,
        activity=path.course.activity,
        frame_every=window.frame_every,
    )
