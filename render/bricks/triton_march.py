"""The march through bricks as a Triton kernel: a program's rays go side by side, one lane each.

The arithmetic of ``seek_loops`` and ``march_loops``. A turn of the loop takes every ray one step
further, whatever that is for it: over empty bricks, over empty cells, to another level, or through
matter. The shading, which is most of the work, is left out of turns in which no ray of the program
is in matter; otherwise rays that are not wait for those that are, and not for their next matter.
"""

# Kernels take flat argument lists by nature of the compiler; triton is an optional extra.
# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false

import triton
import triton.language as tl

BRICK = tl.constexpr(8)
VOXELS = tl.constexpr(512)
VERTICES = tl.constexpr(729)
ROW = tl.constexpr(9)
SLICE = tl.constexpr(81)
EARLY = tl.constexpr(0.501)
LEAST_SLOPE = tl.constexpr(1e-9)
TINY = tl.constexpr(1e-10)
OUTPUTS = tl.constexpr(6)
EMPTY = tl.constexpr(-256)
"""A cell without matter has this plus its hop as its word, see ``triton_pack.cell_words``."""
MOST_HOP = tl.constexpr(8)
FINER = tl.constexpr(4.0)
"""Densities are rounded down to this part of a stored step, as in the table of the CPU's loops."""
RED, GREEN, BLUE = tl.constexpr(1023), tl.constexpr(1023 << 10), tl.constexpr(1023 << 20)
ONE_BITS, MANTISSA = tl.constexpr(127), tl.constexpr(23)


@triton.jit
def steep(d):
    """Return directions' components, kept away from 0."""
    least = tl.where(d >= 0.0, LEAST_SLOPE, -LEAST_SLOPE)
    return tl.where(tl.abs(d) < LEAST_SLOPE, least, d)


@triton.jit
def largest(x, y, z):
    """Return the L-inf norm."""
    return tl.maximum(tl.maximum(tl.abs(x), tl.abs(y)), tl.abs(z))


@triton.jit
def power(level):
    """Return two to the power of small integers, also negative ones, exactly."""
    return ((level + ONE_BITS) << MANTISSA).to(tl.float32, bitcast=True)


@triton.jit
def level_of(m, levels):
    """Return the smallest cube that holds points of L-inf norm ``m``, at most the outermost."""
    exponent = (m.to(tl.int32, bitcast=True) >> MANTISSA) - ONE_BITS
    return tl.minimum(tl.maximum(exponent + 1, 0), levels - 1)


@triton.jit
def leaves(o, inverse, brick, empty, edge, size):
    """Return the distances at which one axis leaves the ``empty`` bricks around a brick."""
    bound = tl.where(inverse > 0.0, brick + empty, brick - empty + 1).to(tl.float32)
    return (bound * edge - size - o) * inverse


@triton.jit
def blend_bytes(half, fx, fy):
    """Return the bilinear mean of the four bytes of words int32, the lowest one first."""
    a, b = (half & 255).to(tl.float32), ((half >> 8) & 255).to(tl.float32)
    c, d = ((half >> 16) & 255).to(tl.float32), ((half >> 24) & 255).to(tl.float32)
    near, up = a + fx * (b - a), c + fx * (d - c)
    return near + fy * (up - near)


@triton.jit
def blend(word, fx, fy, fz):
    """Return the trilinear mean of the eight densities in cells' words."""
    front = blend_bytes(word.to(tl.int32), fx, fy)
    return front + fz * (blend_bytes((word >> 32).to(tl.int32), fx, fy) - front)


@triton.jit
def blend_colours(colours, at, fx, fy, fz, wanted):
    """Return the trilinear mean of packed colours: red, and 2**10 times green, 2**20 times blue.

    Fields are not shifted down: what they are multiplied by is taken off a ray's sums at the end.
    """
    red, green, blue = tl.zeros_like(fx), tl.zeros_like(fx), tl.zeros_like(fx)
    for which in tl.static_range(8):
        share = fx if which % 2 == 1 else 1.0 - fx
        share = share * (fy if which // 2 % 2 == 1 else 1.0 - fy)
        share = share * (fz if which // 4 == 1 else 1.0 - fz)
        corner_at = at + (which // 4 * SLICE + which // 2 % 2 * ROW + which % 2)
        word = tl.load(colours + corner_at, mask=wanted, other=0)
        red += share * (word & RED).to(tl.float32)
        green += share * (word & GREEN).to(tl.float32)
        blue += share * (word & BLUE).to(tl.float32)
    return red, green, blue


@triton.jit
def _ray(tensor, ray, exists):
    """Return three components of each ray's origin or direction."""
    x = tl.load(tensor + ray * 3, mask=exists, other=1.0)
    y = tl.load(tensor + ray * 3 + 1, mask=exists, other=1.0)
    return x, y, tl.load(tensor + ray * 3 + 2, mask=exists, other=1.0)


@triton.jit
def _crossing(o, inverse, size):
    """Return the distances at which one axis enters and leaves the cube of half edge ``size``."""
    a, b = (-size - o) * inverse, (size - o) * inverse
    return tl.minimum(a, b), tl.maximum(a, b)


@triton.jit(do_not_specialize=["rays", "levels", "cells"])
def march_kernel(
    origins, directions, out, rays, index, words, colours, tilts, levels, cells,
    step_cells, dark, faint, lowest_depth, rise_depth, lowest, rise, lowest_tilt, rise_tilt,
    behind_red, behind_green, behind_blue,
    RAYS: tl.constexpr, TILTED: tl.constexpr,
):  # fmt: skip
    """Write ``out [ray, 6]``: colour, expected and median distance, opacity; in grid units.

    Args:
        origins: float32 ``[ray, 3]`` in grid units.
        directions: unit vectors, likewise.
        out: where to write.
        rays: how many there are.
        index: int32 ``[level, z, y, x]``, see ``scenes.bricks.space.index_of``.
        words: int64 ``[brick, cell]``, see ``triton_pack.cell_words``.
        colours: int32 ``[brick, vertex]``, ten bits a channel.
        tilts: likewise, ten bits an axis; not read unless ``TILTED``.
        levels: number of levels.
        cells: cells along an edge of every level.
        step_cells: step in cells.
        dark: light at which a ray ends.
        faint: weight that is passed over.
        lowest_depth: logarithm of the optical depth of a cell that the byte 0 stands for.
        rise_depth: by how much a stored step raises it.
        lowest: colour that 0 stands for.
        rise: by how much a stored step raises it.
        lowest_tilt: tilt that 0 stands for.
        rise_tilt: by how much a stored step raises it.
        behind_red: colour of the light that nothing absorbs, and so on.
        behind_green: its second channel.
        behind_blue: its third one.
        RAYS: rays of a program.
        TILTED: whether brightness depends on the direction.
    """
    ray = tl.program_id(0).to(tl.int64) * RAYS + tl.arange(0, RAYS)
    exists = ray < rays
    ox, oy, oz = _ray(origins, ray, exists)
    dx, dy, dz = _ray(directions, ray, exists)
    ix, iy, iz = 1.0 / steep(dx), 1.0 / steep(dy), 1.0 / steep(dz)
    half, along = cells.to(tl.float32) * 0.5, cells // BRICK
    brick_size, most_cell = 8.0 / half, cells - 1
    first_step = step_cells / half
    per_step, steps_per_cell = 1.0 / first_step, 1.0 / (largest(dx, dy, dz) * step_cells)
    outermost = power(levels - 1)
    enter_x, leave_x = _crossing(ox, ix, outermost)
    enter_y, leave_y = _crossing(oy, iy, outermost)
    enter_z, leave_z = _crossing(oz, iz, outermost)
    t = tl.maximum(tl.maximum(enter_x, enter_y), tl.maximum(enter_z, 0.0))
    last = tl.minimum(tl.minimum(leave_x, leave_y), leave_z)
    nothing = tl.maximum(last, 0.0)
    light, median, reach = tl.full(t.shape, 1.0, tl.float32), nothing, tl.zeros_like(t)
    red, green, blue = tl.zeros_like(t), tl.zeros_like(t), tl.zeros_like(t)
    bright = tl.zeros_like(t)
    alive = exists & (t < last) & (light > dark)
    t = tl.where(alive, t, 0.0)  # What is past the cube may be anywhere.
    while tl.max(alive.to(tl.int32), axis=0) > 0:
        level = level_of(largest(ox + t * dx, oy + t * dy, oz + t * dz), levels)
        size, shrink = power(level), power(-level)
        step, per = first_step * size, per_step * shrink
        at = (tl.ceil(t * per - EARLY) + 0.5) * step
        x, y, z = ox + at * dx, oy + at * dy, oz + at * dz
        m = largest(x, y, z)
        here = alive & (m < size) & ((level == 0) | (m >= size * 0.5))
        scale = half * shrink
        x, y, z = x * scale + half, y * scale + half, z * scale + half
        cx, cy = tl.minimum(x.to(tl.int32), most_cell), tl.minimum(y.to(tl.int32), most_cell)
        cz = tl.minimum(z.to(tl.int32), most_cell)
        bx, by, bz = cx >> 3, cy >> 3, cz >> 3
        place = ((level * along + bz) * along + by) * along + bx
        found = tl.load(index + place, mask=here, other=-1)
        brick_is_there = here & (found >= 0)
        cell = ((cz & 7) << 6) | ((cy & 7) << 3) | (cx & 7)
        word = tl.load(words + (found * VOXELS + cell), mask=brick_is_there, other=EMPTY + 1)
        hop = tl.minimum(tl.maximum(word - EMPTY, 0), MOST_HOP + 1).to(tl.int32)
        is_matter = brick_is_there & ((hop == 0) | (hop > MOST_HOP))
        # Where to go on: behind this step, behind the empty cells, or behind the empty bricks.
        hop = tl.where(is_matter, 1, hop)
        ahead = at + (tl.floor((hop - 1).to(tl.float32) * steps_per_cell) + 0.5) * step
        edge, empty = brick_size * size, -found
        leave = tl.minimum(
            leaves(ox, ix, bx, empty, edge, size), leaves(oy, iy, by, empty, edge, size)
        )
        leave = tl.minimum(leave, leaves(oz, iz, bz, empty, edge, size))
        over = tl.maximum(at + step * 0.5, tl.ceil(leave * per - EARLY) * step)
        elsewhere = tl.where(at > t, at, at + step * 0.5)
        t = tl.where(alive, tl.where(here, tl.where(found >= 0, ahead, over), elsewhere), t)
        if tl.max(is_matter.to(tl.int32), axis=0) > 0:
            fx, fy, fz = x - cx.to(tl.float32), y - cy.to(tl.float32), z - cz.to(tl.float32)
            value = tl.where(is_matter, blend(word, fx, fy, fz), 0.0)
            depth = lowest_depth + rise_depth * ((tl.floor(value * FINER) + 0.5) / FINER)
            optical = tl.where(value >= 1.0, tl.exp(depth) * step_cells, 0.0)
            passed = light * tl.exp(-optical)
            weight = light - passed
            seen = weight > faint
            weight = tl.where(seen, weight, 0.0)
            corner_at = ((cell >> 6) * ROW + ((cell >> 3) & 7)) * ROW + (cell & 7)
            corner_at += found * VERTICES
            r, g, b = blend_colours(colours, corner_at, fx, fy, fz, seen)
            red, green, blue = red + weight * r, green + weight * g, blue + weight * b
            if TILTED:
                tx, ty, tz = blend_colours(tilts, corner_at, fx, fy, fz, seen)
                bright += weight * (tx * dx + ty / 1024.0 * dy + tz / 1048576.0 * dz)
            reach += weight * at
            halves = seen & (light > 0.5) & (passed <= 0.5)
            share = tl.log(tl.where(halves, 2.0 * light, 1.0)) / tl.where(halves, optical, 1.0)
            inside = at + step * (share - 0.5)
            median = tl.where(halves, inside, median)
            light = tl.where(seen, passed, light)
        alive = alive & (t < last) & (light > dark)
    opacity = 1.0 - light
    is_through = light > dark
    # A ray that is ended early would have been absorbed there.
    whole = tl.where(is_through, 1.0, 1.0 / tl.maximum(opacity, TINY))
    through = tl.where(is_through, light, 0.0)
    least = lowest * opacity
    if TILTED:
        least += bright * rise_tilt + lowest_tilt * (dx + dy + dz) * opacity
    red = (red * rise + least) * whole + through * behind_red
    green = (green * (rise / 1024.0) + least) * whole + through * behind_green
    blue = (blue * (rise / 1048576.0) + least) * whole + through * behind_blue
    expected = tl.where(opacity > 0.0, reach / tl.maximum(opacity, TINY), nothing)
    to = out + ray * OUTPUTS
    tl.store(to, tl.minimum(tl.maximum(red, 0.0), 1.0), mask=exists)
    tl.store(to + 1, tl.minimum(tl.maximum(green, 0.0), 1.0), mask=exists)
    tl.store(to + 2, tl.minimum(tl.maximum(blue, 0.0), 1.0), mask=exists)
    tl.store(to + 3, expected, mask=exists)
    tl.store(to + 4, median, mask=exists)
    tl.store(to + 5, opacity * whole, mask=exists)
