"""The loops of a Gaussian field's density: plain arithmetic, compiled by numba on first use."""

# Kernels take flat argument lists by nature of the compiler.
# ruff: noqa: PLR0913, ANN001, ANN201
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import math

import numpy as np
from numba import njit, prange

from .descent_loops import STACK, push_children
from .shading import add_colour


@njit(cache=True, parallel=True)
def density_at(points, directions, tree, whitening, peaks, harmonics, reach, out):
    """Write ``out [point, 4]``: density, and the sum of densities times colours.

    Args:
        points: ``[point, 3]`` float64.
        directions: unit vectors ``[point, 3]``, or ``[0, 3]`` where no colour is wanted.
        tree: centres, radii and level starts of the hierarchy over balls of radius ``reach``
            standard deviations.
        whitening: ``[n, 3, 3]`` from offsets to standard deviations, in curve order.
        peaks: densities ``[n]`` in the middle of each Gaussian.
        harmonics: ``[n, k, 3]``.
        reach: standard deviations beyond which a Gaussian is 0.
        out: zeros.
    """
    centres, radii, starts = tree
    top = starts.shape[0] - 2
    coloured = directions.shape[0] > 0
    for point in prange(points.shape[0]):
        x, y, z = points[point, 0], points[point, 1], points[point, 2]
        basis = np.empty(16)
        levels = np.empty(STACK, dtype=np.int64)
        nodes = np.empty(STACK, dtype=np.int64)
        levels[0], nodes[0] = top, 0
        waiting = 1
        while waiting:
            waiting -= 1
            level, node = levels[waiting], nodes[waiting]
            at = starts[level] + node
            dx, dy, dz = x - centres[at, 0], y - centres[at, 1], z - centres[at, 2]
            if dx * dx + dy * dy + dz * dz > radii[at] * radii[at]:
                continue
            if level > 0:
                waiting = push_children(levels, nodes, waiting, level, node, starts)
                continue
            squared = 0.0
            for row in range(3):
                along = (
                    whitening[node, row, 0] * dx
                    + whitening[node, row, 1] * dy
                    + whitening[node, row, 2] * dz
                )
                squared += along * along
            if squared > reach * reach:
                continue
            density = peaks[node] * math.exp(-0.5 * squared)
            out[point, 0] += density
            if coloured:
                add_colour(
                    density,
                    harmonics[node],
                    directions[point, 0],
                    directions[point, 1],
                    directions[point, 2],
                    basis,
                    out[point, 1:],
                )
