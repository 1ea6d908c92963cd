"""Volume rendering of any radiance field, slow and obvious: the oracle of every faster path.

Max 1995, "Optical models for direct volume rendering"; the compositing of Mildenhall et al. 2020,
equation 3.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..scenes.field import Field
from ..scenes.nerfacto import NerfactoField
from ..scenes.proposal_sampling import midpoints, weights_from_density
from ..scenes.scene import Scene
from ..scenes.splats.field import GaussianField
from .composite import composite
from .rays import Rays

Backend = Literal["auto", "torch", "compiled", "gsplat"]
RenderPath = Literal["exact", "fast"]


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """How rays are rendered."""

    path: RenderPath = "exact"
    """``exact`` renders the field as it was trained; ``fast`` the form that ``merkwelt scene
    optimise`` made of it, whose loss the scene's card states."""
    backend: Backend = "auto"
    """``compiled`` is the CPU kernel for nerfacto and Gaussians, ``torch`` the reference; ``auto``
    chooses between them. ``gsplat`` draws Gaussians on a GPU, projected as they are trained. All
    but ``gsplat`` make the same picture but for round-off."""
    rays_per_chunk: int = 4096
    """Rays rendered at once by the torch path; bounds its memory."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What each ray saw; lengths in world units."""

    rgb: Float[Tensor, "ray 3"]
    """Colour in [0, 1]."""
    depth: Float[Tensor, " ray"]
    """Expected z-depth."""
    depth_median: Float[Tensor, " ray"]
    """z-depth at which half of the light has been absorbed."""
    opacity: Float[Tensor, " ray"]
    """Share of the light absorbed along the ray, in [0, 1]."""


def render_rays(scene: Scene, rays: Rays, options: RenderOptions | None = None) -> Rendered:
    """Return colour, depth and opacity along world rays.

    Raises:
        ValueError: a backend was asked for that does not draw this field.
        FileNotFoundError: the fast path was asked for, and the scene has none yet.
    """
    options = options or RenderOptions()
    if options.path == "fast":
        return _render_fast(scene, rays, options.backend)
    origins, directions, world_per_field = field_rays(scene, rays)
    if isinstance(scene.field, GaussianField):
        packed = _render_gaussians(scene, rays, (origins, directions), options.backend)
    elif _is_compiled(scene.field, options.backend):
        from .nerfacto.kernel import render_nerfacto

        packed = render_nerfacto(scene.field, origins, directions)  # type: ignore[arg-type]
    else:
        chunk = options.rays_per_chunk
        parts = [
            render_field(scene.field, origins[i : i + chunk], directions[i : i + chunk])
            for i in range(0, max(len(rays), 1), chunk)
        ]
        packed = torch.cat(parts)
    return _rendered(packed, rays.z_per_distance * world_per_field)


def _rendered(packed: Tensor, z_per_length: Tensor) -> Rendered:
    return Rendered(
        rgb=packed[:, :3],
        depth=packed[:, 3] * z_per_length,
        depth_median=packed[:, 4] * z_per_length,
        opacity=packed[:, 5],
    )


@torch.no_grad()
def render_field(field: Field, origins: Tensor, directions: Tensor) -> Tensor:
    """Return ``[ray, 6]``: colour, expected and median distance, opacity; all in field units."""
    edges = field.sample_edges(origins, directions)
    positions = midpoints(origins, directions, edges)
    rays, samples = positions.shape[:2]
    density, rgb = field.radiance(
        positions.reshape(-1, 3),
        directions[:, None].expand(rays, samples, 3).reshape(-1, 3),
    )
    weights = weights_from_density(density.view(rays, samples), edges)
    return composite(weights, rgb.view(rays, samples, 3), edges, field.background)


def _render_fast(scene: Scene, rays: Rays, backend: Backend) -> Rendered:
    from .bricks.kernel import render_bricks

    if backend not in ("auto", "compiled"):
        raise ValueError(
            f"the fast path has no backend {backend!r}; use backend 'auto' or 'compiled', or the "
            "exact path"
        )
    bricks = scene.bricks
    origins = torch.from_numpy(bricks.space.grid_from_world(rays.origins.double().numpy()))
    packed = render_bricks(bricks, origins, rays.directions)
    scale = rays.z_per_distance * bricks.space.half_edge
    return _rendered(packed, scale)


def _render_gaussians(
    scene: Scene, rays: Rays, field_rays: tuple[Tensor, Tensor], backend: Backend
) -> Tensor:
    from .splats.trace import render_gaussians, render_gaussians_reference

    assert isinstance(scene.field, GaussianField)
    if backend == "gsplat":
        from .splats.gsplat_backend import render_with_gsplat

        return render_with_gsplat(scene.field, rays, scene.world_from_field)
    pixel = torch.zeros(len(rays)) if rays.pixel is None else rays.pixel
    render = render_gaussians_reference if backend == "torch" else render_gaussians
    return render(scene.field, *field_rays, pixel)


def field_rays(scene: Scene, rays: Rays) -> tuple[Tensor, Tensor, float]:
    """Return origins and unit directions in field coordinates, and world units per field unit."""
    field_from_world = torch.from_numpy(np.linalg.inv(scene.world_from_field)).double()
    world_per_field = scene.card.world_units_per_field_unit
    linear = field_from_world[:3, :3]
    origins = rays.origins.double() @ linear.T + field_from_world[:3, 3]
    directions = rays.directions.double() @ linear.T * world_per_field
    return origins.float().contiguous(), directions.float().contiguous(), world_per_field


def has_kernel(field: Field) -> bool:
    """Return whether a field can be rendered by the compiled backend.

    Asked of the exact type: a field that only resembles nerfacto is another function, and the
    kernel must not render it.
    """
    return type(field) is NerfactoField


def _is_compiled(field: Field, backend: Backend) -> bool:
    if backend == "torch":
        return False
    if backend == "gsplat":
        raise ValueError(
            f"gsplat draws Gaussians only, this scene holds a {type(field).__name__}; use backend "
            "'auto' or 'torch'"
        )
    if has_kernel(field):
        return True
    if backend == "compiled":
        raise ValueError(
            f"the compiled backend renders nerfacto fields only, this scene holds a "
            f"{type(field).__name__}; use backend 'auto' or 'torch'"
        )
    return False
