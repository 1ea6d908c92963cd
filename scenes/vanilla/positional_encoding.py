"""The positional encoding of NeRF (Mildenhall et al. 2020, equation 4)."""

from dataclasses import dataclass

import torch
from torch import Tensor

MOST_FREQUENCIES = 32


@dataclass(frozen=True, kw_only=True)
class EncodingConfig:
    """How a point or a direction is encoded.

    ``gamma(p) = (p, sin(2^0 p), cos(2^0 p), .., sin(2^(L-1) p), cos(2^(L-1) p))``, each sine and
    cosine taken of all three coordinates at once. The paper's factor pi is left out, as in the
    authors' code and in those after it.
    """

    frequencies: int
    """L, 10 for positions and 4 for directions in the paper."""
    includes_input: bool = True
    """Whether p itself comes first."""
    is_geometric: bool = True
    """Whether frequencies double from one to the next, or are evenly spaced between the ends."""

    def __post_init__(self) -> None:
        """Refuse encodings of nothing, and of more frequencies than a float can resolve."""
        if not 0 <= self.frequencies <= MOST_FREQUENCIES or self.size == 0:
            raise ValueError(
                f"expected an encoding of at least the input or one frequency, and at most "
                f"{MOST_FREQUENCIES} frequencies, got {self}"
            )

    @classmethod
    def of_size(cls, size: int, *, is_geometric: bool = True) -> "EncodingConfig":
        """Return the encoding with ``size`` values: ``6 L`` or, with the input, ``6 L + 3``.

        Raises:
            ValueError: no encoding has that size.
        """
        frequencies, rest = divmod(size, 6)
        if rest not in (0, 3) or size <= 0:
            raise ValueError(f"expected 6 L or 6 L + 3 encoded values, found {size}")
        return cls(frequencies=frequencies, includes_input=rest == 3, is_geometric=is_geometric)

    @property
    def size(self) -> int:
        """Number of encoded values."""
        return 6 * self.frequencies + 3 * self.includes_input

    def encode(self, points: Tensor) -> Tensor:
        """Return encoded points ``[n, size]`` of points ``[n, 3]``."""
        top = 2.0 ** max(self.frequencies - 1, 0)
        like = {"dtype": points.dtype, "device": points.device}
        bands = (
            2.0 ** torch.arange(self.frequencies, **like)
            if self.is_geometric
            else torch.linspace(1.0, top, self.frequencies, **like)
        )
        angles = points[:, None, :] * bands[:, None]
        waves = torch.stack([torch.sin(angles), torch.cos(angles)], dim=2).flatten(1)
        return torch.cat([points, waves], dim=-1) if self.includes_input else waves
