"""nerfacto, without nerfstudio: its field, its proposal networks and its way of sampling rays.

Tancik et al. 2023, "Nerfstudio". The functions reproduce what nerfstudio 1.1.5's torch
implementation computes at inference; tiny-cuda-nn's is another function, in ``tcnn_nerfacto``.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor

from .field import Background
from .hash_grid import hash_encode, level_resolutions
from .proposal_sampling import propose_edges, unit_cube
from .spherical_harmonics import spherical_harmonics


@dataclass(frozen=True, kw_only=True)
class GridConfig:
    """Shape of one hash grid."""

    levels: int
    base_resolution: int
    max_resolution: int

    def resolutions(self) -> Tensor:
        """Return cells along an edge at each level."""
        return level_resolutions(self.levels, self.base_resolution, self.max_resolution)


@dataclass(frozen=True, kw_only=True)
class NerfactoConfig:
    """What a nerfacto checkpoint does not say itself; it stands in its run's ``config.yml``."""

    grid: GridConfig
    proposal_grids: tuple[GridConfig, ...]
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
        if len(self.proposal_grids) != len(self.proposal_samples):
            raise ValueError(
                f"expected one proposal network for each proposal pass, got "
                f"{len(self.proposal_grids)} networks and passes {self.proposal_samples}"
            )
        if min((*self.proposal_samples, self.samples)) < 1:
            raise ValueError(f"expected at least one sample in each pass, got {self}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a scene card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the configuration that ``to_dict`` described."""
        grids = tuple(GridConfig(**grid) for grid in data["proposal_grids"])
        return cls(
            **{
                **data,
                "grid": GridConfig(**data["grid"]),
                "proposal_grids": grids,
                "proposal_samples": tuple(data["proposal_samples"]),
            }
        )


class NerfactoField:
    """A trained nerfacto: weights by name, and what follows from them.

    Weights are float32: ``grid.table`` ``[levels * table, 2]``; ``base.{0,1}.weight|bias`` (grid
    features to density and geometry); ``head.{0,1,2}.weight|bias`` (spherical harmonics, geometry
    and mean appearance, folded into the first bias, to colour); and for each proposal network i
    ``proposal.i.table`` and ``proposal.i.{0,1}.weight|bias``.
    """

    def __init__(self, config: NerfactoConfig, weights: Mapping[str, Tensor]) -> None:
        """Take a configuration and the weights that belong to it; checks that they do."""
        self.config = config
        self.background: Background = config.background
        self.weights = {name: value.float().contiguous() for name, value in weights.items()}
        self._check()

    def _check(self) -> None:
        for name in _expected_names(self.config):
            if name not in self.weights:
                raise ValueError(
                    f"expected weight {name!r} in the nerfacto field, found {sorted(self.weights)}"
                )
            if not bool(torch.isfinite(self.weights[name]).all()):
                raise ValueError(f"weight {name!r} of the nerfacto field holds NaN or Inf")
        tables = [("grid", self.config.grid)]
        tables += [(f"proposal.{i}", g) for i, g in enumerate(self.config.proposal_grids)]
        for name, grid in tables:
            rows = self.weights[f"{name}.table"].shape[0]
            size, rest = divmod(rows, grid.levels)
            if rest or size & (size - 1):
                raise ValueError(
                    f"{name}.table has {rows} rows: expected {grid.levels} levels of a power of two"
                )

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights by name."""
        return dict(self.weights)

    def table_levels(self) -> dict[str, int]:
        """Return the number of levels in each hash table."""
        config = self.config
        levels = {f"proposal.{i}.table": g.levels for i, g in enumerate(config.proposal_grids)}
        return {"grid.table": config.grid.levels} | levels

    def density(self, positions: Tensor) -> Tensor:
        """Return densities ``[n]`` per field unit at positions ``[n, 3]``."""
        return self._geometry(positions)[0]

    def radiance(self, positions: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return densities ``[n]`` and colours ``[n, 3]`` in [0, 1]."""
        density, geometry = self._geometry(positions)
        harmonics = spherical_harmonics((directions + 1) / 2)
        hidden = torch.cat([harmonics, geometry], dim=-1)
        return density, torch.sigmoid(self._network("head", 3, hidden))

    def proposal_density(self, network: int, positions: Tensor) -> Tensor:
        """Return densities ``[n]`` of one proposal network."""
        unit, inside = unit_cube(positions)
        name = f"proposal.{network}"
        resolutions = self.config.proposal_grids[network].resolutions()
        features = hash_encode(unit, self.weights[f"{name}.table"], resolutions)
        raw = self._network(name, 2, features)[:, 0]
        return self.config.average_init_density * torch.exp(raw) * inside

    def sample_edges(self, origins: Tensor, directions: Tensor) -> Tensor:
        """Return edges ``[n, samples + 1]`` where the proposal networks expect matter."""
        config = self.config
        return propose_edges(
            origins,
            directions,
            samples=(*config.proposal_samples, config.samples),
            far=config.far,
            density=self.proposal_density,
        )

    def _geometry(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        unit, inside = unit_cube(positions)
        features = hash_encode(unit, self.weights["grid.table"], self.config.grid.resolutions())
        hidden = self._network("base", 2, features)
        return self.config.average_init_density * torch.exp(hidden[:, 0]) * inside, hidden[:, 1:]

    def _network(self, name: str, layers: int, hidden: Tensor) -> Tensor:
        for layer in range(layers):
            weight = self.weights[f"{name}.{layer}.weight"]
            hidden = torch.addmm(self.weights[f"{name}.{layer}.bias"], hidden, weight.T)
            if layer < layers - 1:
                hidden = torch.relu(hidden)
        return hidden


def _expected_names(config: NerfactoConfig) -> list[str]:
    networks = [("base", 2), ("head", 3)]
    networks += [(f"proposal.{i}", 2) for i in range(len(config.proposal_grids))]
    names = [
        f"{n}.{i}.{part}" for n, k in networks for i in range(k) for part in ("weight", "bias")
    ]
    return [
        "grid.table",
        *names,
        *(f"proposal.{i}.table" for i in range(len(config.proposal_grids))),
    ]
