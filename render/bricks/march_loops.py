"""What a ray sees of the bricks, compiled."""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit, prange

from ...scenes.bricks.space import CORNERS
from .seek_loops import FAST, HALF, ONE, TWO, ZERO, enter, pace_of, seek, steep

OUTPUTS = 6
FINER = np.float32(4)
"""Entries of the table of transmittances per step of the stored density."""
TEN_BITS = np.uint32(1023)
FIRST, SECOND = np.uint32(10), np.uint32(20)
SLICE = CORNERS * CORNERS


@njit(cache=True, fastmath=FAST, inline="always")
def blend(values, at, fx, fy, fz):
    """Return the trilinear mean of bytes at the corners of the cell whose first one is ``at``."""
    near = np.float32(values[at]) + fx * (np.float32(values[at + 1]) - np.float32(values[at]))
    at += CORNERS
    up = np.float32(values[at]) + fx * (np.float32(values[at + 1]) - np.float32(values[at]))
    front = near + fy * (up - near)
    at += SLICE - CORNERS
    near = np.float32(values[at]) + fx * (np.float32(values[at + 1]) - np.float32(values[at]))
    at += CORNERS
    up = np.float32(values[at]) + fx * (np.float32(values[at + 1]) - np.float32(values[at]))
    back = near + fy * (up - near)
    return front + fz * (back - front)


@njit(cache=True, fastmath=FAST, inline="always")
def add(word, share, red, green, blue):
    """Return sums of three ten-bit channels, each raised by ``share`` times a word's."""
    red += share * np.float32(np.int32(word & TEN_BITS))
    green += share * np.float32(np.int32((word >> FIRST) & TEN_BITS))
    blue += share * np.float32(np.int32((word >> SECOND) & TEN_BITS))
    return red, green, blue


@njit(cache=True, fastmath=FAST, inline="always")
def blend_colours(words, at, fx, fy, fz):
    """Return the trilinear mean of packed colours, each channel from 0 to 1023."""
    gx, gy, gz = ONE - fx, ONE - fy, ONE - fz
    red, green, blue = ZERO, ZERO, ZERO
    red, green, blue = add(words[at], gx * gy * gz, red, green, blue)
    red, green, blue = add(words[at + 1], fx * gy * gz, red, green, blue)
    at += CORNERS
    red, green, blue = add(words[at], gx * fy * gz, red, green, blue)
    red, green, blue = add(words[at + 1], fx * fy * gz, red, green, blue)
    at += SLICE - CORNERS
    red, green, blue = add(words[at], gx * gy * fz, red, green, blue)
    red, green, blue = add(words[at + 1], fx * gy * fz, red, green, blue)
    at += CORNERS
    red, green, blue = add(words[at], gx * fy * fz, red, green, blue)
    return add(words[at + 1], fx * fy * fz, red, green, blue)


@njit(cache=True, parallel=True, fastmath=FAST)
def render(origins, directions, space, matter, look, chunk, out):
    """Write ``out [ray, 6]``: colour, expected and median distance, opacity; in grid units.

    Args:
        origins: ``[ray, 3]`` in grid units.
        directions: unit vectors ``[ray, 3]``.
        space: cells, levels, index, hops (see ``seek``).
        matter: densities (uint8 ``[brick, vertex]``), packed colours (uint32 likewise) and, where
            brightness depends on the direction, packed tilts (likewise).
        look: table of transmittances, step in cells, faintest light and faintest weight, colour
            behind everything, lowest and step of a stored colour, and likewise of a stored tilt.
        chunk: rays of one task.
        out: where to write.
    """
    rays = origins.shape[0]
    for part in prange((rays + chunk - 1) // chunk):
        for ray in range(part * chunk, min((part + 1) * chunk, rays)):
            march(origins[ray], directions[ray], space, matter, look, out[ray])


@njit(cache=True, fastmath=FAST, error_model="numpy")
def march(origin, direction, space, matter, look, out):
    """Write what one ray sees."""
    levels = space[1]
    density, colours = matter[0], matter[1]
    passing, step_cells, dark, faint, beyond, lowest, rise, lowest_tilt, rise_tilt = look
    o = (origin[0], origin[1], origin[2])
    d = (direction[0], direction[1], direction[2])
    inverse = (ONE / steep(d[0]), ONE / steep(d[1]), ONE / steep(d[2]))
    pace = pace_of(d, step_cells, space[0])
    outermost = np.float32(1 << (levels - 1))
    t, last = enter(o, d, outermost)
    light, nothing = ONE, max(last, ZERO)
    red, green, blue, reach, median = ZERO, ZERO, ZERO, ZERO, nothing
    bright = ZERO
    while light > dark:
        t, level, brick, cell, fx, fy, fz = seek(t, last, o, d, inverse, pace, space)
        if t < ZERO:
            break
        at = ((cell >> 6) * CORNERS + ((cell >> 3) & 7)) * CORNERS + (cell & 7)
        value = blend(density[brick], at, fx, fy, fz)
        passed = light * passing[np.int32(value * FINER)]
        step = pace[0] * np.float32(1 << level)
        weight = light - passed
        if weight > faint:
            r, g, b = blend_colours(colours[brick], at, fx, fy, fz)
            red, green, blue = red + weight * r, green + weight * g, blue + weight * b
            if len(matter) == 3:  # Decided when it is compiled.
                tx, ty, tz = blend_colours(matter[2][brick], at, fx, fy, fz)
                bright += weight * (tx * d[0] + ty * d[1] + tz * d[2])
            reach += weight * t
            if light > HALF and passed <= HALF:
                # Within a step the light falls evenly on a logarithmic scale, to none at all if the
                # step is opaque: then the quotient is infinite, and its inverse nothing.
                median = t + step * (np.log(TWO * light) / np.log(light / passed) - HALF)
            light = passed
        t += step * HALF
    if len(matter) == 3:
        bright = bright * rise_tilt + (ONE - light) * lowest_tilt * (d[0] + d[1] + d[2])
        # Like the colours, in steps of a stored one.
        bright = bright / rise
        red, green, blue = red + bright, green + bright, blue + bright
    finish(red, green, blue, reach, median, light, nothing, look, out)


@njit(cache=True, fastmath=FAST)
def finish(red, green, blue, reach, median, light, nothing, look, out):
    """Write the sums of a ray as colour, distances and opacity."""
    dark, beyond, lowest, rise = look[2], look[4], look[5], look[6]
    opacity = ONE - light
    # A ray that is ended early would have been absorbed there.
    whole = ONE if light > dark else ONE / opacity
    sums = (red, green, blue)
    for k in range(3):
        colour = (sums[k] * rise + lowest * opacity) * whole
        if light > dark:
            colour += light * beyond[k]
        out[k] = min(max(colour, ZERO), ONE)
    out[3] = reach / max(opacity, np.float32(1e-10)) if opacity > ZERO else nothing
    out[4] = median
    out[5] = opacity * whole
