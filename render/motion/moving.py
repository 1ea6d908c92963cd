"""What a body does, where it goes, and how its gait moves the head."""

import numpy as np

from ...scenes.scene import Scene
from .. import steady
from ..navigation.navigation import Navigation
from ..observer.card import Body, Observer
from .bouts import Course, move_in_bouts, steady_course
from .gait import HeadMotion, head_motion
from .glide import glide
from .orbit import move_between_views
from .path import BodyPath, stand, walk


def body_course(
    observer: Observer, body: Body, rng: np.random.Generator, time_s: np.ndarray
) -> Course:
    """Return what a body that moves by itself does at times ``[n]``."""
    moving = "crawling" if observer.locomotion == "crawl" else "walking"
    if observer.bouts is None:
        return steady_course(moving, len(time_s))
    return move_in_bouts(
        observer.bouts,
        observer.gait,
        speed_m_s=body.walking_speed_m_s,
        moving=moving,
        time_s=time_s,
        rng=rng,
    )


def body_path(  # noqa: PLR0913 - who moves where and when, and what is random about it
    scene: Scene,
    navigation: Navigation,
    observer: Observer,
    body: Body,
    rng: np.random.Generator,
    time_s: np.ndarray,
    course: Course,
) -> BodyPath:
    """Return the way of a body at times ``[n]``."""
    ground, routes = navigation.ground, navigation.routes
    if ground is None or routes is None:
        assert navigation.views is not None
        return move_between_views(navigation.views, observer, rng, time_s)
    if observer.locomotion == "stand":
        return stand(scene, ground, body, rng, time_s)
    if observer.locomotion == "glide":
        return glide(ground, observer, rng, time_s)
    return walk(ground, routes, observer, body, rng, time_s, course)


def head_by_gait(
    scene: Scene, observer: Observer, path: BodyPath, step_s: float, rng: np.random.Generator
) -> HeadMotion:
    """Return the head's motion by gait; none where a speed in metres is not known."""
    turn = np.gradient(path.heading_rad, step_s) if len(path.speed) > 1 else np.zeros(1)
    speed = path.speed if scene.card.is_metric else np.zeros_like(path.speed)
    return head_motion(observer.gait, speed_m_s=speed, turn_rad_s=turn, step_s=step_s, rng=rng)


def position_with_gait(path: BodyPath, motion: HeadMotion) -> np.ndarray:
    """Return where the head is ``[n, 3]``."""
    sine, cosine = steady.sin_cos(path.heading_rad)
    right = np.stack([sine, -cosine, np.zeros_like(sine)], axis=1)
    position = path.position + motion.right_m[:, None] * right
    position[:, 2] += motion.up_m
    return position
