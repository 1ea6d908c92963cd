"""The loops of the compiled nerfacto renderer: plain arithmetic, compiled by numba on first use."""

# Kernels take flat argument lists and long bodies by nature of the compiler.
# ruff: noqa: PLR0913, C901, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import math

import numpy as np
from numba import njit, prange

DARK = np.float32(1e-7)
PADDING = np.float32(0.01)
PRIME_Y = np.uint32(2654435761)
PRIME_Z = np.uint32(805459861)
ONE = np.float32(1)
TWO = np.float32(2)
HALF = np.float32(0.5)
ZERO = np.float32(0)
FAST = {"contract", "reassoc", "nsz", "arcp"}


@njit(cache=True, fastmath=FAST, inline="always")
def _distance(spacing):
    return TWO * spacing if spacing < HALF else ONE / (TWO - TWO * spacing)


@njit(cache=True, fastmath=FAST)
def _to_unit_cube(x, y, z, unit):
    """Contract a position into [0, 1]^3; return whether it lies strictly inside."""
    largest = max(abs(x), abs(y), abs(z))
    if largest >= ONE:
        shrink = (TWO - ONE / largest) / largest
        x, y, z = x * shrink, y * shrink, z * shrink
    unit[0], unit[1], unit[2] = (x + TWO) / 4, (y + TWO) / 4, (z + TWO) / 4
    inside = True
    for axis in range(3):
        inside = inside and ZERO < unit[axis] < ONE
    return inside


@njit(cache=True, fastmath=FAST)
def _encode(unit, table, size, levels, resolutions, features):
    """Write trilinear features of the first ``levels`` levels, two channels each.

    Rows are unsigned so that no look-up is checked for a negative index, and all eight are known
    before the first is read, so that their cache misses overlap.
    """
    mask = np.uint32(size - 1)
    for level in range(levels):
        res = resolutions[level]
        sx, sy, sz = unit[0] * res, unit[1] * res, unit[2] * res
        x0, y0, z0 = np.uint32(sx), np.uint32(sy), np.uint32(sz)
        fx, fy, fz = sx - np.float32(x0), sy - np.float32(y0), sz - np.float32(z0)
        x1 = x0 + np.uint32(fx > ZERO)
        y1 = (y0 + np.uint32(fy > ZERO)) * PRIME_Y
        z1 = (z0 + np.uint32(fz > ZERO)) * PRIME_Z
        y0 = y0 * PRIME_Y
        z0 = z0 * PRIME_Z
        start = np.uint32(level * size)
        low, up, back, both = y0 ^ z0, y1 ^ z0, y0 ^ z1, y1 ^ z1
        r0 = np.uintp(start + ((x0 ^ low) & mask))
        r1 = np.uintp(start + ((x1 ^ low) & mask))
        r2 = np.uintp(start + ((x0 ^ up) & mask))
        r3 = np.uintp(start + ((x1 ^ up) & mask))
        r4 = np.uintp(start + ((x0 ^ back) & mask))
        r5 = np.uintp(start + ((x1 ^ back) & mask))
        r6 = np.uintp(start + ((x0 ^ both) & mask))
        r7 = np.uintp(start + ((x1 ^ both) & mask))
        gx, gy, gz = ONE - fx, ONE - fy, ONE - fz
        w_low, w_up, w_back, w_both = gy * gz, fy * gz, gy * fz, fy * fz
        for channel in range(2):
            features[2 * level + channel] = (
                (gx * table[r0, channel] + fx * table[r1, channel]) * w_low
                + (gx * table[r2, channel] + fx * table[r3, channel]) * w_up
                + (gx * table[r4, channel] + fx * table[r5, channel]) * w_back
                + (gx * table[r6, channel] + fx * table[r7, channel]) * w_both
            )


@njit(cache=True, fastmath=FAST)
def _linear(x, count, weight, bias, out):
    """Write ``out = bias + x @ weight`` for ``count`` inputs; four at a time to spare memory."""
    width = weight.shape[1]
    for j in range(width):
        out[j] = bias[j]
    i = 0
    while i + 4 <= count:
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(width):
            out[j] += (
                a * weight[i, j]
                + b * weight[i + 1, j]
                + c * weight[i + 2, j]
                + d * weight[i + 3, j]
            )
        i += 4
    while i < count:
        a = x[i]
        for j in range(width):
            out[j] += a * weight[i, j]
        i += 1


@njit(cache=True, fastmath=FAST)
def _resample(spacing, weights, count, target, out):
    """Write ``target + 1`` edges at even quantiles of ``count`` padded weights."""
    total = ZERO
    for i in range(count):
        total += weights[i] + PADDING
    step = ONE / np.float32(target + 1)
    below = 0
    cdf = ZERO
    share = (weights[0] + PADDING) / total
    for k in range(target + 1):
        u = step * (np.float32(k) + HALF)
        while below < count - 1 and cdf + share <= u:
            cdf += share
            below += 1
            share = (weights[below] + PADDING) / total
        t = min(max((u - cdf) / share, ZERO), ONE)
        out[k] = spacing[below] + t * (spacing[below + 1] - spacing[below])


@njit(cache=True, fastmath=FAST)
def _propose(origin, direction, spacing, count, network, proposals, scale, scratch, weights):
    """Write the weights of one proposal pass over ``count`` intervals."""
    tables, sizes, levels, resolutions, first, biases, second = proposals
    unit, features, hidden = scratch[0], scratch[1], scratch[2]
    width = biases.shape[1]
    used = 2 * levels[network]
    light = ONE
    before = _distance(spacing[0])
    for i in range(count):
        after = _distance(spacing[i + 1])
        weights[i] = ZERO
        if light > DARK:
            middle = (before + after) / 2
            inside = _to_unit_cube(
                origin[0] + direction[0] * middle,
                origin[1] + direction[1] * middle,
                origin[2] + direction[2] * middle,
                unit,
            )
            if inside:
                _encode(
                    unit,
                    tables[network],
                    sizes[network],
                    levels[network],
                    resolutions[network],
                    features,
                )
                _linear(features, used, first[network], biases[network], hidden)
                raw = second[network, width]
                for j in range(width):
                    raw += max(hidden[j], ZERO) * second[network, j]
                through = np.float32(math.exp(-scale * math.exp(raw) * (after - before)))
                weights[i] = light * (ONE - through)
                light *= through
        before = after


@njit(cache=True, parallel=True, fastmath=FAST)
def propose(origins, directions, proposals, samples, edges, scale, block, out):
    """Write each ray's final edges ``out [ray, k + 1]``, in field units."""
    rays = origins.shape[0]
    blocks = (rays + block - 1) // block
    widest = samples.max() + 1
    room = max(128, proposals[4].shape[1], proposals[5].shape[1])
    for b in prange(blocks):
        scratch = np.empty((3, room), dtype=np.float32)
        spacing = np.empty(widest, dtype=np.float32)
        fresh = np.empty(widest, dtype=np.float32)
        weights = np.empty(widest, dtype=np.float32)
        for ray in range(b * block, min((b + 1) * block, rays)):
            origin, direction = origins[ray], directions[ray]
            for i in range(samples[0] + 1):
                spacing[i] = edges[i]
            for network in range(samples.shape[0] - 1):
                count = samples[network]
                _propose(
                    origin, direction, spacing, count, network, proposals, scale, scratch, weights
                )
                _resample(spacing, weights, count, samples[network + 1], fresh)
                for i in range(samples[network + 1] + 1):
                    spacing[i] = fresh[i]
            for i in range(samples[-1] + 1):
                out[ray, i] = _distance(spacing[i])


@njit(cache=True, parallel=True, fastmath=FAST)
def encode(origins, directions, edges, table, resolutions, features, inside):
    """Write grid features ``[ray, k, 2 * levels]`` at interval middles, and who is in reach."""
    levels = resolutions.shape[0]
    size = table.shape[0] // levels
    for ray in prange(origins.shape[0]):
        unit = np.empty(3, dtype=np.float32)
        for i in range(edges.shape[1] - 1):
            middle = (edges[ray, i] + edges[ray, i + 1]) / 2
            inside[ray, i] = _to_unit_cube(
                origins[ray, 0] + directions[ray, 0] * middle,
                origins[ray, 1] + directions[ray, 1] * middle,
                origins[ray, 2] + directions[ray, 2] * middle,
                unit,
            )
            if not inside[ray, i]:
                unit[0] = unit[1] = unit[2] = ZERO
            _encode(unit, table, size, levels, resolutions, features[ray, i])


@njit(cache=True, parallel=True, fastmath=FAST)
def weigh(raw, inside, edges, scale, weights):
    """Write compositing weights ``[ray, k]`` from the density network's raw output."""
    for ray in prange(raw.shape[0]):
        light = ONE
        for i in range(raw.shape[1]):
            through = ONE
            if inside[ray, i]:
                optical = scale * math.exp(raw[ray, i]) * (edges[ray, i + 1] - edges[ray, i])
                through = np.float32(math.exp(-optical))
            weights[ray, i] = light * (ONE - through)
            light *= through
