"""Placing samples in the unit cube and looking them up in a multiresolution hash table.

Müller et al. 2022, section 3, in the variant of nerfstudio's torch implementation: every level is
hashed. Samples come in tiles of 64. Levels are the outer loop, so that one level's rows stay in
the cache while all samples of a chunk pass over them.
"""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit

from .tile_loops import FAST, HALF, ONE, TILE, ZERO

PRIME_Y = np.uint32(2654435761)
PRIME_Z = np.uint32(805459861)
TWO = np.float32(2)
QUARTER = np.float32(0.25)
CORNERS = 8
LOW_HALF = np.uint64(0xFFFFFFFF)
HALF_BITS = np.uint64(32)


def rows_in_words(table: np.ndarray) -> np.ndarray:
    """Return a table ``[row, 2]`` float32 as one 64-bit word a row, its first channel low."""
    low, high = np.ascontiguousarray(table, dtype=np.float32).view(np.uint32).T.astype(np.uint64)
    return low | high << HALF_BITS


@njit(cache=True, fastmath=FAST)
def place(origin, direction, edges, count, unit_x, unit_y, unit_z, width):
    """Write where ``count`` interval middles lie in the unit cube, and how wide they are.

    Positions are contracted by the L-inf norm (Barron et al. 2022). A middle that reaches the
    cube's faces is out of the table's reach and gets width 0, hence no density.
    """
    ox, oy, oz = origin[0], origin[1], origin[2]
    dx, dy, dz = direction[0], direction[1], direction[2]
    for i in range(count):
        middle = (edges[i] + edges[i + 1]) * HALF
        x, y, z = ox + dx * middle, oy + dy * middle, oz + dz * middle
        inverse = ONE / max(max(abs(x), max(abs(y), abs(z))), ONE)
        shrink = (TWO - inverse) * inverse
        x, y, z = (x * shrink + TWO) * QUARTER, (y * shrink + TWO) * QUARTER, z * shrink
        z = (z + TWO) * QUARTER
        reached = (x > ZERO) & (x < ONE) & (y > ZERO) & (y < ONE) & (z > ZERO) & (z < ONE)
        unit_x[i] = x if reached else ZERO
        unit_y[i] = y if reached else ZERO
        unit_z[i] = z if reached else ZERO
        width[i] = edges[i + 1] - edges[i] if reached else ZERO


@njit(cache=True, fastmath=FAST)
def encode(unit, room, tiles, table, size, levels, resolutions, features, inputs):
    """Write trilinear features ``[tile, input, 64]``, two of each level.

    ``unit`` is flat ``[3, room]``, ``table`` of ``rows_in_words``.
    """
    found = np.empty(CORNERS * TILE, dtype=np.uint64)
    rows = np.empty(CORNERS * TILE, dtype=np.uint32)
    share = np.empty(3 * TILE, dtype=np.float32)
    mask = np.uint32(size - 1)
    for level in range(levels):
        start = np.uint32(level * size)
        for tile in range(tiles):
            first = tile * TILE
            _rows_of(
                unit[first : first + TILE],
                unit[room + first : room + first + TILE],
                unit[2 * room + first : 2 * room + first + TILE],
                resolutions[level],
                start,
                mask,
                rows,
                share,
            )
            at = (tile * inputs + 2 * level) * TILE
            _blend(table, rows, share, found, features[at : at + 2 * TILE])


@njit(cache=True, fastmath=FAST)
def _rows_of(unit_x, unit_y, unit_z, resolution, start, mask, rows, share):
    """Write the table rows ``[corner, 64]`` around each place and its shares ``[axis, 64]``."""
    one = np.uint32(1)
    for i in range(TILE):
        x, y, z = unit_x[i] * resolution, unit_y[i] * resolution, unit_z[i] * resolution
        cell_x, cell_y, cell_z = np.int32(x), np.int32(y), np.int32(z)
        fx, fy, fz = x - np.float32(cell_x), y - np.float32(cell_y), z - np.float32(cell_z)
        share[i], share[TILE + i], share[2 * TILE + i] = fx, fy, fz
        x0 = np.uint32(cell_x)
        x1 = x0 + (one if fx > ZERO else np.uint32(0))
        y0 = np.uint32(cell_y)
        y1 = (y0 + (one if fy > ZERO else np.uint32(0))) * PRIME_Y
        z0 = np.uint32(cell_z)
        z1 = (z0 + (one if fz > ZERO else np.uint32(0))) * PRIME_Z
        y0, z0 = y0 * PRIME_Y, z0 * PRIME_Z
        rows[i] = start + ((x0 ^ y0 ^ z0) & mask)
        rows[TILE + i] = start + ((x1 ^ y0 ^ z0) & mask)
        rows[2 * TILE + i] = start + ((x0 ^ y1 ^ z0) & mask)
        rows[3 * TILE + i] = start + ((x1 ^ y1 ^ z0) & mask)
        rows[4 * TILE + i] = start + ((x0 ^ y0 ^ z1) & mask)
        rows[5 * TILE + i] = start + ((x1 ^ y0 ^ z1) & mask)
        rows[6 * TILE + i] = start + ((x0 ^ y1 ^ z1) & mask)
        rows[7 * TILE + i] = start + ((x1 ^ y1 ^ z1) & mask)


@njit(cache=True, fastmath=FAST)
def _blend(table, rows, share, found, features):
    """Write the two channels ``[channel, 64]`` blended from the eight corners' rows.

    The rows are fetched first: nothing else in that loop keeps the processor from having many
    cache misses under way, and the arithmetic after it becomes vectors.
    """
    for i in range(CORNERS * TILE):
        # Unsigned rows are not checked for being negative.
        found[i] = table[np.uintp(rows[i])]
    for i in range(TILE):
        fx, fy, fz = share[i], share[TILE + i], share[2 * TILE + i]
        gx, gy, gz = ONE - fx, ONE - fy, ONE - fz
        w0, w1, w2, w3 = gy * gz, fy * gz, gy * fz, fy * fz
        v0, v1, v2, v3 = found[i], found[TILE + i], found[2 * TILE + i], found[3 * TILE + i]
        v4, v5 = found[4 * TILE + i], found[5 * TILE + i]
        v6, v7 = found[6 * TILE + i], found[7 * TILE + i]
        features[i] = (
            (gx * _low(v0) + fx * _low(v1)) * w0
            + (gx * _low(v2) + fx * _low(v3)) * w1
            + (gx * _low(v4) + fx * _low(v5)) * w2
            + (gx * _low(v6) + fx * _low(v7)) * w3
        )
        features[TILE + i] = (
            (gx * _high(v0) + fx * _high(v1)) * w0
            + (gx * _high(v2) + fx * _high(v3)) * w1
            + (gx * _high(v4) + fx * _high(v5)) * w2
            + (gx * _high(v6) + fx * _high(v7)) * w3
        )


@njit(cache=True, fastmath=FAST, inline="always")
def _low(row):
    return np.uint32(row & LOW_HALF).view(np.float32)


@njit(cache=True, fastmath=FAST, inline="always")
def _high(row):
    return np.uint32(row >> HALF_BITS).view(np.float32)
