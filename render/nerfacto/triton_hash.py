"""Placing samples in the unit cube and looking them up in a hash table, for Triton kernels.

Müller et al. 2022, section 3, every level hashed (see ``scenes/hash_grid.py``). A row's two
channels are halves packed into one 32-bit word. A level is looked up for all samples of a program
at once, and the two corners of a cell that differ in x are neighbours among a warp's lanes: their
rows nearly always share a cache line, because only x is not multiplied before it is hashed.
"""

# Kernels take flat argument lists by nature of the compiler; triton is an optional extra.
# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false

import triton
import triton.language as tl

LEVELS_AT_ONCE = tl.constexpr(8)
"""Two channels of eight levels are the 16 inputs that a product on tensor cores takes."""
INPUTS_AT_ONCE = tl.constexpr(16)
PRIME_Y = tl.constexpr(2654435761)
PRIME_Z = tl.constexpr(805459861)


@triton.jit
def unit_cube(x, y, z):
    """Return contracted positions in [0, 1], 0 where out of the table's reach, and which are.

    Contraction by the L-inf norm (Barron et al. 2022, in nerfstudio's variant).
    """
    magnitude = tl.maximum(tl.maximum(tl.abs(x), tl.abs(y)), tl.maximum(tl.abs(z), 1.0))
    # Rounded as the reference rounds: far away it decides what is still within reach.
    grow = 2.0 - tl.div_rn(tl.full(x.shape, 1.0, tl.float32), magnitude)
    x = (grow * tl.div_rn(x, magnitude) + 2.0) * 0.25
    y = (grow * tl.div_rn(y, magnitude) + 2.0) * 0.25
    z = (grow * tl.div_rn(z, magnitude) + 2.0) * 0.25
    inside = (x > 0.0) & (x < 1.0) & (y > 0.0) & (y < 1.0) & (z > 0.0) & (z < 1.0)
    zero = tl.zeros_like(x)
    return tl.where(inside, x, zero), tl.where(inside, y, zero), tl.where(inside, z, zero), inside


@triton.jit
def _cell(unit, resolution):
    """Return a cell's lower index, uint32, and how far into it a position lies."""
    scaled = unit * resolution
    low = scaled.to(tl.int32)
    return low.to(tl.uint32), scaled - low.to(tl.float32)


@triton.jit
def hash_features(
    table, resolutions, size, x, y, z, wanted, first, LEVELS: tl.constexpr, SAMPLES: tl.constexpr
):
    """Return trilinear features ``[SAMPLES, 16]`` of the eight levels from ``first``.

    Args:
        table: words ``[LEVELS * size]``, see ``triton_pack.rows_in_halves``.
        resolutions: cells along an edge, float32 ``[LEVELS]``.
        size: rows of a level, a power of two.
        x: positions ``[SAMPLES]`` in [0, 1], first axis.
        y: second axis.
        z: third axis.
        wanted: samples to look up; the others' features are zero.
        first: level, a multiple of eight; features of levels that do not exist are zero.
        LEVELS: levels of the table.
        SAMPLES: samples of the program.
    """
    level = first + tl.arange(0, LEVELS_AT_ONCE)
    exists = level < LEVELS
    resolution = tl.load(resolutions + level, mask=exists, other=1.0)[:, None, None]
    x_low, x_share = _cell(x[None, :, None], resolution)
    y_low, y_share = _cell(y[None, :, None], resolution)
    z_low, z_share = _cell(z[None, :, None], resolution)
    # The reference takes the ceiling as the upper corner. On a face that is the lower one, but
    # there the upper one's share is zero, whichever row it is.
    upper = tl.arange(0, 2)[None, None, :]
    x_part = tl.where(upper == 1, x_share, 1.0 - x_share)
    # A level's first row is a multiple of its size, so that it can be mixed in like a hash.
    bits = (size - 1).to(tl.uint32)
    start = (level * size).to(tl.uint32)[:, None, None]
    x_hash = (x_low + upper.to(tl.uint32)) & bits
    y_low, z_low = y_low * PRIME_Y, z_low * PRIME_Z
    y_high, z_high = ((y_low + PRIME_Y) & bits) | start, (z_low + PRIME_Z) & bits
    y_low, z_low = (y_low & bits) | start, z_low & bits
    mask = exists[:, None, None] & wanted[None, :, None]
    low = tl.zeros((LEVELS_AT_ONCE, SAMPLES, 2), dtype=tl.float32)
    high = tl.zeros((LEVELS_AT_ONCE, SAMPLES, 2), dtype=tl.float32)
    for corner in tl.static_range(4):
        if corner % 2 == 1:
            y_hash, y_part = y_high, y_share
        else:
            y_hash, y_part = y_low, 1.0 - y_share
        if corner // 2 == 1:
            z_hash, z_part = z_high, z_share
        else:
            z_hash, z_part = z_low, 1.0 - z_share
        word = tl.load(table + (x_hash ^ y_hash ^ z_hash), mask=mask, other=0)
        share = x_part * (y_part * z_part)
        low += share * (word & 0xFFFF).to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
        high += share * (word >> 16).to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
    pair = tl.join(tl.sum(low, axis=2), tl.sum(high, axis=2))
    return tl.reshape(tl.permute(pair, (1, 0, 2)), (SAMPLES, INPUTS_AT_ONCE))
