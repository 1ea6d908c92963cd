"""The multi-resolution grid as tiny-cuda-nn computes it: another function than ``hash_grid``.

Müller et al. 2022, "Instant neural graphics primitives", section 3. Unlike nerfstudio's torch grid,
coarse levels are dense, positions are shifted by half a cell, and scales are not whole numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..hash_grid import PRIMES

ENTRIES_MULTIPLE = 8
"""A level's entries are rounded up to a multiple of this."""


@dataclass(frozen=True, kw_only=True)
class TcnnGridConfig:
    """Shape of one grid."""

    levels: int
    base_resolution: int
    max_resolution: int
    log2_table_size: int
    """A level has at most 2 to the power of this entries."""
    features: int = 2
    """Values of each entry."""

    def __post_init__(self) -> None:
        """Refuse grids that tiny-cuda-nn cannot have."""
        sane = 1 <= self.levels <= 32 and 1 <= self.base_resolution <= self.max_resolution
        if not (sane and 3 <= self.log2_table_size <= 30 and self.features in (1, 2, 4, 8)):
            raise ValueError(f"expected a grid that tiny-cuda-nn can have, got {self}")

    @property
    def size(self) -> int:
        """Number of features of an encoded position."""
        return self.levels * self.features

    @property
    def parameters(self) -> int:
        """Numbers in all levels together."""
        return sum(level.entries for level in self.shape()) * self.features

    def shape(self) -> tuple["TcnnLevel", ...]:
        """Return the levels, coarsest first.

        ``scale = base growth^level - 1`` with cells ``ceil(scale) + 1`` along an edge, in float32
        as it is trained: the ceiling must fall where it fell there.
        """
        ratio = math.log(self.max_resolution) - math.log(self.base_resolution)
        growth = np.float32(math.exp(ratio / max(self.levels - 1, 1)))
        log2_growth = np.log2(growth, dtype=np.float32)
        return tuple(self._level(level, log2_growth) for level in range(self.levels))

    def _level(self, level: int, log2_growth: np.float32) -> "TcnnLevel":
        power = np.exp2(np.float32(level) * log2_growth, dtype=np.float32)
        scale = power * np.float32(self.base_resolution) - np.float32(1)
        resolution = math.ceil(scale) + 1
        cells = resolution**3
        rounded = -(-cells // ENTRIES_MULTIPLE) * ENTRIES_MULTIPLE
        entries = min(rounded, 2**self.log2_table_size)
        return TcnnLevel(
            scale=float(scale),
            resolution=resolution,
            entries=entries,
            is_dense=cells <= entries,
        )


@dataclass(frozen=True, kw_only=True)
class TcnnLevel:
    """One level of a grid."""

    scale: float
    """Cells per unit of length."""
    resolution: int
    """Places along an edge of a dense level."""
    entries: int
    """Rows of its table."""
    is_dense: bool
    """Whether each place has a row of its own; the others share rows by a hash."""


def tcnn_encode(positions: Tensor, levels: Sequence[TcnnLevel], tables: Sequence[Tensor]) -> Tensor:
    """Return trilinear features ``[n, levels * features]`` at positions ``[n, 3]`` in [0, 1].

    ``tables`` are ``[entries, features]``, one for each level.
    """
    return torch.cat(
        [_level(positions, lv, table) for lv, table in zip(levels, tables, strict=True)], dim=-1
    )


def _level(positions: Tensor, level: TcnnLevel, table: Tensor) -> Tensor:
    scaled = positions * level.scale + 0.5
    low = torch.floor(scaled)
    fraction = scaled - low
    cell = low.long()
    features = positions.new_zeros(len(positions), table.shape[1])
    for corner in range(8):
        picks = [(corner >> axis) & 1 for axis in range(3)]
        place = cell + torch.tensor(picks, device=positions.device)
        weight = torch.ones_like(fraction[:, 0])
        for axis, pick in enumerate(picks):
            weight = weight * (fraction[:, axis] if pick else 1 - fraction[:, axis])
        features = features + weight[:, None] * table[_rows(place, level)]
    return features


def _rows(place: Tensor, level: TcnnLevel) -> Tensor:
    x, y, z = place.unbind(-1)
    if level.is_dense:
        return (x + y * level.resolution + z * level.resolution**2) % level.entries
    return (x * PRIMES[0] ^ y * PRIMES[1] ^ z * PRIMES[2]) % level.entries
