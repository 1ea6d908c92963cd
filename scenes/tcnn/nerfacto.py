"""nerfacto as tiny-cuda-nn computes it, in single precision.

Tancik et al. 2023, with the grid and networks of Müller et al. 2022. The same weights' names and
the same way of sampling as ``nerfacto``, but another grid, networks without biases, and spherical
harmonics of the direction itself, with the Condon-Shortley sign.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor

from ..field import Background
from ..proposal_sampling import propose_edges, unit_cube
from ..spherical_harmonics import spherical_harmonics
from .grid import TcnnGridConfig, tcnn_encode
from .network import TcnnNetworkConfig

GEOMETRY = 15
"""Values that the density network hands to the colour network; nerfacto's own and only number."""
HARMONICS = 16
POINTS_PER_BLOCK = 1 << 15


@dataclass(frozen=True, kw_only=True)
class TcnnNerfactoConfig:
    """What the parameters of a tiny-cuda-nn nerfacto do not say themselves."""

    grid: TcnnGridConfig
    base: TcnnNetworkConfig
    head: TcnnNetworkConfig
    proposal_grids: tuple[TcnnGridConfig, ...]
    proposals: tuple[TcnnNetworkConfig, ...]
    proposal_samples: tuple[int, ...]
    """Samples of each proposal pass."""
    samples: int
    """Samples of the last pass, which is coloured."""
    average_init_density: float = 1.0
    far: float = 1000.0
    """Far plane in field units; the near plane is 0 at inference."""
    background: Background = "last_sample"

    def __post_init__(self) -> None:
        """Refuse a configuration that no nerfacto can have."""
        counts = {len(self.proposal_grids), len(self.proposals), len(self.proposal_samples)}
        if len(counts) != 1:
            raise ValueError(
                f"expected one proposal network for each proposal pass, got "
                f"{len(self.proposals)} networks and passes {self.proposal_samples}"
            )
        if min((*self.proposal_samples, self.samples)) < 1:
            raise ValueError(f"expected at least one sample in each pass, got {self}")

    @property
    def appearance(self) -> int:
        """Values of an appearance embedding."""
        return self.head.inputs - HARMONICS - GEOMETRY

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a scene card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the configuration that ``to_dict`` described."""
        return cls(
            **{
                **data,
                "grid": TcnnGridConfig(**data["grid"]),
                "base": TcnnNetworkConfig(**data["base"]),
                "head": TcnnNetworkConfig(**data["head"]),
                "proposal_grids": tuple(TcnnGridConfig(**g) for g in data["proposal_grids"]),
                "proposals": tuple(TcnnNetworkConfig(**n) for n in data["proposals"]),
                "proposal_samples": tuple(data["proposal_samples"]),
            }
        )


class TcnnNerfactoField:
    """A trained nerfacto in tiny-cuda-nn's layout.

    Weights are float32: ``grid.{level}.table`` ``[entries, features]``; ``base.{layer}.weight`` and
    ``head.{layer}.weight`` ``[out, in]``, padded; ``appearance``, the embedding that stands for all
    photographs; and for each proposal network i ``proposal.i.{level}.table`` and
    ``proposal.i.{layer}.weight``.
    """

    def __init__(self, config: TcnnNerfactoConfig, weights: Mapping[str, Tensor]) -> None:
        """Take a configuration and the weights that belong to it; checks that they do."""
        self.config = config
        self.background: Background = config.background
        self.weights = {name: value.float().contiguous() for name, value in weights.items()}
        names = [f"proposal.{i}" for i in range(len(config.proposals))]
        self._grids = dict(
            zip(("grid", *names), (config.grid, *config.proposal_grids), strict=True)
        )
        self._networks = {"base": config.base, "head": config.head}
        self._networks |= dict(zip(names, config.proposals, strict=True))
        self._levels = {name: grid.shape() for name, grid in self._grids.items()}
        self._check()

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights by name."""
        return dict(self.weights)

    def table_levels(self) -> dict[str, int]:
        """Return the number of levels in each table: one."""
        return {
            f"{name}.{i}.table": 1
            for name, levels in self._levels.items()
            for i in range(len(levels))
        }

    def density(self, positions: Tensor) -> Tensor:
        """Return densities ``[n]`` per field unit at positions ``[n, 3]``."""
        parts = [self._geometry(part)[0] for part in positions.split(POINTS_PER_BLOCK)]
        return torch.cat(parts) if parts else positions.new_zeros(0)

    def radiance(self, positions: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return densities ``[n]`` and colours ``[n, 3]`` in [0, 1]."""
        density, rgb = positions.new_zeros(len(positions)), torch.zeros_like(positions)
        for start in range(0, len(positions), POINTS_PER_BLOCK):
            part = slice(start, start + POINTS_PER_BLOCK)
            density[part], geometry = self._geometry(positions[part])
            seen = self.weights["appearance"].expand(len(geometry), -1)
            values = torch.cat([signed_harmonics(directions[part]), geometry, seen], dim=-1)
            rgb[part] = torch.sigmoid(self._network("head", values))
        return density, rgb

    def proposal_density(self, network: int, positions: Tensor) -> Tensor:
        """Return densities ``[n]`` of one proposal network."""
        name = f"proposal.{network}"
        parts = []
        for part in positions.split(POINTS_PER_BLOCK):
            unit, inside = unit_cube(part)
            raw = self._network(name, self._encode(name, unit))[:, 0]
            parts.append(self.config.average_init_density * torch.exp(raw) * inside)
        return torch.cat(parts) if parts else positions.new_zeros(0)

    def sample_edges(self, origins: Tensor, directions: Tensor) -> Tensor:
        """Return edges ``[n, samples + 1]`` where the proposal networks expect matter."""
        return propose_edges(
            origins,
            directions,
            samples=(*self.config.proposal_samples, self.config.samples),
            far=self.config.far,
            density=self.proposal_density,
        )

    def _geometry(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        unit, inside = unit_cube(positions)
        hidden = self._network("base", self._encode("grid", unit))
        return self.config.average_init_density * torch.exp(hidden[:, 0]) * inside, hidden[:, 1:]

    def _encode(self, name: str, unit: Tensor) -> Tensor:
        levels = self._levels[name]
        return tcnn_encode(
            unit, levels, [self.weights[f"{name}.{i}.table"] for i in range(len(levels))]
        )

    def _network(self, name: str, values: Tensor) -> Tensor:
        config = self._networks[name]
        layers = [self.weights[f"{name}.{i}.weight"] for i in range(config.hidden_layers + 1)]
        return config.apply(layers, values)

    def _check(self) -> None:
        expected = {"appearance": (self.config.appearance,)}
        for name, network in self._networks.items():
            expected |= {f"{name}.{i}.weight": shape for i, shape in enumerate(network.shapes())}
        for name, levels in self._levels.items():
            features = self._grids[name].features
            expected |= {f"{name}.{i}.table": (v.entries, features) for i, v in enumerate(levels)}
        for name, shape in expected.items():
            found = tuple(self.weights[name].shape) if name in self.weights else None
            if found != shape:
                raise ValueError(
                    f"expected weight {name!r} {list(shape)} in the tiny-cuda-nn nerfacto field, "
                    f"found {'none' if found is None else list(found)}"
                )
            if not bool(torch.isfinite(self.weights[name]).all()):
                raise ValueError(f"weight {name!r} of the nerfacto field holds NaN or Inf")


def signed_harmonics(directions: Tensor) -> Tensor:
    """Return 16 spherical harmonics ``[n, 16]`` of unit vectors with the Condon-Shortley sign.

    tiny-cuda-nn is given ``(d + 1) / 2`` and maps it back to ``d``; of odd order, its basis has the
    other sign.
    """
    signs = [(-1.0) ** order for degree in range(4) for order in range(-degree, degree + 1)]
    return spherical_harmonics(directions) * torch.tensor(signs).to(directions)
