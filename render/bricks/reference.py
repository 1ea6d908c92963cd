"""What a ray sees of the bricks, slow and obvious: the oracle of the compiled renderers.

Nothing is skipped: every step of every ray is looked up, in double precision, and what has no
matter absorbs nothing.
"""

import math

import numpy as np

from ...scenes.bricks import BRICK, Bricks
from ...scenes.bricks.bricks import corner_of, stored_colour, stored_tilt


def render_ray(bricks: Bricks, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return ``[6]``: colour, expected and median distance, opacity; distances in grid units."""
    light, last = 1.0, max(_passes(bricks, origin, direction)[1], 0.0)
    sums, reach, median = np.zeros(3), 0.0, last
    for t, step, optical_depth, rgb in _samples(bricks, origin, direction):
        if light <= bricks.look.dark:
            break
        passed = light * math.exp(-optical_depth)
        weight = light - passed
        if weight <= bricks.look.faint:
            continue
        sums, reach = sums + weight * rgb, reach + weight * t
        if light > 0.5 >= passed:
            median = t + step * (math.log(2 * light) / optical_depth - 0.5)
        light = passed
    opacity = 1 - light
    expected = reach / opacity if opacity > 0 else last
    if light <= bricks.look.dark:
        sums, opacity = sums / opacity, 1.0
    else:
        sums = sums + light * np.asarray(bricks.look.behind)
    return np.array([*sums.clip(0, 1), expected, median, opacity])


def _passes(bricks: Bricks, origin: np.ndarray, direction: np.ndarray) -> tuple[float, float]:
    """Return the distances at which a ray enters and leaves the outermost cube."""
    size = 2.0 ** (bricks.space.levels - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = (np.array([[-size], [size]]) - origin) / direction
    # A ray that runs within a face does not leave through it.
    entered, left = np.nanmin(ends, axis=0).max(), np.nanmax(ends, axis=0).min()
    return max(float(entered), 0.0), float(left)


def _samples(bricks: Bricks, origin: np.ndarray, direction: np.ndarray):  # noqa: ANN202
    """Yield distance, step, optical depth and colour of every step in matter."""
    space, look = bricks.space, bricks.look
    low, high = look.density_range
    t, last = _passes(bricks, origin, direction)
    while t < last:
        level = min(_level(origin + t * direction), space.levels - 1)
        step = look.step_cells * 2 / space.cells * 2**level
        # A little early: see ``seek_loops.EARLY``.
        at = (math.ceil(t / step - 0.501) + 0.5) * step
        point = origin + at * direction
        if _level(point) != level:
            t = at if at > t else at + step / 2
            continue
        scaled = (point / 2**level + 1) * space.cells / 2
        cell = np.floor(scaled).astype(int)
        found = _find(bricks, level, cell)
        if found is not None:
            brick, number = found
            corners = np.array([corner_of(number, which) for which in range(8)])
            shares = [_share(scaled - cell, which) for which in range(8)]
            stored = float(bricks.density[brick, corners] @ np.array(shares))
            rgb = np.array(shares) @ stored_colour(bricks.colour[brick, corners], look)
            if bricks.tilt is not None:
                tilt = np.array(shares) @ stored_tilt(bricks.tilt[brick, corners], look)
                rgb = rgb + tilt @ direction
            if stored >= 1:
                log_depth = low + (high - low) * stored / 255
                yield at, step, math.exp(log_depth) * look.step_cells, rgb
        t = at + step / 2


def _level(point: np.ndarray) -> int:
    return max(0, math.floor(math.log2(max(np.abs(point).max(), 1e-9))) + 1)


def _share(place: np.ndarray, which: int) -> float:
    bits = [(which >> axis) & 1 for axis in range(3)]
    return math.prod(p if bit else 1 - p for p, bit in zip(place, bits, strict=True))


def _find(bricks: Bricks, level: int, cell_xyz: np.ndarray) -> tuple[int, int] | None:
    """Return the brick and the number in it of an occupied cell."""
    x, y, z = cell_xyz
    wanted = [level, z // BRICK, y // BRICK, x // BRICK]
    hit = np.flatnonzero((bricks.places == wanted).all(axis=1))
    number = int((z % BRICK * BRICK + y % BRICK) * BRICK + x % BRICK)
    if len(hit) and bricks.occupied[hit[0], number]:
        return int(hit[0]), number
    return None
