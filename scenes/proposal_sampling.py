"""How nerfacto places samples along a ray at inference: no jitter, no annealing, near plane 0.

Mip-NeRF 360 (Barron et al. 2022, section 3) with nerfstudio's piecewise spacing. All distances are
in field units.
"""

from collections.abc import Callable

import torch
from torch import Tensor

HISTOGRAM_PADDING = 0.01
EPSILON = 1e-5


def contract(positions: Tensor) -> Tensor:
    """Return positions ``[n, 3]`` drawn into the cube [-2, 2]^3 (contraction by the L-inf norm)."""
    magnitude = positions.abs().amax(dim=-1, keepdim=True)
    return torch.where(magnitude < 1, positions, (2 - 1 / magnitude) * (positions / magnitude))


def spacing_from_distance(distance: Tensor) -> Tensor:
    """Return the spacing coordinate: linear up to distance 1, in disparity beyond."""
    return torch.where(distance < 1, distance / 2, 1 - 1 / (2 * distance))


def distance_from_spacing(spacing: Tensor) -> Tensor:
    """Return the inverse of ``spacing_from_distance``."""
    return torch.where(spacing < 0.5, 2 * spacing, 1 / (2 - 2 * spacing))


def first_edges(samples: int, far: float) -> Tensor:
    """Return the spacing coordinates ``[samples + 1]`` of the first, uninformed pass."""
    far_spacing = spacing_from_distance(torch.tensor(far))
    return torch.linspace(0.0, 1.0, samples + 1) * far_spacing


def weights_from_density(density: Tensor, edges: Tensor) -> Tensor:
    """Return compositing weights ``[n, k]`` from densities ``[n, k]`` and edges ``[n, k + 1]``."""
    optical = density * (edges[:, 1:] - edges[:, :-1])
    before = torch.cumsum(optical, dim=-1) - optical
    return torch.nan_to_num((1 - torch.exp(-optical)) * torch.exp(-before))


def resample(spacing_edges: Tensor, weights: Tensor, samples: int) -> Tensor:
    """Return new spacing edges ``[n, samples + 1]`` at even quantiles of the weights."""
    padded = weights + HISTOGRAM_PADDING
    total = padded.sum(dim=-1, keepdim=True)
    lacking = torch.relu(EPSILON - total)
    pdf = (padded + lacking / padded.shape[-1]) / (total + lacking)
    cdf = torch.cumsum(pdf, dim=-1).clamp(max=1.0)
    cdf = torch.cat([torch.zeros_like(cdf[:, :1]), cdf], dim=-1)
    count = samples + 1
    u = torch.linspace(0.0, 1.0 - 1.0 / count, count, device=cdf.device) + 0.5 / count
    u = u.expand(cdf.shape[0], count).contiguous()
    index = torch.searchsorted(cdf, u, side="right")
    below, above = (index - 1).clamp(0, cdf.shape[-1] - 1), index.clamp(0, cdf.shape[-1] - 1)
    cdf_below, cdf_above = cdf.gather(-1, below), cdf.gather(-1, above)
    low, high = spacing_edges.gather(-1, below), spacing_edges.gather(-1, above)
    share = torch.nan_to_num((u - cdf_below) / (cdf_above - cdf_below)).clamp(0, 1)
    return low + share * (high - low)


def midpoints(origins: Tensor, directions: Tensor, edges: Tensor) -> Tensor:
    """Return positions ``[n, k, 3]`` halfway between neighbouring edges ``[n, k + 1]``."""
    middle = (edges[:, :-1] + edges[:, 1:]) / 2
    return origins[:, None] + directions[:, None] * middle[..., None]


def propose_edges(
    origins: Tensor,
    directions: Tensor,
    *,
    samples: tuple[int, ...],
    far: float,
    density: Callable[[int, Tensor], Tensor],
) -> Tensor:
    """Return edges ``[n, samples[-1] + 1]`` where proposal networks expect matter.

    Args:
        origins: ray origins ``[n, 3]``.
        directions: unit directions ``[n, 3]``.
        samples: samples of each proposal pass, then of the last pass.
        far: far plane.
        density: densities ``[m]`` of a proposal network, by its number, at positions ``[m, 3]``.
    """
    edges = first_edges(samples[0], far).to(origins).expand(origins.shape[0], -1)
    for network, following in enumerate(samples[1:]):
        distance = distance_from_spacing(edges)
        positions = midpoints(origins, directions, distance)
        found = density(network, positions.reshape(-1, 3)).view(positions.shape[:2])
        edges = resample(edges, weights_from_density(found, distance), following)
    return distance_from_spacing(edges)


def unit_cube(positions: Tensor) -> tuple[Tensor, Tensor]:
    """Return contracted positions ``[n, 3]`` in [0, 1] and whether each lies strictly inside.

    Those that do not (as 0 in ``[n]``, the others as 1) are set to the origin.
    """
    unit = (contract(positions) + 2) / 4
    inside = ((unit > 0) & (unit < 1)).all(dim=-1)
    return unit * inside[:, None], inside.to(unit.dtype)
