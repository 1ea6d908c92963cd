"""nerfacto's last pass for a chunk of rays, compiled: densities, colours and what each ray sees."""

# ruff: noqa: PLR0913, ANN001, ANN201
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit, prange

from .hash_loops import encode, place
from .proposal_loops import DARK, propose
from .tile_loops import FAST, HALF, ONE, TILE, ZERO, exp, layer, rectify, transmit

SEGMENT = 8
"""Intervals that a ray passes before it is asked whether any light is left."""
FAINT = np.float32(1e-5)
"""Weight below which a sample is not coloured: a colour loses at most this times the samples."""
OUTPUTS = 6
HARMONICS = 16
LAST_SAMPLE, WHITE = 1, 2


@njit(cache=True, parallel=True, fastmath=FAST)
def render(
    origins, directions, networks, samples, first_edges, field, sizes, scale, background, chunk, out
):
    """Write ``out [ray, 6]``: colour, expected and median distance, opacity; in field units."""
    rays = origins.shape[0]
    for part in prange((rays + chunk - 1) // chunk):
        first, last = part * chunk, min((part + 1) * chunk, rays)
        edges = np.empty((last - first, samples[-1] + 1), dtype=np.float32)
        o, d = origins[first:last], directions[first:last]
        propose(o, d, networks, samples, first_edges, scale, edges)
        shade(o, d, edges, field, sizes, scale, background, out[first:last])


@njit(cache=True, fastmath=FAST)
def shade(origins, directions, edges, field, sizes, scale, background, out):
    """Write what rays see of a field that is sampled between ``edges [ray, k + 1]``.

    ``field`` holds the table, its resolutions and the layers' weights and biases, ``sizes`` their
    inputs and outputs (see ``nerfacto_kernel``).
    """
    table, resolutions = field[0], field[1]
    rays, count = edges.shape[0], edges.shape[1] - 1
    levels = resolutions.shape[0]
    size = table.shape[0] // levels
    inputs, hidden, outputs, seen, deep = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    room = (rays * SEGMENT + TILE - 1) // TILE * TILE
    unit = np.zeros(3 * room, dtype=np.float32)
    width = np.zeros(room, dtype=np.float32)
    features = np.zeros(room * inputs, dtype=np.float32)
    inside = np.empty(hidden * TILE, dtype=np.float32)
    geometry = np.empty(outputs * TILE, dtype=np.float32)
    harmonics = np.empty((rays, HARMONICS), dtype=np.float32)
    for ray in range(rays):
        spherical_harmonics(directions[ray], harmonics[ray])
    waiting = (
        np.zeros(seen * TILE, dtype=np.float32),
        np.zeros(TILE, dtype=np.int64),
        np.zeros(TILE, dtype=np.float32),
    )
    rooms = (
        np.empty(deep * TILE, dtype=np.float32),
        np.empty(deep * TILE, dtype=np.float32),
        np.empty(4 * TILE, dtype=np.float32),
    )
    queued = 0
    light = np.ones(rays, dtype=np.float32)
    alive = np.arange(rays)
    lit = rays
    out[:] = ZERO
    for ray in range(rays):
        out[ray, 4] = (edges[ray, count - 1] + edges[ray, count]) * HALF
    for start in range(0, count, SEGMENT):
        wide = min(SEGMENT, count - start)
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
        used = lit * wide
        tiles = (used + TILE - 1) // TILE
        encode(unit, room, tiles, table, size, levels, resolutions, features, inputs)
        for tile in range(tiles):
            x = features[tile * inputs * TILE : (tile + 1) * inputs * TILE]
            layer(x, inputs, field[2], field[3], hidden, inside)
            rectify(inside, hidden)
            layer(inside, hidden, field[4], field[5], outputs, geometry)
            through = width[tile * TILE : (tile + 1) * TILE]
            transmit(geometry, through, scale)
            for i in range(min(TILE, used - tile * TILE)):
                index = tile * TILE + i
                ray, sample = alive[index // wide], start + index % wide
                left = light[ray]
                passed = left * through[i]
                weight = left - passed
                light[ray] = passed
                middle = (edges[ray, sample] + edges[ray, sample + 1]) * HALF
                out[ray, 3] += weight * middle
                if left > HALF and passed <= HALF:
                    out[ray, 4] = middle
                if sample == count - 1 and background == LAST_SAMPLE:
                    weight += passed
                if weight <= FAINT:
                    continue
                _queue(waiting, queued, geometry, i, outputs, harmonics[ray], ray, weight)
                queued += 1
                if queued == TILE:
                    _colour(waiting, queued, field, seen, deep, rooms, out)
                    queued = 0
        kept = 0
        for a in range(lit):
            if light[alive[a]] > DARK:
                alive[kept] = alive[a]
                kept += 1
        lit = kept
    _colour(waiting, queued, field, seen, deep, rooms, out)
    _finish(edges, light, background, out)


@njit(cache=True, fastmath=FAST)
def _queue(waiting, slot, geometry, column, outputs, harmonics, ray, weight):
    """Put a sample into the tile of those that wait for their colour."""
    x, rays, weights = waiting
    for k in range(HARMONICS):
        x[k * TILE + slot] = harmonics[k]
    for k in range(1, outputs):
        x[(HARMONICS + k - 1) * TILE + slot] = geometry[k * TILE + column]
    rays[slot] = ray
    weights[slot] = weight


@njit(cache=True, fastmath=FAST)
def _colour(waiting, queued, field, inputs, hidden, rooms, out):
    """Add the colours of the waiting samples to their rays."""
    x, rays, weights = waiting
    first, second, rgb = rooms
    layer(x, inputs, field[6], field[7], hidden, first)
    rectify(first, hidden)
    layer(first, hidden, field[8], field[9], hidden, second)
    rectify(second, hidden)
    layer(second, hidden, field[10], field[11], 4, rgb)
    for i in range(3 * TILE):
        rgb[i] = ONE / (ONE + exp(-rgb[i]))
    for i in range(queued):
        for channel in range(3):
            out[rays[i], channel] += weights[i] * rgb[channel * TILE + i]


@njit(cache=True, fastmath=FAST)
def _finish(edges, light, background, out):
    """Turn sums into colour, expected distance and opacity."""
    tiny = np.float32(1e-10)
    count = edges.shape[1] - 1
    for ray in range(out.shape[0]):
        opacity = ONE - light[ray]
        for channel in range(3):
            colour = out[ray, channel]
            if background == WHITE:
                colour += light[ray]
            out[ray, channel] = min(max(colour, ZERO), ONE)
        near = (edges[ray, 0] + edges[ray, 1]) * HALF
        far = (edges[ray, count - 1] + edges[ray, count]) * HALF
        out[ray, 3] = min(max(out[ray, 3] / (opacity + tiny), near), far)
        out[ray, 5] = opacity


@njit(cache=True, fastmath=FAST)
def spherical_harmonics(direction, out):
    """Write the 16 values of ``scenes.spherical_harmonics`` at ``(direction + 1) / 2``."""
    x, y, z = (direction[0] + ONE) * HALF, (direction[1] + ONE) * HALF, (direction[2] + ONE) * HALF
    xx, yy, zz = x * x, y * y, z * z
    three, five = np.float32(3), np.float32(5)
    out[0] = np.float32(0.28209479177387814)
    out[1] = np.float32(0.4886025119029199) * y
    out[2] = np.float32(0.4886025119029199) * z
    out[3] = np.float32(0.4886025119029199) * x
    out[4] = np.float32(1.0925484305920792) * x * y
    out[5] = np.float32(1.0925484305920792) * y * z
    out[6] = np.float32(0.31539156525252005) * (three * zz - ONE)
    out[7] = np.float32(1.0925484305920792) * x * z
    out[8] = np.float32(0.5462742152960396) * (xx - yy)
    out[9] = np.float32(0.5900435899266435) * y * (three * xx - yy)
    out[10] = np.float32(2.890611442640554) * x * y * z
    out[11] = np.float32(0.4570457994644658) * y * (five * zz - ONE)
    out[12] = np.float32(0.3731763325901154) * z * (five * zz - three)
    out[13] = np.float32(0.4570457994644658) * x * (five * zz - ONE)
    out[14] = np.float32(1.445305721320277) * z * (xx - yy)
    out[15] = np.float32(0.5900435899266435) * x * (xx - three * yy)
