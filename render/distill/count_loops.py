"""Counting in which cells a scene's light is absorbed, and how much of it comes there."""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit

from ..bricks.seek_loops import FAST, HALF, ONE, TWO, ZERO

MOST_PIECES = 256


@njit(cache=True, fastmath=FAST)
def count(origins, directions, edges, weights, cells, levels, absorbed, arrived):
    """Add, for each cell, the light that is absorbed in it and the light that comes to it.

    Intervals are cut into pieces of half a cell, each of which absorbs its part.

    Args:
        origins: ``[ray, 3]`` in grid units.
        directions: unit vectors.
        edges: ``[ray, k + 1]`` distances.
        weights: ``[ray, k]`` light absorbed in each interval.
        cells: cells along an edge of each level.
        levels: number of levels.
        absorbed: flat ``[level, z, y, x]``.
        arrived: likewise.
    """
    cell_size = TWO / np.float32(cells)
    half = np.float32(cells) * HALF
    for ray in range(origins.shape[0]):
        light = ONE
        for i in range(weights.shape[1]):
            start, end = edges[ray, i], edges[ray, i + 1]
            middle = (start + end) * HALF
            m = ZERO
            for axis in range(3):
                m = max(m, abs(origins[ray, axis] + middle * directions[ray, axis]))
            size = ONE
            while m >= size:
                size = size * TWO
            pieces = int(np.ceil((end - start) / (cell_size * size * HALF)))
            pieces = min(max(pieces, 1), MOST_PIECES)
            part = weights[ray, i] / np.float32(pieces)
            # What comes to a cell counts in proportion to the way through it.
            whole = min((end - start) / (np.float32(pieces) * cell_size * size), ONE)
            for k in range(pieces):
                t = start + (end - start) * (np.float32(k) + HALF) / np.float32(pieces)
                x = origins[ray, 0] + t * directions[ray, 0]
                y = origins[ray, 1] + t * directions[ray, 1]
                z = origins[ray, 2] + t * directions[ray, 2]
                m = max(abs(x), max(abs(y), abs(z)))
                level, size = 0, ONE
                while m >= size:
                    level += 1
                    size = size * TWO
                if level >= levels:
                    break
                scale = half / size
                cx = min(int(x * scale + half), cells - 1)
                cy = min(int(y * scale + half), cells - 1)
                cz = min(int(z * scale + half), cells - 1)
                at = ((level * cells + cz) * cells + cy) * cells + cx
                absorbed[at] += part
                arrived[at] += max(light, ZERO) * whole
                light -= part
            if light < np.float32(1e-3):
                break
