"""Which parts of the body touch the ground."""

import math

import numpy as np

from ..motion.motion import ACTIVITIES, Activity

CONTACTS = ("left_foot", "right_foot", "hands")
ON_FEET: tuple[Activity, ...] = ("standing", "rising")
ON_HANDS: tuple[Activity, ...] = ("crawling", "down", "rising")
"""Of crawlers and those who lie nothing is said but that their hands touch: knees have no place
here, and their feet count as off the ground, as do those of who sits."""


def ground_contact(
    activity: np.ndarray, stride_phase_rad: np.ndarray, stance_share: float
) -> np.ndarray:
    """Return whether ``CONTACTS`` touch the ground, bool ``[n, 3]``.

    Args:
        activity: positions in ``ACTIVITIES`` ``[n]``.
        stride_phase_rad: ``[n]``, 0 at a left heel strike and pi at a right one.
        stance_share: share of the stride that each foot of a walker spends on the ground.
    """
    walking = _does(activity, ("walking",))
    on_feet = _does(activity, ON_FEET)
    since_left = np.mod(stride_phase_rad / (2 * math.pi), 1.0)
    since_right = np.mod(since_left + 0.5, 1.0)
    left, right = (
        on_feet | (walking & (since < stance_share)) for since in (since_left, since_right)
    )
    return np.stack([left, right, _does(activity, ON_HANDS)], axis=1)


def _does(activity: np.ndarray, which: tuple[Activity, ...]) -> np.ndarray:
    return np.isin(activity, [ACTIVITIES.index(name) for name in which])
