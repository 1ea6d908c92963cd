"""Directions and lengths as a description states them."""

import re

import numpy as np

from ...scenes.card import OrientedBox, SceneCard
from ..rigid import wrap_angle
from .description import Direction, Thing

_EIGHTHS: tuple[tuple[float, Direction, Direction], ...] = (
    (15.0, "ahead", "ahead"),
    (60.0, "ahead left", "ahead right"),
    (120.0, "left", "right"),
    (165.0, "behind left", "behind right"),
)


def rounded(value: float) -> float:
    """Return a number to a thousandth, and never minus zero."""
    return round(float(value), 3) + 0.0


def metres(length: float, *, is_metric: bool) -> float | None:
    """Return a length of the world in metres, or None where the scale is not known."""
    return rounded(length) if is_metric else None


def direction_of(angle_deg: float) -> Direction:
    """Return the word for an angle from straight ahead, positive to the left.

    Ahead is within 15 degrees, left and right are between 60 and 120.

    Example:
        >>> direction_of(-90.0)
        'right'
    """
    for limit, left, right in _EIGHTHS:
        if abs(angle_deg) <= limit:
            return left if angle_deg > 0 else right
    return "behind"


def bearing_deg(offset: np.ndarray, heading_rad: np.ndarray | float) -> np.ndarray:
    """Return the angles of horizontal offsets ``[..., 2+]`` from headings, positive left."""
    yaw = np.arctan2(offset[..., 1], offset[..., 0])
    return np.degrees(wrap_angle(yaw - heading_rad))


def plan_distance(box: OrientedBox, points: np.ndarray) -> np.ndarray:
    """Return how far points ``[..., 3]`` are from a box's edge in plan; 0 above or below it."""
    outside = np.abs(box.box_from_world(points)[..., :2]) - np.asarray(box.size_m[:2]) / 2
    return np.linalg.norm(np.maximum(outside, 0.0), axis=-1)


def noun_of(name: str) -> str:
    """Return a name in words, without its number.

    Example:
        >>> noun_of("grand_piano_2")
        'grand piano'
    """
    words = re.sub(r"[\s_-]*\d+$", "", name)
    return re.sub(r"[\s_]+", " ", words or name).strip().lower()


def things_of(card: SceneCard) -> tuple[Thing, ...]:
    """Return the listed objects of a scene, in its order."""
    nouns = [noun_of(listed.name) for listed in card.objects]
    return tuple(
        Thing(name=listed.name, noun=noun, wnid=listed.wnid, alike=nouns.count(noun))
        for listed, noun in zip(card.objects, nouns, strict=True)
    )
