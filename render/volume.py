"""Volume rendering of any radiance field, slow and obvious: the oracle of every faster path.

Max 1995, "Optical models for direct volume rendering"; the compositing of Mildenhall et al. 2020,
equation 3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

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
Device = Literal["cpu", "cuda"]


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """How rays are rendered."""

    path: RenderPath = "exact"
    """``exact`` renders the field as it was trained; ``fast`` the form that ``merkwelt scene
    optimise`` made of it, whose loss the scene's card states."""
    backend: Backend = "auto"
    """``compiled`` is the kernel for nerfacto and, on the CPU, Gaussians, ``torch`` the reference;
    ``auto`` chooses between them. ``gsplat`` draws Gaussians on a GPU, projected as they are
    trained. All but ``gsplat`` make the same picture but for round-off."""
    rays_per_chunk: int = 4096
    """Rays rendered at once by the torch path; bounds its memory."""
    device: Device = "cpu"
    """``cuda`` renders on the current GPU, which must be asked for, because its pictures are those
    of the CPU but for the rounding of nerfacto's weights to half precision, and for round-off."""

    def __post_init__(self) -> None:
        """Refuse paths that there are not, and devices that nothing is rendered on."""
        if self.path not in get_args(RenderPath):
            raise ValueError(f"expected the path exact or fast, got {self.path!r}")
        if self.device not in get_args(Device):
            raise ValueError(f"expected the device cpu or cuda, got {self.device!r}")


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
    """Return colour, depth and opacity along world rays, on the device that rendered them.

    That is the options' device, or the rays' own if they are on another than the CPU already. On a
    GPU nothing waits for it: what comes back may still be being rendered.

    Raises:
        ValueError: a backend was asked for that does not draw this field, or not there.
        FileNotFoundError: the fast path was asked for, and the scene has none yet.
        RuntimeError: there is no such device.
        ImportError: triton is not installed, which renders on a GPU.
    """
    options = options or RenderOptions()
    if options.device != "cpu":
        rays = rays.to(options.device)
    if options.path == "fast":
        return _render_fast(scene, rays, options.backend)
    origins, directions, world_per_field = field_rays(scene, rays)
    if isinstance(scene.field, GaussianField):
        packed = _render_gaussians(scene, rays, (origins, directions), options.backend)
    elif _is_compiled(scene.field, options.backend):
        packed = _nerfacto_renderer(rays)(scene.field, origins, directions)
    else:
        _require_field_on(scene.field, rays.device)
        chunk = options.rays_per_chunk
        parts = [
            render_field(scene.field, origins[i : i + chunk], directions[i : i + chunk])
            for i in range(0, max(len(rays), 1), chunk)
        ]
        packed = torch.cat(parts)
    return _rendered(packed, rays.z_per_distance * world_per_field)


def _is_on_gpu(rays: Rays) -> bool:
    """Return whether rays are rendered by Triton's kernels."""
    return rays.device.type == "cuda"


def _nerfacto_renderer(rays: Rays) -> Callable[..., Tensor]:
    """Return the kernel of the exact path for where the rays are."""
    if _is_on_gpu(rays):
        from .nerfacto.triton_path import render_nerfacto_triton

        return render_nerfacto_triton
    from .nerfacto.kernel import render_nerfacto

    return render_nerfacto


def _require_field_on(field: Field, device: torch.device) -> None:
    """Refuse to look with rays at a field that is elsewhere."""
    for weight in field.tensors().values():
        if weight.device != device:
            raise ValueError(
                f"expected a {type(field).__name__} on the rays' device {device}, it is on "
                f"{weight.device}: of exact fields only nerfacto is rendered on a GPU, with "
                "backend 'auto'; render on the CPU, or the scene's fast form"
            )


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
    if backend not in ("auto", "compiled"):
        raise ValueError(
            f"the fast path has no backend {backend!r}; use backend 'auto' or 'compiled', or the "
            "exact path"
        )
    bricks, space = scene.bricks, scene.bricks.space
    centre = torch.tensor(space.centre, dtype=torch.float64).to(rays.device, non_blocking=True)
    origins = ((rays.origins.double() - centre) / space.half_edge).float()
    packed = _brick_renderer(rays)(bricks, origins, rays.directions.contiguous())
    return _rendered(packed, rays.z_per_distance * space.half_edge)


def _brick_renderer(rays: Rays) -> Callable[..., Tensor]:
    """Return the kernel of the fast path for where the rays are."""
    if _is_on_gpu(rays):
        from .bricks.triton_path import render_bricks_triton

        return render_bricks_triton
    from .bricks.kernel import render_bricks

    return render_bricks


def _render_gaussians(
    scene: Scene, rays: Rays, field_rays: tuple[Tensor, Tensor], backend: Backend
) -> Tensor:
    from .splats.trace import render_gaussians, render_gaussians_reference

    assert isinstance(scene.field, GaussianField)
    if backend == "gsplat":
        from .splats.gsplat_backend import render_with_gsplat

        # It takes poses to the GPU, and hands the picture back on the CPU.
        drawn = render_with_gsplat(scene.field, rays.to("cpu"), scene.world_from_field)
        return drawn.to(rays.device)
    if rays.device.type != "cpu":
        raise ValueError(
            f"backend {backend!r} draws Gaussians on the CPU, got rays on {rays.device}; use "
            "backend 'gsplat', or render on the CPU"
        )
    pixel = torch.zeros(len(rays)) if rays.pixel is None else rays.pixel
    render = render_gaussians_reference if backend == "torch" else render_gaussians
    return render(scene.field, *field_rays, pixel)


def field_rays(scene: Scene, rays: Rays) -> tuple[Tensor, Tensor, float]:
    """Return origins and unit directions in field coordinates, and world units per field unit."""
    field_from_world = torch.from_numpy(np.linalg.inv(scene.world_from_field)).double()
    field_from_world = field_from_world.to(rays.device, non_blocking=True)
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
