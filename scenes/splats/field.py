"""A radiance field of 3D Gaussians.

Pictures are made from the Gaussians themselves (``merkwelt.render``), as they were trained. What a
body may bump into is asked from a density, which Gaussians do not have: an opacity is a share of
light, whatever the thickness. It is defined here so that a ray that crosses a Gaussian face on
loses the light that the Gaussian absorbs: the matter of a Gaussian is its optical depth
``-log(1 - opacity)`` times its area ``2 pi s1 s2`` (its two longer axes), blurred by a ``grain``:

    density(x) = sum_i m_i N(x; mean_i, Sigma_i + grain^2 I),   m_i = -log(1 - o_i) 2 pi s1_i s2_i

with the normal distribution ``N``. The grain makes films visible to whoever samples at steps of up
to about twice the grain; it moves matter but makes none.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from ..field import Background
from . import density_loops
from .gaussians import Gaussians
from .hierarchy import Hierarchy

MOST_OPAQUE = 0.99
"""No Gaussian absorbs more of the light that meets it (Kerbl et al. 2023, appendix C)."""
REACH = 4.0
"""Standard deviations beyond which a Gaussian adds no density."""
STEPS = 256


@dataclass(frozen=True, kw_only=True)
class GaussianConfig:
    """What a field of Gaussians needs besides them; lengths in field units."""

    grain: float
    """Blur of the density."""
    far: float
    """Distance that a ray shows where nothing absorbs half of its light."""
    background: Background = "black"

    def __post_init__(self) -> None:
        """Refuse lengths that are none."""
        if not (0 < self.grain < math.inf and 0 < self.far < math.inf):
            raise ValueError(f"expected a positive grain and far distance, got {self}")
        if self.background not in ("black", "white"):
            raise ValueError(
                f"expected a black or white background of Gaussians, got {self.background!r}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a scene card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the configuration that ``to_dict`` described."""
        return cls(**data)


class GaussianField:
    """3D Gaussians as a field: their density, their colours and, for pictures, themselves."""

    def __init__(self, config: GaussianConfig, gaussians: Gaussians) -> None:
        """Take Gaussians, at least one, and what is needed besides."""
        if len(gaussians) == 0:
            raise ValueError("expected at least one Gaussian, got none")
        self.config = config
        self.gaussians = gaussians
        self.background: Background = config.background

    @classmethod
    def from_tensors(cls, config: GaussianConfig, tensors: Mapping[str, Tensor]) -> Self:
        """Return the field that ``tensors`` described.

        Raises:
            ValueError: a tensor is missing or does not fit; names it.
        """
        names = ("positions", "scales", "rotations", "opacities", "harmonics")
        if set(names) != set(tensors):
            raise ValueError(
                f"expected the tensors {list(names)} of a Gaussian field, found {sorted(tensors)}"
            )
        return cls(config, Gaussians(**{name: tensors[name].float() for name in names}))

    def tensors(self) -> dict[str, Tensor]:
        """Return the Gaussians by part."""
        g = self.gaussians
        parts = {"positions": g.positions, "scales": g.scales, "rotations": g.rotations}
        return {**parts, "opacities": g.opacities, "harmonics": g.harmonics}

    def density(self, positions: Tensor) -> Tensor:
        """Return densities ``[n]`` per field unit at positions ``[n, 3]``."""
        return self._gather(positions, positions.new_zeros(0, 3))[:, 0]

    def radiance(self, positions: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return densities ``[n]`` and colours ``[n, 3]`` in [0, 1], means weighted by density."""
        found = self._gather(positions, directions)
        rgb = found[:, 1:] / found[:, :1].clamp(min=torch.finfo(found.dtype).tiny)
        return found[:, 0], rgb.clamp(0, 1)

    def sample_edges(self, origins: Tensor, directions: Tensor) -> Tensor:
        """Return equal intervals through the ball that holds all Gaussians: ``[n, 257]``."""
        tree = self._matter[0]
        centre, radius = origins.new_tensor(tree.centres[-1]), float(tree.radii[-1])
        middle = ((centre - origins) * directions).sum(dim=-1)
        start = (middle - radius).clamp(min=0)[:, None]
        end = (middle + radius).clamp(min=radius)[:, None]
        return start + (end - start) * torch.linspace(0, 1, STEPS + 1).to(origins)

    def _gather(self, positions: Tensor, directions: Tensor) -> Tensor:
        tree, whitening, peaks, harmonics = self._matter
        found = np.zeros((len(positions), 4))
        density_loops.density_at(
            np.ascontiguousarray(positions.detach().cpu().numpy(), dtype=np.float64),
            np.ascontiguousarray(directions.detach().cpu().numpy(), dtype=np.float64),
            (tree.centres, tree.radii, tree.starts),
            whitening,
            peaks,
            harmonics,
            REACH,
            found,
        )
        return torch.from_numpy(found).to(positions)

    @cached_property
    def _matter(self) -> tuple[Hierarchy, np.ndarray, np.ndarray, np.ndarray]:
        """The hierarchy of blurred Gaussians, and in its order whitenings, peaks, harmonics."""
        g = self.gaussians
        scales = g.scales.double().numpy()
        blurred = np.sqrt(scales**2 + self.config.grain**2)
        depth = -np.log1p(-g.opacities.double().clamp(max=MOST_OPAQUE).numpy())
        longer = np.sort(scales, axis=1)[:, 1:].prod(axis=1)
        mass = depth * 2 * math.pi * longer
        peaks = mass / ((2 * math.pi) ** 1.5 * blurred.prod(axis=1))
        tree = Hierarchy.of(g.positions.double().numpy(), REACH * blurred.max(axis=1))
        whitening = g.axes().numpy().transpose(0, 2, 1) / blurred[:, :, None]
        order = tree.order
        parts = (whitening, peaks, g.harmonics.double().numpy())
        whitening, peaks, harmonics = (np.ascontiguousarray(part[order]) for part in parts)
        return tree, whitening, peaks, harmonics
