"""The six semicircular canals: angular velocity in their planes, of which steady turns fade."""

import numpy as np

from .. import steady
from ..observer.card import BodySenseCard
from .lag import faded

CANALS = (
    "left_horizontal",
    "left_anterior",
    "left_posterior",
    "right_horizontal",
    "right_anterior",
    "right_posterior",
)
_LEFT_REID = np.array(
    [
        [-0.32269, -0.03837, 0.94573],
        [-0.58930, 0.78839, -0.17655],
        [-0.69432, -0.66693, -0.27042],
    ]
)
"""Unit normals of the left canals of 22 people, x to the nose, y to the left, z up, Reid's plane
level. A turn about them by the right hand excites the canal. Mean of the left and the mirrored
right columns of Table 1A of Della Santina et al. 2005 (JARO 6:191, PMC2504595)."""


def canal_normals_head() -> np.ndarray:
    """Return the unit normals ``[6, 3]`` of ``CANALS`` in head axes (x right, y down, z forward).

    A turn about a normal by the right hand excites its canal. Reid's plane is taken to be level
    when the head's axes are. The right canals mirror the left: an axis of rotation ``(x, y, z)``
    is ``(x, -y, -z)`` in the mirror that swaps left and right.

    Example:
        >>> left, right = canal_normals_head()[[0, 3]]
        >>> turn_left = [0.0, -1.0, 0.0]  # about the axis that points up
        >>> bool(left @ turn_left > 0.9), bool(right @ turn_left < -0.9)
        (True, True)
    """
    forward, leftward, upward = _LEFT_REID.T
    left = np.stack([-leftward, -upward, forward], axis=1)
    left /= steady.length(left)[:, None]
    return np.concatenate([left, left * [1.0, -1.0, -1.0]])


def canal_signals_rad_s(
    angular_velocity_head_rad_s: np.ndarray, senses: BodySenseCard, step_s: float
) -> np.ndarray:
    """Return what the canals tell ``[n, 6]``, in the order of ``CANALS``; positive excites.

    Angular velocity ``[n, 3]`` about the canals' normals, through
    ``H(s) = Tc s Ta s / ((Tc s + 1) (Ta s + 1))``: fading in a steady turn, and nearly as it is in
    faster ones. Before the first instant the head is taken to have been at rest.
    """
    about_normals = steady.rotate(canal_normals_head(), angular_velocity_head_rad_s)
    adapted = faded(about_normals, senses.canal_adaptation_s.value, step_s)
    return faded(adapted, senses.canal_s.value, step_s)
