"""Pictures of 3D Gaussians by gsplat, on a GPU (optional extra ``splats``).

gsplat (Ye et al. 2024) projects Gaussians as they are trained; ``splats.trace`` says how that
differs from evaluating them along rays. It draws the pictures of pinhole cameras, not single rays,
and knows no median depth: the expected depth takes its place where half of the light is absorbed.
Because its pictures are not those of the CPU it is used only when asked for by name.
"""

from importlib import import_module
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from ...scenes.splats.field import GaussianField
from ..rays import Rays
from ..rigid import inverse
from .trace import PIXEL_VARIANCE

MOST_PIXELS = 1 << 24
"""Drawn in one call; bounds the GPU's memory."""


def render_with_gsplat(field: GaussianField, rays: Rays, world_from_field: np.ndarray) -> Tensor:
    """Return ``[ray, 6]``: colour, expected and median distance, opacity; all in field units.

    Raises:
        ImportError: gsplat is not installed; names the extra.
        RuntimeError: there is no GPU.
        ValueError: the rays are not all those of pinhole cameras, as ``rays_of`` makes them.
    """
    gsplat, device = _gsplat(), _device()
    if rays.pinhole is None:
        raise ValueError(
            "gsplat draws whole pictures of pinhole cameras: expected rays from rays_of, not cut "
            "or put together; use backend 'auto' for other rays"
        )
    camera, world_from_camera = rays.pinhole
    at_once = max(1, MOST_PIXELS // (camera.width * camera.height))
    poses = inverse(_field_from_camera(world_from_camera, world_from_field))
    intrinsics = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
    matrix = torch.from_numpy(intrinsics).float().to(device)
    g = field.gaussians
    parts = []
    for some in torch.from_numpy(poses).float().to(device).split(at_once):
        colour, alpha, _ = gsplat.rasterization(
            means=g.positions.to(device),
            quats=g.rotations.to(device),
            scales=g.scales.to(device),
            opacities=g.opacities.to(device),
            colors=g.harmonics.to(device),
            viewmats=some,
            Ks=matrix.expand(len(some), 3, 3).contiguous(),
            width=camera.width,
            height=camera.height,
            eps2d=PIXEL_VARIANCE,
            sh_degree=g.degree,
            render_mode="RGB+ED",
            rasterize_mode="antialiased",
        )
        parts.append(torch.cat([colour, alpha], dim=-1).reshape(-1, 5).float().cpu())
    return _packed(field, torch.cat(parts), rays.z_per_distance)


def _field_from_camera(world_from_camera: np.ndarray, world_from_field: np.ndarray) -> np.ndarray:
    scale = np.cbrt(np.linalg.det(world_from_field[:3, :3]))
    poses = np.linalg.inv(world_from_field) @ np.asarray(world_from_camera, dtype=np.float64)
    poses[:, :3, :3] *= scale
    return poses


def _packed(field: GaussianField, drawn: Tensor, z_per_distance: Tensor) -> Tensor:
    opacity = drawn[:, 4].clamp(0, 1)
    background = 1.0 if field.background == "white" else 0.0
    rgb = (drawn[:, :3] + (1 - opacity)[:, None] * background).clamp(0, 1)
    far = torch.full_like(opacity, field.config.far)
    distance = torch.where(opacity > 0, drawn[:, 3] / z_per_distance, far)
    median = torch.where(opacity >= 0.5, distance, far)
    return torch.cat([rgb, torch.stack([distance, median, opacity], dim=-1)], dim=-1)


def _gsplat() -> ModuleType:
    try:
        return import_module("gsplat")
    except ImportError as error:
        raise ImportError(
            "backend 'gsplat' needs gsplat, which is not installed: pip install "
            "'merkwelt[splats]', or use backend 'auto', which draws Gaussians on the CPU"
        ) from error


def _device() -> torch.device:
    if not torch.cuda.is_available():
        raise RuntimeError(
            "backend 'gsplat' needs a CUDA GPU and there is none; backend 'auto' draws Gaussians "
            "on the CPU"
        )
    return torch.device("cuda")
