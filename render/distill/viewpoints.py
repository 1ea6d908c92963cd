"""Where a scene is looked at from while its render-ready form is made."""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch

from ...scenes.scene import Scene
from ..key import ClipKey
from ..motion.plan import plan_trajectory
from ..navigation.navigation import Navigation, NoPath
from ..observer.card import Observer
from ..observer.presets import adult
from ..rays import Rays

LEARNED_SEED = 0x5EE_0001
TESTED_SEED = 0x5EE_0002
"""Walks that are learned from and walks that are tested on have seeds of their own."""
WALKS = 160
POSES_PER_WALK = 8
POSES_PER_S = 4.0
WALK_STRAY, VIEW_STRAY = 0.01, 0.04
"""How far from walks and from training views else is looked from, of half the scene's size."""
VIEW_TURN_RAD = 0.3
HFOV_RAD = math.radians(80)


def walking_observer(scene: Scene) -> Observer:
    """Return an adult, with one eye where there is no metric scale."""
    return adult() if scene.card.is_metric else replace(adult(), eyes=1)


def walked_poses(
    scene: Scene, seed: int, walks: int, *, frames: int = POSES_PER_WALK
) -> np.ndarray:
    """Return eye poses ``[walk, eye, time, 4, 4]`` of free walks; none if nobody can move there."""
    observer = walking_observer(scene)
    try:
        navigation = Navigation.of(scene, observer)
    except NoPath:
        return np.zeros((0, observer.eyes, frames, 4, 4))
    found = []
    for clip in range(walks):
        key = ClipKey(dataset_seed=seed, scene=scene.card.name, clip=clip)
        try:
            trajectory = plan_trajectory(
                scene,
                observer,
                key,
                frames=frames,
                frame_rate_hz=POSES_PER_S,
                navigation=navigation,
            )
        except NoPath:
            continue
        found.append(trajectory.world_from_eye)
    return np.stack(found) if found else np.zeros((0, observer.eyes, frames, 4, 4))


@dataclass(frozen=True, kw_only=True, eq=False)
class Vantages:
    """Places to look from, each with how far around it else is looked from."""

    poses: np.ndarray
    """``[n, 4, 4]`` camera poses in the world."""
    stray: np.ndarray
    """``[n]`` standard deviation of the distance along each axis, in world units."""
    turn_rad: np.ndarray
    """``[n]`` likewise of the direction."""

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return places on walks, and the views the scene was trained from.

        Raises:
            ValueError: there are neither.
        """
        size = float(np.ptp(np.asarray(scene.card.bounds), axis=0).max()) / 2
        walked = walked_poses(scene, LEARNED_SEED, WALKS).reshape(-1, 4, 4)
        views = np.asarray(scene.card.world_from_view, dtype=np.float64).reshape(-1, 4, 4)
        if not len(walked) + len(views):
            raise ValueError(
                f"scene {scene.card.name!r} has neither training views nor a floor to walk on, so "
                "nobody knows where to look at it from; import it with its capture, or with a floor"
            )
        if len(views):
            # As many as there are places on walks, so that each kind gets half of the rays.
            views = np.resize(views, (max(len(walked), len(views)), 4, 4))
        on_walks = np.arange(len(walked) + len(views)) < len(walked)
        return cls(
            poses=np.concatenate([walked, views]),
            stray=size * np.where(on_walks, WALK_STRAY, VIEW_STRAY),
            turn_rad=np.where(on_walks, 0.0, VIEW_TURN_RAD),
        )

    def rays(self, count: int, rng: np.random.Generator) -> Rays:
        """Return rays through random points of wide pictures, each from a place of its own.

        Rays that share an origin can be satisfied by fog just in front of it; no two of these do.
        """
        chosen = rng.integers(len(self.poses), size=count)
        reach = math.tan(HFOV_RAD / 2)
        plane = rng.uniform(-reach, reach, size=(count, 2))
        along = np.concatenate([plane, np.ones((count, 1))], axis=1)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        directions = np.einsum("nij,nj->ni", self.poses[chosen, :3, :3], along)
        directions += self.turn_rad[chosen, None] * rng.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        axis = self.poses[chosen, :3, 2]
        origins = self.poses[chosen, :3, 3]
        origins = origins + self.stray[chosen, None] * rng.normal(size=(count, 3))
        return Rays(
            origins=torch.from_numpy(origins.astype(np.float32)),
            directions=torch.from_numpy(directions.astype(np.float32)),
            z_per_distance=torch.from_numpy((directions * axis).sum(axis=1).astype(np.float32)),
        )
