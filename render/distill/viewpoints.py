"""Where a scene is looked at from while its render-ready form is made."""

import math
from dataclasses import replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from ...scenes.scene import Scene
from ..key import ClipKey
from ..navigation import Navigation, NoPath
from ..observer import Observer
from ..presets import adult
from ..rays import Rays
from ..walk import plan_trajectory

LEARNED_SEED = 0x5EE_0001
TESTED_SEED = 0x5EE_0002
"""Walks that are learned from and walks that are tested on have seeds of their own."""
WALKS = 160
POSES_PER_WALK = 8
POSES_PER_S = 4.0
NEARBY = 800
STRAY = 0.04
"""How far from photographs else is looked from, of half the scene's size (standard deviation)."""
TURN_RAD = 0.35
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


def learning_poses(scene: Scene, size: float, rng: np.random.Generator) -> np.ndarray:
    """Return poses ``[n, 4, 4]``: on walks, and near the views the scene was trained from.

    Raises:
        ValueError: there are neither.
    """
    walked = walked_poses(scene, LEARNED_SEED, WALKS).reshape(-1, 4, 4)
    views = np.asarray(scene.card.world_from_view, dtype=np.float64).reshape(-1, 4, 4)
    if len(views):
        near = views[rng.integers(len(views), size=NEARBY)]
        near[:, :3, 3] += STRAY * size * rng.normal(size=(NEARBY, 3))
        near[:, :3, :3] @= Rotation.from_rotvec(TURN_RAD * rng.normal(size=(NEARBY, 3))).as_matrix()
        walked = np.concatenate([walked, near])
    if not len(walked):
        raise ValueError(
            f"scene {scene.card.name!r} has neither training views nor a floor to walk on, so "
            "nobody knows where to look at it from; import it with its capture, or with a floor"
        )
    return walked


def scattered_rays(poses: np.ndarray, count: int, rng: np.random.Generator) -> Rays:
    """Return rays through random points of wide pictures taken at random poses ``[n, 4, 4]``."""
    chosen = rng.integers(len(poses), size=count)
    reach = math.tan(HFOV_RAD / 2)
    plane = rng.uniform(-reach, reach, size=(count, 2))
    along = np.concatenate([plane, np.ones((count, 1))], axis=1)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    directions = np.einsum("nij,nj->ni", poses[chosen, :3, :3], along)
    return Rays(
        origins=torch.from_numpy(poses[chosen, :3, 3].astype(np.float32)),
        directions=torch.from_numpy(directions.astype(np.float32)),
        z_per_distance=torch.from_numpy(along[:, 2].astype(np.float32)),
    )
