"""Rendering the render-ready form of a scene on the CPU."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from ...scenes.bricks import BrickLook, Bricks
from ...scenes.bricks.bricks import TEN_BITS
from . import march_loops as loops

RAYS_PER_TASK = 256
"""Neighbouring rays pass the same bricks: many enough to share a core's cache, few enough that all
cores have work."""
STORED = 256

_PACKED: "WeakKeyDictionary[Bricks, tuple[Any, ...]]" = WeakKeyDictionary()


def transmittances(look: BrickLook) -> np.ndarray:
    """Return the light that passes one step, float32 ``[1024]``, by density times four.

    The density 0 stands for no matter at all.
    """
    low, high = look.density_range
    finer = int(loops.FINER)
    middles = (np.arange(STORED * finer) + 0.5) / finer
    log_depth = low + (high - low) * middles / (STORED - 1)
    passing = np.exp(-np.exp(log_depth) * look.step_cells)
    passing[:finer] = 1.0
    return passing.astype(np.float32)


def render_bricks(bricks: Bricks, origins: Tensor, directions: Tensor) -> Tensor:
    """Return ``[ray, 6]``: colour, expected and median distance, opacity.

    Args:
        bricks: what to look at.
        origins: ``[ray, 3]`` float32 in grid units.
        directions: unit vectors ``[ray, 3]``.

    Distances are in grid units. A ray that loses less than half of its light has the distance at
    which it leaves the outermost cube as its median.
    """
    out = torch.zeros(origins.shape[0], loops.OUTPUTS)
    if len(out):
        if bricks not in _PACKED:
            _PACKED[bricks] = _pack(bricks)
        rays = np.ascontiguousarray(origins.numpy()), np.ascontiguousarray(directions.numpy())
        loops.render(*rays, *_PACKED[bricks], RAYS_PER_TASK, out.numpy())  # pyright: ignore[reportCallIssue]
    return out


def _pack(bricks: Bricks) -> tuple[Any, ...]:
    """Return space, matter and look for the loops."""
    look = bricks.look
    (low, high), (least, most) = look.colour_range, look.tilt_range
    matter = (bricks.density, bricks.colour)
    return (
        (bricks.space.cells, bricks.space.levels, bricks.index, bricks.hops),
        matter if bricks.tilt is None else (*matter, bricks.tilt),
        (
            transmittances(look),
            np.float32(look.step_cells),
            np.float32(look.dark),
            np.float32(look.faint),
            np.asarray(look.behind, dtype=np.float32),
            np.float32(low),
            np.float32((high - low) / TEN_BITS),
            np.float32(least),
            np.float32((most - least) / TEN_BITS),
        ),
    )
