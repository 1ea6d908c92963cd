"""The loops of the compiled Gaussian renderer: plain arithmetic, compiled by numba on first use."""

# Kernels take flat argument lists and long bodies by nature of the compiler.
# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import math

import numpy as np
from numba import njit, prange

from ...scenes.splats.descent_loops import STACK, push_children
from ...scenes.splats.shading import add_colour

FIRST_ROOM = 1024


@njit(cache=True)
def _meets(x, y, z, radius, bundle):
    """Return whether a ball may be met by a bundle of rays.

    A bundle ``[10]`` holds the middle of its origins, their spread, its axis, cosine and sine of
    the half angle around the axis, and by what share of their distance balls grow with the pixel.
    Its rays lie in a cone whose apex is anywhere in a ball.
    """
    x, y, z = x - bundle[0], y - bundle[1], z - bundle[2]
    squared = x * x + y * y + z * z
    reach = radius + bundle[3] + bundle[9] * (math.sqrt(squared) + radius + bundle[3])
    if squared <= reach * reach or bundle[7] <= 0.0:
        return True
    along = x * bundle[4] + y * bundle[5] + z * bundle[6]
    across = math.sqrt(max(squared - along * along, 0.0))
    if across * bundle[7] - along * bundle[8] > reach:
        return False
    return along * bundle[7] + across * bundle[8] >= 0.0


@njit(cache=True)
def _collect(bundle, tree):
    """Return the Gaussians that a bundle may meet, in curve order, and how many."""
    centres, radii, starts = tree
    found = np.empty(FIRST_ROOM, dtype=np.int64)
    count = 0
    levels = np.empty(STACK, dtype=np.int64)
    nodes = np.empty(STACK, dtype=np.int64)
    levels[0], nodes[0] = starts.shape[0] - 2, 0
    waiting = 1
    while waiting:
        waiting -= 1
        level, node = levels[waiting], nodes[waiting]
        at = starts[level] + node
        if not _meets(centres[at, 0], centres[at, 1], centres[at, 2], radii[at], bundle):
            continue
        if level > 0:
            waiting = push_children(levels, nodes, waiting, level, node, starts)
            continue
        if count == found.shape[0]:
            more = np.empty(2 * count, dtype=np.int64)
            more[:count] = found
            found = more
        found[count] = node
        count += 1
    return found, count


@njit(cache=True)
def _near(origin, direction, balls, growth, near):
    """Write which balls ``[n, 4]``, grown by their distance, a ray meets; return how many."""
    ox, oy, oz = origin[0], origin[1], origin[2]
    dx, dy, dz = direction[0], direction[1], direction[2]
    met = 0
    for c in range(balls.shape[0]):
        x, y, z = balls[c, 0] - ox, balls[c, 1] - oy, balls[c, 2] - oz
        along = x * dx + y * dy + z * dz
        squared = x * x + y * y + z * z
        reach = balls[c, 3]
        if growth > 0.0:
            reach += growth * math.sqrt(squared)
        if squared - along * along <= reach * reach * (1.0 + 1e-9):
            near[met] = c
            met += 1
    return met


@njit(cache=True)
def _peak(origin, direction, position, axes, scales, spread):
    """Return where along a ray a Gaussian responds most, how many deviations off, and the share.

    The Gaussian is blurred by a pixel of deviation ``spread * distance``; the share is by how much
    that lowers its opacity: the square root of the ratio of its areas across the ray.
    """
    vx, vy, vz = position[0] - origin[0], position[1] - origin[1], position[2] - origin[2]
    blur = spread * spread * (vx * vx + vy * vy + vz * vz)
    pp = pq = qq = sharp = 0.0
    narrow = wide = 1.0
    for k in range(3):
        p = axes[0, k] * vx + axes[1, k] * vy + axes[2, k] * vz
        q = axes[0, k] * direction[0] + axes[1, k] * direction[1] + axes[2, k] * direction[2]
        own = scales[k] * scales[k]
        variance = own + blur
        sharp += q * q / own
        narrow *= own
        wide *= variance
        pp += p * p / variance
        pq += p * q / variance
        qq += q * q / variance
    share = math.sqrt((narrow * sharp) / (wide * qq)) if blur > 0.0 else 1.0
    return pq / qq, max(pp - pq * pq / qq, 0.0), share


@njit(cache=True)
def _composite(origin, hits, order, gaussians, options, basis, out):
    """Write colour, expected and median distance and opacity of one ray from its sorted hits."""
    positions, harmonics = gaussians[0], gaussians[4]
    distances, alphas, which = hits
    _, _, dark, far, background = options
    light = 1.0
    expected = 0.0
    median = far
    for k in order:
        i = which[k]
        weight = light * alphas[k]
        x, y, z = (
            positions[i, 0] - origin[0],
            positions[i, 1] - origin[1],
            positions[i, 2] - origin[2],
        )
        length = max(math.sqrt(x * x + y * y + z * z), 1e-12)
        add_colour(weight, harmonics[i], x / length, y / length, z / length, basis, out)
        expected += weight * distances[k]
        light -= weight
        if median == far and light <= 0.5:
            median = distances[k]
        if light < dark:
            break
    opacity = 1.0 - light
    for channel in range(3):
        out[channel] = min(max(out[channel] + light * background, 0.0), 1.0)
    out[3] = expected / opacity if opacity > 0.0 else far
    out[4] = median
    out[5] = opacity


@njit(cache=True, parallel=True)
def trace(rays, order, starts, bundles, tree, gaussians, options, out):
    """Write ``out [ray, 6]``: colour, expected and median distance, opacity.

    Args:
        rays: origins and directions ``[ray, 3]`` and pixel spreads ``[ray]``, float64.
        order: rays, bundle after bundle.
        starts: ``[bundle + 1]`` places in ``order``.
        bundles: ``[bundle, 10]``, see ``_meets``.
        tree: centres, radii and level starts of the hierarchy over visible Gaussians.
        gaussians: positions, axes, scales, opacities and harmonics, in the hierarchy's order.
        options: faintest and strongest share absorbed, light at which a ray ends, far, background.
        out: zeros.
    """
    origins, directions, spreads = rays
    positions, axes, scales, opacities, _ = gaussians
    centres, radii, _ = tree
    faintest, strongest = options[0], options[1]
    for b in prange(bundles.shape[0]):
        found, count = _collect(bundles[b], tree)
        balls = np.empty((count, 4))
        for c in range(count):
            balls[c, :3] = centres[found[c]]
            balls[c, 3] = radii[found[c]]
        hits = (np.empty(count), np.empty(count), np.empty(count, dtype=np.int64))
        near = np.empty(count, dtype=np.int64)
        basis = np.empty(16)
        for place in range(starts[b], starts[b + 1]):
            ray = order[place]
            met = 0
            for c in range(_near(origins[ray], directions[ray], balls, bundles[b, 9], near)):
                i = found[near[c]]
                distance, squared, share = _peak(
                    origins[ray], directions[ray], positions[i], axes[i], scales[i], spreads[ray]
                )
                # exp(-30) of any opacity is below the faintest share that counts.
                if distance <= 0.0 or squared > 60.0:
                    continue
                alpha = min(opacities[i] * share * math.exp(-0.5 * squared), strongest)
                if alpha < faintest:
                    continue
                hits[0][met], hits[1][met], hits[2][met] = distance, alpha, i
                met += 1
            sequence = np.argsort(hits[0][:met], kind="mergesort")
            _composite(origins[ray], hits, sequence, gaussians, options, basis, out[ray])
