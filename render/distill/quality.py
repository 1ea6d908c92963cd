"""How much the render-ready form differs from the field it was made of."""

import math
from dataclasses import dataclass

import torch

from ...scenes.scene import Scene
from ..camera import PinholeCamera, rays_of
from ..decibels import decibels
from ..volume import RenderOptions, render_rays
from .viewpoints import TESTED_SEED, walked_poses

PICTURE_PX = 128
PICTURE_HFOV_RAD = math.radians(65)
WALKS = 12
FRAMES = 2


@dataclass(frozen=True, kw_only=True)
class WalkQuality:
    """The fast path beside the exact one on free walks that were not learned from."""

    psnr_db: float
    """Of all pixels together."""
    worst_psnr_db: float
    """Of the worst picture."""
    depth_error: float
    """Median relative error of the median depth."""
    pictures: int


def walk_quality(scene: Scene) -> WalkQuality | None:
    """Return how close the fast path comes to the exact one; None if nobody can move there."""
    poses = walked_poses(scene, TESTED_SEED, WALKS, frames=FRAMES).reshape(-1, 4, 4)
    if not len(poses):
        return None
    camera = PinholeCamera.from_hfov(PICTURE_HFOV_RAD, (PICTURE_PX, PICTURE_PX))
    rays = rays_of(camera, poses)
    exact, fast = (render_rays(scene, rays, RenderOptions(path=p)) for p in ("exact", "fast"))
    squared = ((exact.rgb - fast.rgb) ** 2).view(len(poses), -1).mean(dim=1).numpy()
    depth = (fast.depth_median / exact.depth_median - 1).abs()
    return WalkQuality(
        psnr_db=decibels(float(squared.mean())),
        worst_psnr_db=decibels(float(squared.max())),
        depth_error=float(torch.median(depth)),
        pictures=len(poses),
    )
