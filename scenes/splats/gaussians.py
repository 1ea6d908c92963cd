"""A set of 3D Gaussians: where they are, how they lie, how opaque and of what colour they are.

Kerbl et al. 2023, "3D Gaussian Splatting for Real-Time Radiance Field Rendering", section 4.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..spherical_harmonics import spherical_harmonics

DC = 0.28209479177387814
"""Value of the spherical harmonic of degree 0, ``1 / (2 sqrt(pi))``."""
SIGNS = (1.0, *(-1.0, 1.0, -1.0), *(1.0, -1.0, 1.0, -1.0, 1.0))
SIGNS += (-1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0)
"""Trained Gaussians use harmonics with the Condon-Shortley phase: ``(-1)^m`` times the others."""
THINNEST = 1e-3
"""No axis of a Gaussian is taken to be thinner than this share of its longest one."""
FAINTEST = 1.0 / 255.0
"""A Gaussian that absorbs less than this is not seen (Kerbl et al. 2023, appendix C)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gaussians:
    """n Gaussians ``opacity * exp(-1/2 (x - mean)^T Sigma^-1 (x - mean))``, all float32.

    ``Sigma = R diag(scales^2) R^T`` with the rotation ``R`` of the quaternion.
    """

    positions: Tensor
    """Means ``[n, 3]``."""
    scales: Tensor
    """Standard deviations ``[n, 3]`` along each Gaussian's own axes."""
    rotations: Tensor
    """Unit quaternions ``[n, 4]``, real part first, from own axes to the field's."""
    opacities: Tensor
    """Share of the light absorbed in the middle ``[n]``, in [0, 1]."""
    harmonics: Tensor
    """Coefficients ``[n, (degree + 1)^2, 3]`` of the colour less one half; degree 0 to 3."""

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together and values that no Gaussian can have."""
        n = self.positions.shape[0]
        expected = {"positions": (n, 3), "scales": (n, 3), "rotations": (n, 4), "opacities": (n,)}
        for name, shape in expected.items():
            if tuple(getattr(self, name).shape) != shape:
                raise ValueError(
                    f"expected Gaussian {name} {list(shape)}, got {list(getattr(self, name).shape)}"
                )
        if self.harmonics.shape not in [(n, k * k, 3) for k in (1, 2, 3, 4)]:
            raise ValueError(
                f"expected harmonics [{n}, 1 | 4 | 9 | 16, 3], got {list(self.harmonics.shape)}"
            )
        for name in (*expected, "harmonics"):
            if not bool(torch.isfinite(getattr(self, name)).all()):
                raise ValueError(f"{name} of the Gaussians hold NaN or Inf")
        length = self.rotations.norm(dim=-1)
        if n and (float(self.scales.min()) <= 0 or float((length - 1).abs().max()) > 1e-3):
            raise ValueError("expected Gaussians of positive scales with unit quaternions")

    def __len__(self) -> int:
        """Return the number of Gaussians."""
        return self.positions.shape[0]

    @property
    def degree(self) -> int:
        """Degree of the spherical harmonics, 0 to 3."""
        return {1: 0, 4: 1, 9: 2, 16: 3}[self.harmonics.shape[1]]

    def axes(self) -> Tensor:
        """Return rotation matrices ``[n, 3, 3]`` from own axes to the field's, float64."""
        w, x, y, z = self.rotations.double().unbind(-1)
        rows = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
        return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)

    def colours(self, directions: Tensor) -> Tensor:
        """Return colours ``[..., n, 3]``, at least 0, seen along unit vectors ``[..., n, 3]``.

        ``max(0, 1/2 + sum_k coefficient_k Y_k(direction))``, directions from the eye outwards.
        """
        terms = self.harmonics.shape[1]
        basis = spherical_harmonics(directions.reshape(-1, 3))[:, :terms]
        basis = (basis * basis.new_tensor(SIGNS[:terms])).view(*directions.shape[:-1], terms)
        colour = torch.einsum("...nk,nkc->...nc", basis, self.harmonics.to(basis))
        return (colour + 0.5).clamp(min=0)


def thickened(scales: Tensor) -> Tensor:
    """Return scales ``[n, 3]`` with no axis thinner than ``THINNEST`` of the longest one."""
    return torch.maximum(scales, THINNEST * scales.amax(dim=-1, keepdim=True))
