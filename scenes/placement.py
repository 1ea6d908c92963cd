"""Placing what a capture knows in a scene's world: cameras, objects, floor and bounds."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .captures import Capture, Split
from .card import Matrix, OrientedBox, SceneCard, SceneObject, Vector

UPRIGHT = 1e-3
"""How far the capture's up may lean from the world's before boxes and floors lose their meaning."""


def world_from_capture(card: SceneCard) -> np.ndarray:
    """Return the similarity ``[4, 4]`` from the capture's coordinates to the scene's world."""
    return np.asarray(card.world_from_field) @ np.asarray(card.field_from_capture)


def place_cameras(card: SceneCard, world_from_camera_capture: np.ndarray) -> np.ndarray:
    """Return camera poses ``[n, 4, 4]`` in the world from poses in capture coordinates."""
    similarity = world_from_capture(card)
    scale = np.cbrt(np.linalg.det(similarity[:3, :3]))
    poses = similarity @ np.asarray(world_from_camera_capture, dtype=np.float64)
    poses[..., :3, :3] /= scale
    return poses


def describe_place(card: SceneCard, capture: Capture, split: Split) -> SceneCard:
    """Return the card with the capture's training cameras, held-out photographs and extras.

    Objects, floor and bounds are carried over only where the capture's +z is the world's, as it is
    for captures with a ``capture.json``.

    Raises:
        ValueError: ``capture.json`` has objects or a floor, and the scene was turned in training.
    """
    training = set(split.train)
    poses = [view.world_from_camera for view in capture.views if view.name in training]
    placed = place_cameras(card, np.stack(poses)) if poses else np.zeros((0, 4, 4))
    card = replace(
        card,
        world_from_training_camera=tuple(_matrix(pose) for pose in placed),
        held_out=split.held_out,
        capture_path=str(capture.root.resolve()),
    )
    extras = capture.extras
    if extras is None:
        return card
    card = replace(card, licence=extras.licence, source=extras.source or card.source)
    if not (extras.objects or extras.bounds or extras.floor_height is not None):
        return card
    similarity = world_from_capture(card)
    scale = float(np.cbrt(np.linalg.det(similarity[:3, :3])))
    if abs(similarity[2, 2] / scale - 1) > UPRIGHT:
        raise ValueError(
            f"{capture.root}: capture.json describes a place with +z up, but training turned the "
            "scene; train it without re-orientation"
        )
    floor = extras.floor_height
    return replace(
        card,
        objects=tuple(_place_object(o, similarity, scale) for o in extras.objects),
        bounds=_place_bounds(extras.bounds, similarity) if extras.bounds else card.bounds,
        floor_height=None if floor is None else float(scale * floor + similarity[2, 3]),
    )


def _place_object(thing: SceneObject, similarity: np.ndarray, scale: float) -> SceneObject:
    turn = math.atan2(similarity[1, 0], similarity[0, 0])
    box = OrientedBox(
        centre_m=_vector(similarity[:3, :3] @ np.asarray(thing.box.centre_m) + similarity[:3, 3]),
        size_m=_vector(scale * np.asarray(thing.box.size_m)),
        yaw_rad=thing.box.yaw_rad + turn,
    )
    return replace(thing, box=box)


def _place_bounds(bounds: tuple[Vector, Vector], similarity: np.ndarray) -> tuple[Vector, Vector]:
    low, high = bounds
    corners = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    placed = corners @ similarity[:3, :3].T + similarity[:3, 3]
    return _vector(placed.min(axis=0)), _vector(placed.max(axis=0))


def _matrix(array: np.ndarray) -> Matrix:
    return tuple(tuple(float(v) for v in row) for row in array)  # type: ignore[return-value]


def _vector(array: Sequence[float] | np.ndarray) -> Vector:
    x, y, z = (float(v) for v in array)
    return x, y, z
