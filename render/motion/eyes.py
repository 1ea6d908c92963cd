"""How a gaze is shared between head and eyes, and how far an eye can turn in its socket."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..observer.card import GazeCard


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
    return gaussian_filter1d(share, card.head_smoothing_s.value / step_s, mode="nearest")


def gaze_axes(
    world_from_head_axes: np.ndarray, direction_world: np.ndarray, limit_rad: float
) -> np.ndarray:
    """Return rotations ``[n, 3, 3]`` of an eye that looks along unit directions ``[n, 3]``.

    The eye turns about the head's vertical and then about its own horizontal axis (Fick's order,
    no torsion), by at most ``limit_rad`` altogether.
    """
    direction = np.einsum("nji,nj->ni", world_from_head_axes, direction_world)
    direction = _limited(direction, limit_rad)
    yaw = np.arctan2(direction[:, 0], direction[:, 2])
    right = np.stack([np.cos(yaw), np.zeros_like(yaw), -np.sin(yaw)], axis=1)
    eye_in_head = np.stack([right, np.cross(direction, right), direction], axis=2)
    return world_from_head_axes @ eye_in_head


def _limited(direction_head: np.ndarray, limit_rad: float) -> np.ndarray:
    """Return unit directions ``[n, 3]``, those too far from straight ahead brought to the limit."""
    aside = np.linalg.norm(direction_head[:, :2], axis=1)
    angle = np.arctan2(aside, direction_head[:, 2])
    scale = math.sin(limit_rad) / np.maximum(aside, 1e-12)
    at_limit = np.concatenate(
        [direction_head[:, :2] * scale[:, None], np.full((len(aside), 1), math.cos(limit_rad))],
        axis=1,
    )
    return np.where((angle > limit_rad)[:, None], at_limit, direction_head)
