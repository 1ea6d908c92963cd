"""Distances between cells, across bricks, compiled."""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit, prange

from .space import BRICK, VOXELS

HALO = BRICK
WIDE = 3 * BRICK
MOST = BRICK
"""Distances are counted up to this many cells."""


@njit(cache=True)
def surroundings(occupied, places, index, along, brick, ends, around):
    """Write the occupied cells ``[24, 24, 24]`` of a brick and its 26 neighbours.

    With ``ends``, also those that belong to another level, outwards or inwards.
    """
    around[:] = False
    level, quarter = places[brick, 0], along // 4
    for part in range(27):
        oz, oy, ox = part // 9 * BRICK, part // 3 % 3 * BRICK, part % 3 * BRICK
        z = places[brick, 1] + part // 9 - 1
        y = places[brick, 2] + part // 3 % 3 - 1
        x = places[brick, 3] + part % 3 - 1
        low, high = min(z, min(y, x)), max(z, max(y, x))
        outside = low < 0 or high >= along
        if outside or (level > 0 and low >= quarter and high < along - quarter):
            if ends:
                around[oz : oz + BRICK, oy : oy + BRICK, ox : ox + BRICK] = True
            continue
        other = index[((level * along + z) * along + y) * along + x]
        if other < 0:
            continue
        for cell in range(VOXELS):
            if occupied[other, cell]:
                around[oz + (cell >> 6), oy + ((cell >> 3) & 7), ox + (cell & 7)] = True


@njit(cache=True)
def grow(around, rows):
    """Grow a set ``[24, 24, 24]`` by one cell in all 26 directions; its rim stays as it is."""
    for axis in range(3):
        rows[:] = around
        for i in range(1, WIDE - 1):
            if axis == 0:
                around[i] = rows[i - 1] | rows[i] | rows[i + 1]
            elif axis == 1:
                around[:, i] = rows[:, i - 1] | rows[:, i] | rows[:, i + 1]
            else:
                around[:, :, i] = rows[:, :, i - 1] | rows[:, :, i] | rows[:, :, i + 1]


@njit(cache=True, parallel=True)
def measure_hops(occupied, places, index, along):
    """Return ``[brick, cell]`` uint8: the Chebyshev distance to the next occupied cell, at most 8.

    Where the level ends counts as occupied: cells of other sizes follow, and may be.

    Args:
        occupied: bool ``[brick, cell]``.
        places: ``[brick, 4]``, see ``space.index_of``.
        index: what it returned.
        along: bricks along an edge.
    """
    hops = np.full(occupied.shape, MOST, dtype=np.uint8)
    for brick in prange(occupied.shape[0]):
        around = np.empty((WIDE, WIDE, WIDE), dtype=np.bool_)
        rows = np.empty((WIDE, WIDE, WIDE), dtype=np.bool_)
        surroundings(occupied, places, index, along, brick, True, around)
        for distance in range(MOST):
            for cell in range(VOXELS):
                near = around[HALO + (cell >> 6), HALO + ((cell >> 3) & 7), HALO + (cell & 7)]
                if near and hops[brick, cell] == MOST:
                    hops[brick, cell] = distance
            if distance < MOST - 1:
                grow(around, rows)
    return hops


@njit(cache=True, parallel=True)
def grown(occupied, places, index, along):
    """Return the occupied cells ``[brick, cell]`` and all their neighbours within the bricks."""
    out = np.zeros(occupied.shape, dtype=np.bool_)
    for brick in prange(occupied.shape[0]):
        around = np.empty((WIDE, WIDE, WIDE), dtype=np.bool_)
        rows = np.empty((WIDE, WIDE, WIDE), dtype=np.bool_)
        surroundings(occupied, places, index, along, brick, False, around)
        grow(around, rows)
        for cell in range(VOXELS):
            out[brick, cell] = around[
                HALO + (cell >> 6), HALO + ((cell >> 3) & 7), HALO + (cell & 7)
            ]
    return out
