"""The multi-resolution hash grid in the layout of nerfstudio's torch implementation.

Müller et al. 2022, "Instant neural graphics primitives", section 3; every level is hashed, the
coarse ones too, and level l starts at row ``l * table_size``.
"""

import math

import torch
from torch import Tensor

PRIMES = (1, 2654435761, 805459861)


def level_resolutions(levels: int, base_resolution: int, max_resolution: int) -> Tensor:
    """Return the number of cells along an edge at each level, float32 ``[levels]``.

    Computed in float32 on purpose: the floor must fall as it fell in training.
    """
    growth = math.exp((math.log(max_resolution) - math.log(base_resolution)) / max(levels - 1, 1))
    return torch.floor(base_resolution * growth ** torch.arange(levels))


def hash_encode(positions: Tensor, table: Tensor, resolutions: Tensor) -> Tensor:
    """Return trilinear features ``[n, levels * channels]`` at positions ``[n, 3]`` in [0, 1].

    ``table`` is ``[levels * table_size, channels]`` with a power of two as ``table_size``.
    """
    levels = resolutions.shape[0]
    table_size = table.shape[0] // levels
    scaled = positions[:, None, :] * resolutions[None, :, None].to(positions)
    low, high = torch.floor(scaled).long(), torch.ceil(scaled).long()
    fraction = scaled - low
    offsets = torch.arange(levels, device=positions.device) * table_size
    features = torch.zeros(1, dtype=table.dtype, device=table.device)
    for corner in range(8):
        picks = [(corner >> axis) & 1 for axis in range(3)]
        index = torch.stack([(high if p else low)[..., a] for a, p in enumerate(picks)], dim=-1)
        weight = torch.ones_like(fraction[..., 0])
        for axis, pick in enumerate(picks):
            weight = weight * (fraction[..., axis] if pick else 1 - fraction[..., axis])
        features = features + weight[..., None] * table[_rows(index, table_size) + offsets]
    return features.flatten(1)


def _rows(index: Tensor, table_size: int) -> Tensor:
    mixed = index[..., 0] * PRIMES[0] ^ index[..., 1] * PRIMES[1] ^ index[..., 2] * PRIMES[2]
    return mixed % table_size
