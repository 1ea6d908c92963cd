"""Finding the next place along a ray where there is matter.

Space is a nest of cubes: level l reaches from ``-2**l`` to ``2**l`` grid units and has the same
number of cells along an edge as every other level, so that cells grow with the distance. A point
belongs to the smallest cube that holds it. On every level a ray is looked at at the middles of
steps of ``STEP`` cells, counted from its origin; which of them are in matter does not depend on how
the empty ones were skipped.
"""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit

from ...scenes.bricks.space import BRICK

FAST = {"contract", "reassoc", "nsz", "arcp"}
LEAST_SLOPE = np.float32(1e-9)
EARLY = np.float32(0.501)
"""Half a step, and a little: where a ray comes to coarser cells, half a step of the finer ones may
end at the very middle of a coarser one, which round-off must not decide to pass over."""

ZERO = np.float32(0)
HALF = np.float32(0.5)
ONE = np.float32(1)
TWO = np.float32(2)
EIGHT = np.float32(BRICK)


@njit(cache=True, inline="always")
def steep(d):
    """Return a direction's component, kept away from 0."""
    if abs(d) < LEAST_SLOPE:
        return LEAST_SLOPE if d >= ZERO else -LEAST_SLOPE
    return d


@njit(cache=True, fastmath=FAST)
def enter(o, d, size):
    """Return the distances at which a ray enters and leaves the cube of half edge ``size``.

    ``o`` and ``d`` are tuples of three; a ray that misses the cube leaves before it enters.
    """
    first, last = ZERO, np.float32(1e30)
    for axis in range(3):
        inverse = ONE / steep(d[axis])
        a, b = (-size - o[axis]) * inverse, (size - o[axis]) * inverse
        first, last = max(first, min(a, b)), min(last, max(a, b))
    return first, last


@njit(cache=True, fastmath=FAST)
def seek(t, last, o, d, inverse, pace, space):
    """Return the next looked-at place in matter from distance ``t`` on.

    Args:
        t: distance from which to look, in grid units.
        last: distance at which the ray leaves the outermost cube.
        o: origin, a tuple in grid units.
        d: direction, a tuple.
        inverse: one over each component of ``d``.
        pace: step on the innermost level in grid units, one over it, and how many steps make one
            cell along the steepest axis (see ``pace_of``).
        space: cells along an edge of every level; number of levels; flat ``[level, z, y, x]`` of
            bricks, each a brick's number or minus the distance in bricks (at least 1) to the next
            brick with matter or to where the level ends; and ``[brick, cell]``, 0 in cells with
            matter, else the distance in cells to the next one.

    Returns:
        Distance, level, brick, cell, and the place in the cell (three shares); a distance of -1 if
        there is no more matter.
    """
    cells, levels, index, hops = space
    first_step, per_step, steps_per_cell = pace
    along = cells // BRICK
    half = np.float32(cells) * HALF
    brick_size = EIGHT / half
    while t < last:
        m = max(abs(o[0] + t * d[0]), max(abs(o[1] + t * d[1]), abs(o[2] + t * d[2])))
        level, size, shrink = 0, ONE, ONE
        while m >= size and level < levels - 1:
            level, size, shrink = level + 1, size * TWO, shrink * HALF
        step = first_step * size
        at = (np.ceil(t * per_step * shrink - EARLY) + HALF) * step
        x, y, z = o[0] + at * d[0], o[1] + at * d[1], o[2] + at * d[2]
        m = max(abs(x), max(abs(y), abs(z)))
        if m >= size or (level > 0 and m < size * HALF):
            # The step leads to another level, or out.
            t = at if at > t else at + step * HALF
            continue
        scale = half * shrink
        x, y, z = x * scale + half, y * scale + half, z * scale + half
        # Just inside the level's last face, round-off may lead to the face itself.
        cx, cy, cz = min(int(x), cells - 1), min(int(y), cells - 1), min(int(z), cells - 1)
        bx, by, bz = cx >> 3, cy >> 3, cz >> 3
        found = index[((level * along + bz) * along + by) * along + bx]
        if found >= 0:
            cell = ((cz & 7) << 6) | ((cy & 7) << 3) | (cx & 7)
            hop = hops[found, cell]
            if hop == 0:
                fx, fy, fz = x - np.float32(cx), y - np.float32(cy), z - np.float32(cz)
                return at, level, found, cell, fx, fy, fz
            t = at + (np.floor(np.float32(hop - 1) * steps_per_cell) + HALF) * step
        else:
            edge = brick_size * size
            leave = _leave(o[0], inverse[0], bx, found, edge, size)
            leave = min(leave, _leave(o[1], inverse[1], by, found, edge, size))
            leave = min(leave, _leave(o[2], inverse[2], bz, found, edge, size))
            # The end of the last step in there, as if every one had been looked at: where the next
            # one starts decides which middles come after a change of level.
            t = max(at + step * HALF, np.ceil(leave * per_step * shrink - EARLY) * step)
    return np.float32(-1), 0, 0, 0, ZERO, ZERO, ZERO


@njit(cache=True, fastmath=FAST, inline="always")
def _leave(o, inverse, brick, found, edge, size):
    """Return the distance at which one axis leaves the empty bricks around a brick."""
    bound = brick - found if inverse > ZERO else brick + found + 1
    return (np.float32(bound) * edge - size - o) * inverse


@njit(cache=True, fastmath=FAST)
def pace_of(d, step_cells, cells):
    """Return what ``seek`` needs to know about the steps of a ray."""
    steepest = max(abs(d[0]), max(abs(d[1]), abs(d[2])))
    step = step_cells * TWO / np.float32(cells)
    return step, ONE / step, ONE / (steepest * step_cells)
