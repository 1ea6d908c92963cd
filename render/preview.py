"""One picture that says what a scene is."""

import math

import numpy as np
import torch

from ..scenes.scene import Scene
from .camera import PinholeCamera, rays_of
from .rigid import look_at
from .volume import RenderOptions, render_rays

PREVIEW_SIZE = (480, 360)
PREVIEW_HFOV_RAD = math.radians(75)


def preview_pose(scene: Scene) -> np.ndarray:
    """Return where the preview is taken from: ``[4, 4]`` camera pose in the world.

    The training camera that looks at the most of the scene's middle from farthest away, or,
    without training cameras, a corner of the bounds at eye height.
    """
    card = scene.card
    low, high = (np.asarray(corner, dtype=np.float64) for corner in card.bounds)
    poses = np.asarray(card.world_from_view, dtype=np.float64)
    if len(poses):
        away = (low + high) / 2 - poses[:, :3, 3]
        along = np.einsum("ni,ni->n", away, poses[:, :3, 2])
        level = 1 - np.abs(poses[:, 2, 2])
        return poses[int(np.argmax(along * level))]
    eye = low + (high - low) * np.array([0.12, 0.12, 0.6])
    return look_at(eye, low + (high - low) * np.array([0.6, 0.6, 0.35]))


def render_preview(scene: Scene, size: tuple[int, int] = PREVIEW_SIZE) -> np.ndarray:
    """Return the preview picture of ``size`` = (width, height), uint8 ``[height, width, 3]``."""
    camera = PinholeCamera.from_hfov(PREVIEW_HFOV_RAD, size)
    rendered = render_rays(scene, rays_of(camera, preview_pose(scene)[None]), RenderOptions())
    pixels = (rendered.rgb * 255).round().to(torch.uint8)
    return pixels.view(camera.height, camera.width, 3).numpy()
