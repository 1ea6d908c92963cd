"""Bricks as the Triton kernel takes them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...scenes.bricks import Bricks
from ...scenes.bricks.bricks import corner_of
from ...scenes.bricks.space import VOXELS

EMPTY = -256
MOST_HOP = 8
OPAQUE = 255


@dataclass(frozen=True, kw_only=True)
class PackedBricks:
    """All that the kernel reads of bricks, on a device."""

    index: Tensor
    """int32 ``[level, z, y, x]``, flat."""
    words: Tensor
    """int64 ``[brick, cell]``, flat."""
    colours: Tensor
    """int32 ``[brick, vertex]``, flat."""
    tilts: Tensor | None
    """Likewise, if brightness depends on the direction."""


def cell_words(bricks: Bricks) -> np.ndarray:
    """Return one word int64 ``[brick, cell]`` for each cell.

    A cell with matter has its eight corners' densities, from the lowest byte on; one without
    matter has ``EMPTY`` plus its distance to the next one with matter, 1 to 8. A step thus reads
    one word, and a sample eight densities at once, for which the densities are 5.6 times as large
    as they are by vertex, and everything together 1.7 times.
    """
    corners = np.stack([corner_of(np.arange(VOXELS), which) for which in range(8)], axis=1)
    densities = np.ascontiguousarray(bricks.density[:, corners])
    # Eight numbers that would read as a hop: opaque but for nearly nothing in the first corner.
    read_as_hop = (densities[..., 1:] == OPAQUE).all(axis=-1) & (densities[..., 0] <= MOST_HOP)
    densities[..., 7][read_as_hop] = OPAQUE - 1
    words = densities.view("<i8")[..., 0]
    hops = np.clip(bricks.hops, 1, MOST_HOP).astype(np.int64)
    return np.where(bricks.hops > 0, EMPTY + hops, words)


def pack_bricks(bricks: Bricks, device: torch.device) -> PackedBricks:
    """Return what the kernel reads on a device."""
    return PackedBricks(
        index=torch.from_numpy(bricks.index).to(device),
        words=torch.from_numpy(cell_words(bricks).reshape(-1)).to(device),
        colours=_flat(bricks.colour, device),
        tilts=None if bricks.tilt is None else _flat(bricks.tilt, device),
    )


def _flat(words: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(words.reshape(-1).view(np.int32)).to(device)
