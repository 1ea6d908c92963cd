"""How a gaze is shared between head and eyes, and how far an eye can turn in its socket."""

import math

import numpy as np

from .. import steady
from ..observer.card import GazeCard
from ..torsion import fick_axes


def head_share(card: GazeCard, eccentricity_rad: np.ndarray, step_s: float) -> np.ndarray:
    """Return how far the head turns ``[n]`` towards a gaze at ``eccentricity_rad`` ``[n]``.

    Nothing up to ``head_free_deg``; beyond it so much, linearly, that the eye in the head reaches
    ``eye_saturation_deg`` at 90 degrees (Freedman & Sparks 1997). Smoothed over time, because a
    head is slower than an eye.
    """
    free = math.radians(card.head_free_deg.value)
    slope = (math.radians(card.eye_saturation_deg.value) - free) / (math.pi / 2 - free)
    size = np.abs(eccentricity_rad)
    eye = np.where(size > free, free + slope * (size - free), size)
    share = np.sign(eccentricity_rad) * (size - eye)
    return steady.smooth(share, card.head_smoothing_s.value / step_s)


def gaze_axes(
    world_from_head_axes: np.ndarray, direction_world: np.ndarray, limit_rad: float
) -> np.ndarray:
    """Return rotations ``[n, 3, 3]`` of an eye that looks along unit directions ``[n, 3]``.

    The eye turns about the head's vertical and then about its own horizontal axis (Fick's order,
    no torsion), by at most ``limit_rad`` altogether.
    """
    direction = steady.rotate(np.swapaxes(world_from_head_axes, 1, 2), direction_world)
    direction = _limited(direction, limit_rad)
    return steady.product(world_from_head_axes, fick_axes(direction))


def _limited(direction_head: np.ndarray, limit_rad: float) -> np.ndarray:
    """Return unit directions ``[n, 3]``, those too far from straight ahead brought to the limit."""
    aside = steady.length(direction_head[:, :2])
    angle = steady.atan2(aside, direction_head[:, 2])
    scale = float(steady.sin(limit_rad)) / np.maximum(aside, 1e-12)
    at_limit = np.concatenate(
        [
            direction_head[:, :2] * scale[:, None],
            np.full((len(aside), 1), float(steady.cos(limit_rad))),
        ],
        axis=1,
    )
    return np.where((angle > limit_rad)[:, None], at_limit, direction_head)
