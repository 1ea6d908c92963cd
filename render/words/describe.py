"""The description of a clip from its motion and its geometry."""

import numpy as np

from ...scenes.scene import Scene
from ..motion.motion import ACTIVITIES, Motion
from .description import Description, Events
from .looking import View, looks_of
from .moving import motion_facts
from .place import place_facts
from .visible import visible_in


def describe(scene: Scene, observer: str, motion: Motion, view: View | None = None) -> Description:
    """Return all that is said to be true of a clip.

    Args:
        scene: where it was rendered.
        observer: name of who looks.
        motion: how that one moved and looked.
        view: the pictures of the first eye. Without them nothing is visible, and what is looked at
            may be hidden by something that has come between.
    """
    frame_heading_rad = motion.heading_rad[:: motion.frame_every]
    card, course = scene.card, motion.course
    extent = float(np.linalg.norm(np.ptp(np.asarray(card.bounds), axis=0)))
    return Description(
        observer=observer,
        is_metric=card.is_metric,
        frames=len(frame_heading_rad),
        duration_s=round(float(course.time_s[-1]), 3),
        motion=motion_facts(motion, is_metric=card.is_metric, extent=extent),
        place=place_facts(scene, motion),
        looks=looks_of(card, motion, view),
        visible=visible_in(card, view, frame_heading_rad) if view else (),
        events=_events(motion),
    )


def _events(motion: Motion) -> Events:
    course = motion.course
    return Events(
        fixations=len(np.unique(course.fixation_id[~course.saccade])),
        saccades=_onsets(course.saccade),
        blinks=_onsets(course.blink),
        fall=bool((motion.activity == ACTIVITIES.index("falling")).any()),
    )


def _onsets(flag: np.ndarray) -> int:
    """Return how many times a flag ``[n]`` is raised, the beginning among them."""
    return int(np.diff(flag.astype(int), prepend=0).clip(min=0).sum())
