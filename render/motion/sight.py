"""From a gaze to the poses of head and eyes."""

import math

import numpy as np

from ...scenes.scene import Scene
from ..navigation.navigation import Navigation
from ..observer.card import Body, GazeCard, Observer
from ..rig import Rig
from ..rigid import direction_from_angles, rotation_from_angles
from .eyes import gaze_axes, head_share
from .fixations import GazeTask
from .gait import HeadMotion
from .gaze import GazeCourse, sight_of
from .path import BodyPath

WALKING_CONCENTRATION = 2.5
"""Gaze moves on from where it is, among what is near, and what it looks at slides aside as the body
passes: it must be drawn to the front so much more to be spread as the card says (measured)."""
OBJECT_CONCENTRATION = 4.0
"""Around an object the gaze keeps closer to straight ahead than in a room."""


def nearest_looked_at(scene: Scene, observer: Observer) -> float:
    """Return the distance in world units below which nothing is looked at, 0 without a scale."""
    return observer.gaze.nearest_m.value if scene.card.is_metric else 0.0


def gaze_task(scene: Scene, navigation: Navigation, observer: Observer) -> GazeTask:
    """Return what an observer's eyes have to deal with in a scene."""
    card, nearest = observer.gaze, nearest_looked_at(scene, observer)
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
    return GazeTask(
        card=card, floor_height=floor, nearest=nearest, concentration=WALKING_CONCENTRATION
    )


def rig_of(observer: Observer, body: Body) -> Rig:
    """Return the eyes of one person."""
    return Rig(
        interocular_m=body.interocular_m,
        eyes=observer.eyes,
        mode=observer.rig_mode,
        listing_tilt=observer.gaze.listing_tilt.value,
    )


def turned_head(
    card: GazeCard, path: BodyPath, motion: HeadMotion, course: GazeCourse, step_s: float
) -> np.ndarray:
    """Return the axes ``[n, 3, 3]`` of a head that takes part in large gaze shifts."""
    return rotation_from_angles(
        path.head_yaw_rad + motion.yaw_rad + head_share(card, course.azimuth_rad, step_s),
        path.head_pitch_rad + motion.pitch_rad + head_share(card, course.elevation_rad, step_s),
        motion.roll_rad,
    )


def lines_of_sight(
    card: GazeCard, course: GazeCourse, path: BodyPath, heads: np.ndarray, step_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the axes ``[n, 3, 3]`` of an eye at the heads' origin, and the point it looks at.

    That point ``[n, 3]`` is as far away as the eyes converge for.
    """
    sight = sight_of(card, course, path, heads, step_s)
    direction = direction_from_angles(sight.yaw_rad, sight.pitch_rad)
    axes = gaze_axes(heads[:, :3, :3], direction, math.radians(card.eye_limit_deg.value))
    distance = sight.distance / card.vergence_gain.value
    return axes, heads[:, :3, 3] + distance[:, None] * axes[:, :, 2]
