"""nerfacto's last pass for a chunk of rays, compiled: densities, colours and what each ray sees."""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit, prange

from .hash_loops import encode
from .march_loops import keep_lit, place_lit, room_for
from .proposal_loops import propose
from .tile_loops import FAST, HALF, ONE, QUAD, TILE, ZERO, exp, layer, rectify, transmit

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
    size = table.shape[0] // resolutions.shape[0]
    inputs, hidden, outputs = sizes[0], sizes[1], sizes[2]
    room = room_for(rays, SEGMENT)
    unit = np.zeros(3 * room, dtype=np.float32)
    width = np.zeros(room, dtype=np.float32)
    features = np.zeros(room * inputs, dtype=np.float32)
    inside = np.empty(hidden * TILE, dtype=np.float32)
    geometry = np.empty(outputs * TILE, dtype=np.float32)
    waiting = _waiting_room(sizes[3], sizes[4])
    queued = 0
    harmonics, light = _begin(directions, edges, out)
    alive = np.arange(rays)
    lit = rays
    for start in range(0, count, SEGMENT):
        wide = min(SEGMENT, count - start)
        tiles = place_lit(origins, directions, edges, start, wide, alive, lit, unit, width)
        encode(unit, room, tiles, table, size, resolutions.shape[0], resolutions, features, inputs)
        for tile in range(tiles):
            x = features[tile * inputs * TILE : (tile + 1) * inputs * TILE]
            layer(x, inputs, field[2], field[3], hidden, inside)
            rectify(inside, hidden)
            layer(inside, hidden, field[4], field[5], outputs, geometry)
            through = width[tile * TILE : (tile + 1) * TILE]
            transmit(geometry, through, scale)
            for i in range(min(TILE, lit * wide - tile * TILE)):
                index = tile * TILE + i
                ray, sample = alive[index // wide], start + index % wide
                weight = _absorb(ray, sample, through[i], edges, light, background, out)
                if weight > FAINT:
                    _queue(waiting, queued, geometry, i, outputs, harmonics[ray], ray, weight)
                    queued += 1
                    if queued == TILE:
                        _colour(waiting, queued, field, sizes[3], sizes[4], out)
                        queued = 0
        lit = keep_lit(alive, lit, light)
    _colour(waiting, queued, field, sizes[3], sizes[4], out)
    _finish(edges, light, background, out)


@njit(cache=True, fastmath=FAST)
def _waiting_room(inputs, hidden):
    """Return the tile of samples that wait for their colour, and what colouring needs."""
    return (
        np.zeros(inputs * TILE, dtype=np.float32),
        np.zeros(TILE, dtype=np.int64),
        np.zeros(TILE, dtype=np.float32),
        np.empty(hidden * TILE, dtype=np.float32),
        np.empty(hidden * TILE, dtype=np.float32),
        np.empty(QUAD * TILE, dtype=np.float32),
    )


@njit(cache=True, fastmath=FAST)
def _begin(directions, edges, out):
    """Return each ray's harmonics and its light; the median is the last interval's at first."""
    rays, count = edges.shape[0], edges.shape[1] - 1
    harmonics = np.empty((rays, HARMONICS), dtype=np.float32)
    out[:] = ZERO
    for ray in range(rays):
        spherical_harmonics(directions[ray], harmonics[ray])
        out[ray, 4] = (edges[ray, count - 1] + edges[ray, count]) * HALF
    return harmonics, np.ones(rays, dtype=np.float32)


@njit(cache=True, fastmath=FAST)
def _absorb(ray, sample, through, edges, light, background, out):
    """Let a ray's light pass an interval; return the weight of the colour there."""
    left = light[ray]
    passed = left * through
    light[ray] = passed
    middle = (edges[ray, sample] + edges[ray, sample + 1]) * HALF
    out[ray, 3] += (left - passed) * middle
    if left > HALF and passed <= HALF:
        out[ray, 4] = middle
    if background == LAST_SAMPLE and sample == edges.shape[1] - 2:
        return left
    return left - passed


@njit(cache=True, fastmath=FAST)
def _queue(waiting, slot, geometry, column, outputs, harmonics, ray, weight):
    """Put a sample into the tile of those that wait for their colour."""
    x, rays, weights = waiting[0], waiting[1], waiting[2]
    for k in range(HARMONICS):
        x[k * TILE + slot] = harmonics[k]
    for k in range(1, outputs):
        x[(HARMONICS + k - 1) * TILE + slot] = geometry[k * TILE + column]
    rays[slot] = ray
    weights[slot] = weight


@njit(cache=True, fastmath=FAST)
def _colour(waiting, queued, field, inputs, hidden, out):
    """Add the colours of the waiting samples to their rays."""
    x, rays, weights, first, second, rgb = waiting
    layer(x, inputs, field[6], field[7], hidden, first)
    rectify(first, hidden)
    layer(first, hidden, field[8], field[9], hidden, second)
    rectify(second, hidden)
    layer(second, hidden, field[10], field[11], QUAD, rgb)
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
