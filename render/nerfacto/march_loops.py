"""Rays that march in step through their intervals, and drop out when their light is spent."""

# ruff: noqa: PLR0913, ANN001, ANN201
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit

from .hash_loops import place
from .tile_loops import FAST, TILE

DARK = np.float32(1e-7)
"""Share of a ray's light below which nothing more is looked at."""


@njit(cache=True)
def room_for(rays, segment):
    """Return how many samples a segment of all rays takes, in whole tiles."""
    return (rays * segment + TILE - 1) // TILE * TILE


@njit(cache=True, fastmath=FAST)
def place_lit(origins, directions, edges, start, wide, alive, lit, unit, width):
    """Place the intervals ``start .. start + wide`` of the lit rays; return how many tiles.

    ``alive[:lit]`` are the rays' numbers, ``unit`` is flat ``[3, room]``.
    """
    room = width.shape[0]
    for a in range(lit):
        ray, at = alive[a], a * wide
        place(
            origins[ray],
            directions[ray],
            edges[ray, start:],
            wide,
            unit[at:],
            unit[room + at :],
            unit[2 * room + at :],
            width[at:],
        )
    return (lit * wide + TILE - 1) // TILE


@njit(cache=True)
def keep_lit(alive, lit, light):
    """Move the rays that have light left to the front of ``alive``; return how many."""
    kept = 0
    for a in range(lit):
        if light[alive[a]] > DARK:
            alive[kept] = alive[a]
            kept += 1
    return kept
