"""One step of learning, compiled: what rays see, and the gradient of what they should have seen.

The gradients of volume rendering are those of Max 1995; the distortion loss is equation 15 of
Barron et al. 2022, on distances ``t / (1 + t)``.
"""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit, prange

from ...scenes.bricks.bricks import corner_of
from ..bricks.seek_loops import FAST, HALF, ONE, TWO, ZERO, enter, pace_of, seek, steep

MOST_SAMPLES = 192
"""Samples of one ray; what lies behind them is not seen."""
DARK = np.float32(1e-3)
FAINT = np.float32(1e-4)
TINY = np.float32(1e-12)


def room(rays):
    """Return what ``look`` writes for so many rays, and room for an order of their samples.

    Brick and cell ``[ray, sample, 2]``; place in the cell ``[ray, sample, 3]``; slopes of the loss
    by log depth and by colour, and the weight ``[ray, sample, 5]``; samples ``[ray]``; colour,
    nearness, light left and samples ``[ray, 6]``; slope by the colour behind ``[ray, 3]``; order.
    """
    return (
        np.zeros((rays, MOST_SAMPLES, 2), dtype=np.int32),
        np.zeros((rays, MOST_SAMPLES, 3), dtype=np.float32),
        np.zeros((rays, MOST_SAMPLES, 5), dtype=np.float32),
        np.zeros(rays, dtype=np.int32),
        np.zeros((rays, 6), dtype=np.float32),
        np.zeros((rays, 3), dtype=np.float32),
        np.zeros(rays * MOST_SAMPLES, dtype=np.int64),
    )


corner = njit(inline="always")(corner_of)


@njit(cache=True, fastmath=FAST, inline="always")
def share(fx, fy, fz, which):
    """Return the trilinear weight of a corner."""
    x = fx if which & 1 else ONE - fx
    y = fy if (which >> 1) & 1 else ONE - fy
    z = fz if which >> 2 else ONE - fz
    return x * y * z


@njit(cache=True, parallel=True, fastmath=FAST)
def look(origins, directions, targets, target_left, space, step_cells, matter, losses, record):
    """Render rays, and note down for each sample what the loss asks of it.

    Args:
        origins: ``[ray, 3]`` in grid units.
        directions: unit vectors.
        targets: ``[ray, 3]`` colours that should be seen.
        target_left: ``[ray]`` light that should be left, NaN where that is not known.
        space: see ``seek``.
        step_cells: step in cells.
        matter: ``[brick, vertex]`` number of each vertex; ``[vertex]`` log of the optical depth of
            a cell; ``[vertex, 3]`` colour; ``[3]`` colour behind everything; and, where brightness
            depends on the direction, ``[vertex, 3]`` tilt.
        losses: weights of distortion and of light left, beside the squared error of colours.
        record: see ``room``, without the order.
    """
    rays = origins.shape[0]
    for ray in prange(rays):
        path = np.empty((7, MOST_SAMPLES), dtype=np.float32)
        n, light = _forward(
            origins[ray],
            directions[ray],
            space,
            step_cells,
            matter,
            path,
            record[0][ray],
            record[1][ray],
            record[4][ray],
        )
        record[3][ray] = n
        _backward(
            n,
            light,
            targets[ray],
            target_left[ray],
            matter[3],
            losses,
            ONE / np.float32(rays),
            path,
            record[2][ray],
            record[4][ray],
            record[5][ray],
        )


@njit(cache=True, fastmath=FAST)
def _forward(origin, direction, space, step_cells, matter, path, bricks, places, seen):
    """Follow one ray; returns its samples and the light left.

    ``path`` gets optical depth, weight, light after, nearness and colour of each sample.
    """
    vertex_of, log_depth, colour, behind = matter[0], matter[1], matter[2], matter[3]
    tau, weight, after, near = path[0], path[1], path[2], path[3]
    o = (origin[0], origin[1], origin[2])
    d = (direction[0], direction[1], direction[2])
    inverse = (ONE / steep(d[0]), ONE / steep(d[1]), ONE / steep(d[2]))
    pace = pace_of(d, step_cells, space[0])
    t, last = enter(o, d, np.float32(1 << (space[1] - 1)))
    light, n = ONE, 0
    red, green, blue, reach = ZERO, ZERO, ZERO, ZERO
    while light > DARK and n < MOST_SAMPLES:
        t, level, brick, cell, fx, fy, fz = seek(t, last, o, d, inverse, pace, space)
        if t < ZERO:
            break
        value = ZERO
        for c in range(8):
            value += share(fx, fy, fz, c) * log_depth[vertex_of[brick, corner(cell, c)]]
        tau[n] = np.exp(value) * step_cells
        passed = light * np.exp(-tau[n])
        w = light - passed
        weight[n], after[n], near[n] = w, passed, t / (ONE + t)
        r, g, b, bright = ZERO, ZERO, ZERO, ZERO
        if w > FAINT:
            for c in range(8):
                part = share(fx, fy, fz, c)
                v = vertex_of[brick, corner(cell, c)]
                r, g, b = r + part * colour[v, 0], g + part * colour[v, 1], b + part * colour[v, 2]
                if len(matter) == 5:  # Decided when it is compiled.
                    tilt = matter[4]
                    bright += part * (tilt[v, 0] * d[0] + tilt[v, 1] * d[1] + tilt[v, 2] * d[2])
            if len(matter) == 5:
                r, g, b = r + bright, g + bright, b + bright
        path[4, n], path[5, n], path[6, n] = r, g, b
        red, green, blue, reach = red + w * r, green + w * g, blue + w * b, reach + w * near[n]
        bricks[n, 0], bricks[n, 1] = brick, cell
        places[n, 0], places[n, 1], places[n, 2] = fx, fy, fz
        light = passed
        n += 1
        t += pace[0] * np.float32(1 << level) * HALF
    seen[0], seen[1] = red + light * behind[0], green + light * behind[1]
    seen[2], seen[3] = blue + light * behind[2], reach
    seen[4], seen[5] = light, np.float32(n)
    return n, light


@njit(cache=True, fastmath=FAST)
def _backward(n, light, target, left, behind, losses, per_ray, path, slopes, seen, sky):
    """Note down the slopes of the loss of one ray, from the far end to the eye."""
    tau, weight, after, near = path[0], path[1], path[2], path[3]
    compact, opaque = losses[0] * per_ray, losses[1] * per_ray
    red = TWO * (seen[0] - target[0]) * per_ray
    green = TWO * (seen[1] - target[1]) * per_ray
    blue = TWO * (seen[2] - target[2]) * per_ray
    sky[0], sky[1], sky[2] = red * light, green * light, blue * light
    # What less light behind a sample changes: colours, the light left, and distortion.
    later = red * behind[0] + green * behind[1] + blue * behind[2]
    if not np.isnan(left):
        later += opaque * TWO * (light - left)
    later *= light
    total, moment = ONE - light, seen[3]
    before, moment_before = total, moment
    for i in range(n - 1, -1, -1):
        w, s = weight[i], near[i]
        before -= w
        moment_before -= w * s
        behind_w, behind_ws = total - before - w, moment - moment_before - w * s
        spread = (s * before - moment_before) + (behind_ws - s * behind_w)
        gain = red * path[4, i] + green * path[5, i] + blue * path[6, i] + compact * TWO * spread
        slopes[i, 0] = (after[i] * gain - later) * tau[i]
        slopes[i, 1], slopes[i, 2], slopes[i, 3] = w * red, w * green, w * blue
        slopes[i, 4] = w
        later += w * gain


@njit(cache=True)
def sort_samples(counts, bricks, rank, starts, order):
    """Write the samples ``ray * MOST_SAMPLES + i`` ordered by their brick's rank.

    ``starts`` ``[brick + 1]`` gets where each rank's samples begin.
    """
    starts[:] = 0
    for ray in range(counts.shape[0]):
        for i in range(counts[ray]):
            starts[rank[bricks[ray, i, 0]] + 1] += 1
    for r in range(starts.shape[0] - 1):
        starts[r + 1] += starts[r]
    fill = starts.copy()
    for ray in range(counts.shape[0]):
        for i in range(counts[ray]):
            r = rank[bricks[ray, i, 0]]
            order[fill[r]] = ray * MOST_SAMPLES + i
            fill[r] += 1


@njit(cache=True, parallel=True, fastmath=FAST)
def gather(order, starts, brick_at, ranks, record, vertex_of, sums):
    """Add the slopes of samples to their vertices; bricks of these ranks share no vertices.

    Args:
        order: samples, by their brick's rank.
        starts: where each rank's samples begin.
        brick_at: ``[rank]`` bricks.
        ranks: first rank and the one after the last.
        record: bricks, places and slopes (see ``room``), and the rays' directions.
        vertex_of: ``[brick, vertex]`` number of each vertex.
        sums: ``[vertex]`` slopes by log depth, ``[vertex, 3]`` by colour; ``[vertex]`` set to 1
            where something was added; ``[brick, cell]`` raised to the largest weight; and, where
            there are tilts, ``[vertex, 3]`` slopes by these.
    """
    bricks, places, slopes, directions = record
    by_depth, by_colour, touched, heaviest = sums[0], sums[1], sums[2], sums[3]
    for rank in prange(ranks[0], ranks[1]):
        brick = brick_at[rank]
        for k in range(starts[rank], starts[rank + 1]):
            ray, i = order[k] // MOST_SAMPLES, order[k] % MOST_SAMPLES
            cell = bricks[ray, i, 1]
            fx, fy, fz = places[ray, i, 0], places[ray, i, 1], places[ray, i, 2]
            s = slopes[ray, i]
            heaviest[brick, cell] = max(heaviest[brick, cell], s[4])
            for c in range(8):
                part = share(fx, fy, fz, c)
                v = vertex_of[brick, corner(cell, c)]
                touched[v] = 1
                by_depth[v] += part * s[0]
                for j in range(3):
                    by_colour[v, j] += part * s[1 + j]
                if len(sums) == 5:
                    # Brightness is added to all channels alike.
                    by_brightness = part * (s[1] + s[2] + s[3])
                    for j in range(3):
                        sums[4][v, j] += by_brightness * directions[ray, j]


@njit(cache=True, parallel=True, fastmath=FAST)
def adam(value, slope, mean, square, touched, bounds, decay):
    """Take a step of Adam (Kingma and Ba 2015) in the touched rows, and clear their slopes.

    ``bounds`` are the rate and the lowest and highest value, ``decay`` those of the mean and of the
    mean square, and the number of the step.
    """
    rate, low, high = bounds
    keep_mean, keep_square, step = decay
    fix_mean = ONE / (ONE - keep_mean**step)
    fix_square = ONE / (ONE - keep_square**step)
    for v in prange(value.shape[0]):
        if touched[v]:
            for k in range(value.shape[1]):
                g = slope[v, k]
                slope[v, k] = ZERO
                m = keep_mean * mean[v, k] + (ONE - keep_mean) * g
                q = keep_square * square[v, k] + (ONE - keep_square) * g * g
                mean[v, k], square[v, k] = m, q
                move = rate * (m * fix_mean) / (np.sqrt(q * fix_square) + TINY)
                value[v, k] = min(max(value[v, k] - move, low), high)
