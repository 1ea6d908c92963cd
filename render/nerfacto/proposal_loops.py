"""nerfacto's proposal passes for a chunk of rays, compiled: from even intervals to final edges.

Rays march through the intervals in segments; those whose light is spent drop out, because what
lies behind them has no weight.
"""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit

from .hash_loops import encode
from .march_loops import keep_lit, place_lit, room_for
from .tile_loops import FAST, HALF, ONE, QUAD, TILE, ZERO, layer, rectify, transmit

SEGMENT = 16
"""Intervals that a ray passes before it is asked whether any light is left."""
PADDING = np.float32(0.01)
TWO = np.float32(2)


@njit(cache=True, fastmath=FAST)
def distances(spacing, count, out):
    """Write the distances of ``count`` spacing coordinates."""
    for i in range(count):
        s = spacing[i]
        far = ONE / (TWO - TWO * max(s, HALF))
        out[i] = TWO * s if s < HALF else far


@njit(cache=True, fastmath=FAST)
def resample(spacing, weights, count, target, out):
    """Write ``target + 1`` edges at even quantiles of ``count`` padded weights."""
    total = ZERO
    for i in range(count):
        total += weights[i] + PADDING
    scale = ONE / total
    step = ONE / np.float32(target + 1)
    below = 0
    cdf = ZERO
    share = (weights[0] + PADDING) * scale
    for k in range(target + 1):
        u = step * (np.float32(k) + HALF)
        while below < count - 1 and cdf + share <= u:
            cdf += share
            below += 1
            share = (weights[below] + PADDING) * scale
        t = min(max((u - cdf) / share, ZERO), ONE)
        out[k] = spacing[below] + t * (spacing[below + 1] - spacing[below])


@njit(cache=True, fastmath=FAST)
def propose(origins, directions, networks, samples, first_edges, scale, edges):
    """Write each ray's final edges ``[ray, k + 1]``, in field units.

    ``networks`` are the stacked proposal networks (see ``nerfacto_kernel``), ``samples`` the
    interval counts of all passes, the last included.
    """
    rays = origins.shape[0]
    widest = samples.max()
    spacing = np.empty((rays, widest + 1), dtype=np.float32)
    fresh = np.empty((rays, widest + 1), dtype=np.float32)
    weights = np.empty((rays, widest), dtype=np.float32)
    for ray in range(rays):
        spacing[ray, : samples[0] + 1] = first_edges
    for network in range(samples.shape[0] - 1):
        count, target = samples[network], samples[network + 1]
        for ray in range(rays):
            distances(spacing[ray], count + 1, fresh[ray])
        weigh(origins, directions, networks, network, fresh, count, scale, weights)
        for ray in range(rays):
            resample(spacing[ray], weights[ray], count, target, fresh[ray])
        spacing, fresh = fresh, spacing
    for ray in range(rays):
        distances(spacing[ray], samples[-1] + 1, edges[ray])


@njit(cache=True, fastmath=FAST)
def weigh(origins, directions, networks, network, edges, count, scale, weights):
    """Write the weights ``[ray, count]`` that a proposal network gives the intervals."""
    tables, sizes, levels, resolutions, first, first_bias, second, second_bias = networks
    rays = origins.shape[0]
    inputs, hidden = first.shape[1] // first_bias.shape[1], first_bias.shape[1]
    room = room_for(rays, SEGMENT)
    unit = np.zeros(3 * room, dtype=np.float32)
    width = np.zeros(room, dtype=np.float32)
    features = np.zeros(room * inputs, dtype=np.float32)
    inside = np.empty(hidden * TILE, dtype=np.float32)
    raw = np.empty(QUAD * TILE, dtype=np.float32)
    light = np.ones(rays, dtype=np.float32)
    alive = np.arange(rays)
    lit = rays
    weights[:, :count] = ZERO
    for start in range(0, count, SEGMENT):
        wide = min(SEGMENT, count - start)
        tiles = place_lit(origins, directions, edges, start, wide, alive, lit, unit, width)
        encode(
            unit,
            room,
            tiles,
            tables[network],
            sizes[network],
            levels[network],
            resolutions[network],
            features,
            inputs,
        )
        for tile in range(tiles):
            x = features[tile * inputs * TILE : (tile + 1) * inputs * TILE]
            layer(x, inputs, first[network], first_bias[network], hidden, inside)
            rectify(inside, hidden)
            layer(inside, hidden, second[network], second_bias[network], QUAD, raw)
            through = width[tile * TILE : (tile + 1) * TILE]
            transmit(raw, through, scale)
        for a in range(lit):
            ray = alive[a]
            left = light[ray]
            for i in range(wide):
                passed = left * width[a * wide + i]
                weights[ray, start + i] = left - passed
                left = passed
            light[ray] = left
        lit = keep_lit(alive, lit, light)
