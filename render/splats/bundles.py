"""Rays sorted into narrow bundles, so that what a bundle cannot meet is passed over at once."""

from dataclasses import dataclass

import numpy as np

from ...scenes.splats.hierarchy import morton_codes

RAYS_PER_BUNDLE = 32
WIDEST_STEP = 0.2
"""A bundle ends where the next ray's direction differs by more (chord of the unit sphere)."""
HILBERT_BITS = 16
FEWEST_PER_ORIGIN = 16
"""With fewer rays from one point on average, bundles may mix origins."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Bundles:
    """Consecutive rays of an order, each with the cone and the ball of origins that hold them."""

    order: np.ndarray
    """``[ray]``."""
    starts: np.ndarray
    """``[bundle + 1]``: where each bundle begins in the order."""
    shapes: np.ndarray
    """``[bundle, 10]``: middle of origins, their spread, axis, cosine and sine of the half angle,
    and the growth of balls by the share of their distance that a pixel covers."""


def bundle_rays(origins: np.ndarray, directions: np.ndarray, growth: np.ndarray) -> Bundles:
    """Return bundles of up to 32 of the rays with origins and unit directions ``[n, 3]``, n > 0.

    Rays from one point go along a Hilbert curve over the octahedral map of directions (Engelhardt &
    Dachsbacher 2008); rays from many points along a Z curve over points and directions together.
    Pixels that are no points meet balls grown by ``growth [n]`` times the distance.
    """
    points, owner = np.unique(origins, axis=0, return_inverse=True)
    flat = _octahedral(directions)
    if len(points) * FEWEST_PER_ORIGIN <= len(origins):
        owner = owner.reshape(-1)
        order = np.lexsort((_hilbert(flat), owner))
        breaks = np.diff(owner[order]) != 0
    else:
        size = max(float(np.ptp(origins, axis=0).max()), 1e-30)
        order = np.argsort(morton_codes(np.hstack([origins / size, flat]), 12), kind="stable")
        breaks = np.zeros(len(order) - 1, dtype=bool)
    breaks |= np.linalg.norm(np.diff(directions[order], axis=0), axis=1) > WIDEST_STEP
    starts = _starts(breaks)
    cones = _cones(origins[order], directions[order], starts)
    shapes = np.column_stack([cones, np.maximum.reduceat(growth[order], starts)])
    return Bundles(order=order, starts=np.append(starts, len(origins)), shapes=shapes)


def _starts(breaks: np.ndarray) -> np.ndarray:
    """Return where bundles start: after each break, and then every 32 rays."""
    place = np.arange(len(breaks) + 1)
    run_start = np.maximum.accumulate(np.where(np.append(True, breaks), place, 0))
    return np.flatnonzero((place - run_start) % RAYS_PER_BUNDLE == 0)


def _hilbert(points: np.ndarray) -> np.ndarray:
    """Return places along a Hilbert curve ``[n]`` of points ``[n, 2]`` in [-1, 1]^2.

    From the largest squares to the smallest, each point is brought to the frame of its quadrant.
    """
    side = 1 << HILBERT_BITS
    cells = np.clip(((points + 1) / 2 * side).astype(np.int64), 0, side - 1)
    x, y = cells[:, 0], cells[:, 1]
    place = np.zeros(len(points), dtype=np.int64)
    for bit in reversed(range(HILBERT_BITS)):
        half = 1 << bit
        right, up = (x & half) > 0, (y & half) > 0
        place += half * half * ((3 * right) ^ up)
        flip = right & ~up
        x, y = np.where(flip, side - 1 - x, x), np.where(flip, side - 1 - y, y)
        x, y = np.where(up, x, y), np.where(up, y, x)
    return place


def _cones(origins: np.ndarray, directions: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return ``[bundle, 9]``, all but the growth; a hair wider than the rays, against round-off."""
    sizes = np.diff(np.append(starts, len(origins)))
    owner = np.repeat(np.arange(len(starts)), sizes)
    middle = np.add.reduceat(origins, starts) / sizes[:, None]
    spread = np.maximum.reduceat(np.linalg.norm(origins - middle[owner], axis=1), starts)
    axis = np.add.reduceat(directions, starts)
    length = np.linalg.norm(axis, axis=1, keepdims=True)
    # Directions that cancel have no axis: any one does, with a half angle of 180 degrees.
    axis = np.where(length > 1e-9, axis / np.maximum(length, 1e-9), [[1.0, 0.0, 0.0]])
    chord = np.linalg.norm(directions - axis[owner], axis=1)
    half = 2 * np.arcsin(np.clip(np.maximum.reduceat(chord, starts) / 2, 0, 1))
    half = np.minimum(half + 1e-7, np.pi)
    columns = [middle, spread[:, None] * (1 + 1e-9) + 1e-12, axis]
    return np.hstack([*columns, np.cos(half)[:, None], np.sin(half)[:, None]])


def _octahedral(directions: np.ndarray) -> np.ndarray:
    """Return unit vectors ``[n, 3]`` unfolded from an octahedron onto a square ``[n, 2]``."""
    folded = directions / np.abs(directions).sum(axis=1, keepdims=True)
    x, y = folded[:, 0], folded[:, 1]
    below = directions[:, 2] < 0
    sign_x, sign_y = np.where(x >= 0, 1.0, -1.0), np.where(y >= 0, 1.0, -1.0)
    u = np.where(below, (1 - np.abs(y)) * sign_x, x)
    v = np.where(below, (1 - np.abs(x)) * sign_y, y)
    return np.stack([u, v], axis=1)
