"""Pictures of 3D Gaussians along rays, on the CPU.

Each Gaussian meets a ray where its response along the ray peaks (Keselman & Hebert 2022;
Moenne-Loccoz et al. 2024, "3D Gaussian Ray Tracing", section 4): with offset ``v`` from the eye to
the mean, ``p = S^-1 R^T v`` and ``q = S^-1 R^T d``, at the distance ``t = (p.q) / (q.q)``, where it
absorbs ``alpha = opacity exp(-1/2 (p.p - (p.q)^2 / (q.q)))`` of the light that is left. Gaussians
are composited front to back by ``t``, ray by ray, so that any ray will do.

This is not the splatting that Gaussians were trained with (Zwicker et al. 2001; Kerbl et al. 2023):
that projects each one by the derivative of the camera at its mean, sorts by the depth of means, and
widens every projection by 0.3 square pixels without taking opacity away. Here projections are
exact and each ray has its own order; where rays know their pixel's size (``Rays.pixel``), Gaussians
are widened by ``PIXEL_VARIANCE`` square pixels and become as much fainter (Yu et al. 2024,
"Mip-Splatting", equation 8), so that small pictures do not alias.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from ...scenes.splats.field import MOST_OPAQUE, GaussianField
from ...scenes.splats.gaussians import FAINTEST
from ...scenes.splats.hierarchy import Hierarchy
from . import trace_loops as splat_loops
from .bundles import bundle_rays

PIXEL_VARIANCE = 0.1
"""Of the pixel's own blur, in square pixels (Yu et al. 2024, section 6.1)."""
DARK = 1e-4
"""A ray ends when less of its light is left."""
REFERENCE_PAIRS = 1 << 20
"""Pairs of ray and Gaussian that the reference looks at at once; bounds its memory."""


@dataclass(frozen=True, kw_only=True)
class _Packed:
    """The visible Gaussians of a field as the loops want them."""

    tree: tuple[np.ndarray, ...]
    gaussians: tuple[np.ndarray, ...]


_PACKED: "WeakKeyDictionary[GaussianField, _Packed]" = WeakKeyDictionary()


def render_gaussians(
    field: GaussianField, origins: Tensor, directions: Tensor, pixel: Tensor
) -> Tensor:
    """Return ``[ray, 6]``: colour, expected and median distance, opacity; all in field units.

    Args:
        field: the Gaussians.
        origins: ``[ray, 3]``.
        directions: unit vectors ``[ray, 3]``.
        pixel: width of each ray's pixel over its distance ``[ray]``; 0 for a ray and no more.
    """
    if len(origins) == 0:
        return torch.zeros(0, 6)
    if field not in _PACKED:
        _PACKED[field] = _pack(field)
    packed = _PACKED[field]
    spread = pixel.double().numpy() * PIXEL_VARIANCE**0.5
    rays = (origins.double().numpy(), directions.double().numpy(), spread)
    bundles = bundle_rays(rays[0], rays[1], spread * _deviations(1.0))
    out = np.zeros((len(origins), 6))
    background = 1.0 if field.background == "white" else 0.0
    splat_loops.trace(
        rays,
        bundles.order,
        bundles.starts,
        bundles.shapes,
        packed.tree,
        packed.gaussians,
        (FAINTEST, MOST_OPAQUE, DARK, field.config.far, background),
        out,
    )
    return torch.from_numpy(out).float()


def _deviations(opacity: np.ndarray | float) -> np.ndarray:
    """Return how many standard deviations off a Gaussian of this opacity can still be seen."""
    return np.sqrt(2 * np.log(np.maximum(np.asarray(opacity) / FAINTEST, 1.0)))


def _pack(field: GaussianField) -> _Packed:
    g = field.gaussians
    visible = g.opacities >= FAINTEST
    positions, scales, opacities, harmonics = (
        part[visible].double().numpy() for part in (g.positions, g.scales, g.opacities, g.harmonics)
    )
    axes = g.axes()[visible].numpy()
    tree = Hierarchy.of(positions, _deviations(opacities) * scales.max(axis=1))
    parts = (positions, axes, scales, opacities, harmonics)
    return _Packed(
        tree=(tree.centres, tree.radii, tree.starts),
        gaussians=tuple(np.ascontiguousarray(part[tree.order]) for part in parts),
    )


@torch.no_grad()
def render_gaussians_reference(
    field: GaussianField, origins: Tensor, directions: Tensor, pixel: Tensor
) -> Tensor:
    """Return what ``render_gaussians`` does, slow and obvious: every ray asks every Gaussian."""
    chunk = max(1, REFERENCE_PAIRS // len(field.gaussians))
    parts = [
        _reference_chunk(field, *(t[i : i + chunk].double() for t in (origins, directions, pixel)))
        for i in range(0, len(origins), chunk)
    ]
    return torch.cat(parts).float() if parts else torch.zeros(0, 6)


def _reference_chunk(
    field: GaussianField, origins: Tensor, directions: Tensor, pixel: Tensor
) -> Tensor:
    g = field.gaussians
    field_axes = g.axes().to(origins)
    offset = g.positions.to(origins) - origins[:, None]
    own = g.scales.to(origins) ** 2
    blur = PIXEL_VARIANCE * (pixel[:, None] * offset.norm(dim=-1)) ** 2
    variance = own + blur[..., None]
    p = torch.einsum("nij,rni->rnj", field_axes, offset)
    q = torch.einsum("nij,ri->rnj", field_axes, directions)
    sharpness = (q * q / variance).sum(dim=-1)
    distance = (p * q / variance).sum(dim=-1) / sharpness
    nearest = p - distance[..., None] * q
    response = torch.exp(-0.5 * (nearest * nearest / variance).sum(dim=-1))
    # Area across the ray: det(Sigma) d^T Sigma^-1 d, by the Schur complement.
    area = own.prod(dim=-1) * (q * q / own).sum(dim=-1)
    share = torch.sqrt(area / (variance.prod(dim=-1) * sharpness))
    alpha = (g.opacities.to(origins) * share * response).clamp(max=MOST_OPAQUE)
    alpha = torch.where((distance > 0) & (alpha >= FAINTEST), alpha, torch.zeros_like(alpha))
    colours = g.colours(offset / offset.norm(dim=-1, keepdim=True).clamp(min=1e-12))
    return _reference_composite(field, alpha, distance, colours)


def _reference_composite(
    field: GaussianField, alpha: Tensor, distance: Tensor, colours: Tensor
) -> Tensor:
    order = distance.argsort(dim=-1, stable=True)
    alpha, distance = alpha.gather(-1, order), distance.gather(-1, order)
    colours = colours.gather(1, order[..., None].expand_as(colours))
    left = torch.cumprod(1 - alpha, dim=-1)
    before = torch.cat([torch.ones_like(left[:, :1]), left[:, :-1]], dim=-1)
    weights = torch.where(before >= DARK, alpha * before, torch.zeros_like(alpha))
    opacity = weights.sum(dim=-1)
    background = 1.0 if field.background == "white" else 0.0
    rgb = (weights[..., None] * colours).sum(dim=1) + (1 - opacity)[:, None] * background
    far = torch.full_like(opacity, field.config.far)
    expected = torch.where(opacity > 0, (weights * distance).sum(dim=-1) / opacity, far)
    half = left <= 0.5
    first = distance.gather(-1, half.to(torch.uint8).argmax(dim=-1, keepdim=True))[:, 0]
    median = torch.where(half.any(dim=-1), first, far)
    return torch.cat([rgb.clamp(0, 1), torch.stack([expected, median, opacity], dim=-1)], dim=-1)
