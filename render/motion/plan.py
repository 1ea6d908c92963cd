"""From an observer and a scene to a trajectory: body, gait, gaze and eyes put together."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ...scenes.scene import Scene
from ..key import ClipKey
from ..navigation.navigation import Navigation
from ..observer.card import Body, GazeCard, Observer
from ..rig import Rig
from ..rigid import direction_from_angles, rotation_from_angles, transform
from .eyes import gaze_axes, head_share
from .gait import HeadMotion, head_motion
from .gaze import GazeCourse, GazeTask, blinks, look_around
from .motion import ACTIVITIES, Motion
from .orbit import move_between_views
from .path import BodyPath, stand, walk
from .trajectory import Trajectory

LEAST_RATE_HZ = 200.0
"""Motion is computed at a whole multiple of the frame rate that is at least this."""
OBJECT_CONCENTRATION = 4.0
"""Around an object the gaze keeps twice as close to straight ahead as in a room."""


@dataclass(frozen=True, kw_only=True)
class AttemptKey(ClipKey):
    """The key of a clip that is planned again because its first plan could not be rendered."""

    attempt: int = 0

    def generator(self, purpose: str) -> np.random.Generator:
        """Return the generator of a purpose; the body stays the same in all attempts."""
        again = self.attempt > 0 and purpose != "body"
        return super().generator(f"{purpose}/{self.attempt}" if again else purpose)


def plan_trajectory(
    scene: Scene,
    observer: Observer,
    key: ClipKey,
    *,
    frames: int,
    frame_rate_hz: float,
    navigation: Navigation | None = None,
) -> Trajectory:
    """Return the frames of ``plan_motion``."""
    return plan_motion(
        scene,
        observer,
        key,
        frames=frames,
        frame_rate_hz=frame_rate_hz,
        navigation=navigation,
    ).frames()


def plan_motion(
    scene: Scene,
    observer: Observer,
    key: ClipKey,
    *,
    frames: int,
    frame_rate_hz: float,
    navigation: Navigation | None = None,
) -> Motion:
    """Return how ``observer`` moves and looks through ``scene`` in the clip ``key``.

    The same arguments give the same trajectory, bit for bit; body, path, gait, gaze and blinks
    draw from their own streams of the key. ``navigation`` saves time when several clips of a
    scene are planned; it must be ``Navigation.of(scene, observer)``.

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
    per_frame = math.ceil(LEAST_RATE_HZ / frame_rate_hz)
    step_s = 1 / (frame_rate_hz * per_frame)
    time_s = step_s * np.arange((frames - 1) * per_frame + 1)
    body = observer.draw_body(key.generator("body"))
    path = _body_path(scene, navigation, observer, body, key.generator("path"), time_s)
    motion = _gait(scene, observer, path, step_s, key.generator("gait"))
    path = replace(path, position=_with_gait(path, motion))
    task = _gaze_task(scene, navigation, observer)
    course = look_around(scene, task, path, time_s, key.generator("gaze"))
    head_axes, eye_axes = _orientations(task.card, path, motion, course, step_s)
    heads = transform(head_axes, path.position)
    rig = Rig(interocular_m=body.interocular_m, eyes=observer.eyes, mode=observer.rig_mode)
    moving = np.where(path.speed > 0, ACTIVITIES.index("walking"), ACTIVITIES.index("standing"))
    return Motion(
        course=Trajectory(
            time_s=time_s,
            world_from_head=heads,
            world_from_eye=rig.world_from_eye(heads, eye_axes, course.target),
            gaze_target=course.target,
            fixation_id=course.fixation_id,
            saccade=course.saccade,
            blink=blinks(task.card, time_s, key.generator("blink")),
            gait_phase_rad=motion.phase_rad,
        ),
        heading_rad=path.heading_rad,
        speed=path.speed,
        activity=moving.astype(np.int8),
        frame_every=per_frame,
    )


def _orientations(
    card: GazeCard, path: BodyPath, motion: HeadMotion, course: GazeCourse, step_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the axes ``[n, 3, 3]`` of the head, and those of an eye at its origin."""
    yaw, pitch = path.head_yaw_rad, path.head_pitch_rad
    head_axes = rotation_from_angles(
        yaw + motion.yaw_rad + head_share(card, course.azimuth_rad, step_s),
        pitch + motion.pitch_rad + head_share(card, course.elevation_rad, step_s),
        motion.roll_rad,
    )
    gaze = direction_from_angles(yaw + course.azimuth_rad, pitch + course.elevation_rad)
    return head_axes, gaze_axes(head_axes, gaze, math.radians(card.eye_limit_deg.value))


def _body_path(
    scene: Scene,
    navigation: Navigation,
    observer: Observer,
    body: Body,
    rng: np.random.Generator,
    time_s: np.ndarray,
) -> BodyPath:
    if navigation.ground is None or navigation.routes is None:
        assert navigation.views is not None
        return move_between_views(navigation.views, observer, rng, time_s)
    if observer.locomotion == "stand":
        return stand(scene, navigation.ground, body, rng, time_s)
    return walk(navigation.ground, navigation.routes, observer, body, rng, time_s)


def _gait(
    scene: Scene, observer: Observer, path: BodyPath, step_s: float, rng: np.random.Generator
) -> HeadMotion:
    """Return the head's motion by gait; none where a speed in metres is not known."""
    turn = np.gradient(path.heading_rad, step_s) if len(path.speed) > 1 else np.zeros(1)
    speed = path.speed if scene.card.is_metric else np.zeros_like(path.speed)
    return head_motion(observer.gait, speed_m_s=speed, turn_rad_s=turn, step_s=step_s, rng=rng)


def _with_gait(path: BodyPath, motion: HeadMotion) -> np.ndarray:
    heading = path.heading_rad
    right = np.stack([np.sin(heading), -np.cos(heading), np.zeros_like(heading)], axis=1)
    position = path.position + motion.right_m[:, None] * right
    position[:, 2] += motion.up_m
    return position


def _gaze_task(scene: Scene, navigation: Navigation, observer: Observer) -> GazeTask:
    card = observer.gaze
    nearest = card.nearest_m.value if scene.card.is_metric else 0.0
    if navigation.ground is None:
        assert navigation.views is not None
        distance = navigation.views.distance
        return GazeTask(
            card=card,
            floor_height=None,
            concentration=OBJECT_CONCENTRATION,
            typical_distance=distance,
            nearest=min(nearest, 0.5 * distance),
        )
    walks = observer.locomotion == "walk"
    floor = navigation.ground.floor_height_m if walks else None
    return GazeTask(card=card, floor_height=floor, nearest=nearest)
