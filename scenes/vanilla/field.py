"""The vanilla NeRF: two networks and hierarchical sampling (Mildenhall et al. 2020).

Sampling is the paper's without its chance: the coarse network is asked in the middle of even bins
(equation 2 with the expectation in place of the draw), the fine one in the middle of the intervals
between those bins' edges and even quantiles of the coarse weights (section 5.2). All distances are
along the ray, in field units.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor

from ..field import Background
from ..proposal_sampling import midpoints, weights_from_density
from .network import RadianceNetwork, Wiring
from .positional_encoding import EncodingConfig

PDF_FLOOR = 1e-5
"""Added to each coarse weight, so that a ray through nothing is sampled evenly."""


@dataclass(frozen=True, kw_only=True)
class VanillaConfig:
    """What a NeRF's weights do not say themselves."""

    coarse: Wiring
    fine: Wiring
    near: float
    """Near plane: nothing nearer to the eye is seen; what lies there was never trained."""
    far: float
    coarse_samples: int = 64
    """Even bins between the planes."""
    fine_samples: int = 64
    """Samples added where the coarse network sees matter; 0 for none."""
    is_linear_in_disparity: bool = False
    """Whether the bins are even in 1 / distance."""
    background: Background = "white"

    def __post_init__(self) -> None:
        """Refuse planes and counts that cannot be meant."""
        if not 0 <= self.near < self.far < float("inf"):
            raise ValueError(
                f"expected 0 <= near < far, got near {self.near} and far {self.far}; "
                "say --near and --far in the units of the capture's poses"
            )
        if self.is_linear_in_disparity and self.near <= 0:
            raise ValueError("expected a positive near plane for bins that are even in disparity")
        if self.coarse_samples < 2 or self.fine_samples < 0:
            raise ValueError(
                f"expected at least 2 coarse and 0 fine samples, got {self.coarse_samples} and "
                f"{self.fine_samples}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a scene card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the configuration that ``to_dict`` described."""
        return cls(
            **{**data, "coarse": _wiring(data["coarse"]), "fine": _wiring(data["fine"])},
        )


class VanillaField:
    """A trained NeRF: weights ``coarse.*`` and ``fine.*``, as ``RadianceNetwork`` names them."""

    def __init__(self, config: VanillaConfig, weights: Mapping[str, Tensor]) -> None:
        """Take a configuration and the weights that belong to it; checks that they do."""
        self.config = config
        self.background: Background = config.background
        self.weights = {name: value.float().contiguous() for name, value in weights.items()}
        self.coarse = RadianceNetwork(config.coarse, self.weights, "coarse")
        self.fine = RadianceNetwork(config.fine, self.weights, "fine")

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights by name."""
        return dict(self.weights)

    def density(self, positions: Tensor) -> Tensor:
        """Return the fine network's densities ``[n]`` per field unit at positions ``[n, 3]``."""
        return self.fine.density(positions)

    def radiance(self, positions: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fine network's densities ``[n]`` and colours ``[n, 3]`` in [0, 1]."""
        return self.fine.radiance(positions, directions)

    def sample_edges(self, origins: Tensor, directions: Tensor) -> Tensor:
        """Return edges ``[n, coarse_samples + fine_samples + 1]`` between the planes."""
        edges = self._even_edges().to(origins).expand(origins.shape[0], -1)
        if not self.config.fine_samples:
            return edges
        positions = midpoints(origins, directions, edges)
        density = self.coarse.density(positions.reshape(-1, 3)).view(positions.shape[:2])
        weights = weights_from_density(density, edges)
        added = quantiles(edges, weights + PDF_FLOOR, self.config.fine_samples)
        return torch.cat([edges, added], dim=-1).sort(dim=-1).values

    def _even_edges(self) -> Tensor:
        near, far = self.config.near, self.config.far
        share = torch.linspace(0.0, 1.0, self.config.coarse_samples + 1)
        if self.config.is_linear_in_disparity:
            return 1 / (1 / near + share * (1 / far - 1 / near))
        return near + share * (far - near)


def quantiles(edges: Tensor, weights: Tensor, count: int) -> Tensor:
    """Return ``count`` even quantiles ``[n, count]`` of a piecewise constant density.

    Inverse transform sampling of Mildenhall et al. 2020, section 5.2, at the middles of ``count``
    even parts of [0, 1] instead of random numbers. ``weights`` ``[n, k]`` are positive and lie in
    the intervals between ``edges`` ``[n, k + 1]``.
    """
    cdf = torch.cumsum(weights, dim=-1)
    cdf = torch.cat([torch.zeros_like(cdf[:, :1]), cdf / cdf[:, -1:]], dim=-1)
    u = (torch.arange(count, device=edges.device, dtype=edges.dtype) + 0.5) / count
    u = u.expand(len(edges), count).contiguous()
    above = torch.searchsorted(cdf, u, side="right").clamp(1, edges.shape[1] - 1)
    low, high = cdf.gather(-1, above - 1), cdf.gather(-1, above)
    share = ((u - low) / (high - low).clamp_min(torch.finfo(u.dtype).tiny)).clamp(0, 1)
    start, stop = edges.gather(-1, above - 1), edges.gather(-1, above)
    return start + share * (stop - start)


def _wiring(data: Mapping[str, Any]) -> Wiring:
    direction = data["direction"]
    return Wiring(
        **{
            **data,
            "position": EncodingConfig(**data["position"]),
            "direction": None if direction is None else EncodingConfig(**direction),
        }
    )
