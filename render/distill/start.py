"""Where there is matter at all, and a first guess of how much, at the coarsest resolution."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.ndimage import maximum_filter

from ...scenes.bricks import BRICK, BrickSpace
from ...scenes.bricks.space import VOXELS, in_walking_order
from ...scenes.scene import Scene
from ..rays import Rays
from .count_loops import count
from .teacher import absorption

RAYS_AT_ONCE = 1 << 16
BEYOND = 0.002
"""Share of the light that may be absorbed beyond the outermost cube."""
MOST_LEVELS = 8
OPEN = 2.0
"""How many times as far as its bounds a scene's light must reach to be a scene that goes on."""
OPEN_CELLS, CLOSED_CELLS = 256, 768
MARGIN = 1.06
"""Room around a scene's bounds, on which walls may stand."""
LEAST_ARRIVED = 0.5
"""Rays' worth of light below which a cell's share says nothing."""
MOST_ABSORBED = 0.99
DEPTHS = (0.01, 3.0)
"""Bounds of the first guess of a cell's optical depth: below, it could not be learned."""
QUANTILE_RAYS = 20_000


def space_of(scene: Scene, rays: Rays, cells: int | None, coarser: int) -> BrickSpace:
    """Return the cubes that hold what rays see of a scene, in cells ``coarser`` times too large.

    In a scene that ends at its bounds the innermost cube holds these. One that goes on behind them
    has its subject in the middle, and cells that grow from there on: its innermost cube is half as
    large, and each cube has half as many cells along its edge, unless ``cells`` says how many.
    """
    low, high = (np.asarray(corner, dtype=np.float64) for corner in scene.card.bounds)
    x, y, z = (float(v) for v in (low + high) / 2)
    half_edge = MARGIN * float((high - low).max()) / 2
    least = 4 * BRICK
    space = BrickSpace(centre=(x, y, z), half_edge=half_edge, cells=least, levels=1)
    farthest = _farthest(scene, rays[:QUANTILE_RAYS], space)
    goes_on = farthest > OPEN
    if goes_on:
        half_edge, farthest = half_edge / 2, farthest * 2
    levels = 1 + max(0, math.ceil(math.log2(max(farthest, 1e-6))))
    return replace(
        space,
        half_edge=half_edge,
        cells=(cells or (OPEN_CELLS if goes_on else CLOSED_CELLS)) // coarser,
        levels=min(levels, MOST_LEVELS),
    )


def _farthest(scene: Scene, rays: Rays, space: BrickSpace) -> float:
    """Return how far out, in grid units, all but a small share of the light is absorbed."""
    reached, weights = [], []
    for origins, directions, edges, weight in absorbed_in(scene, rays, space):
        at = (edges[:, 1:] + edges[:, :-1]) / 2
        points = origins[:, None] + directions[:, None] * at[..., None]
        reached.append(np.abs(points).max(axis=-1).ravel())
        weights.append(weight.ravel())
    reach, light = np.concatenate(reached), np.concatenate(weights)
    order = np.argsort(reach)
    passed = np.cumsum(light[order])
    if not len(order) or passed[-1] <= 0:
        return 1.0
    return float(reach[order][np.searchsorted(passed, (1 - BEYOND) * passed[-1])])


def absorbed_in(
    scene: Scene, rays: Rays, space: BrickSpace
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield origins, directions, edges and weights of rays in grid units, part by part."""
    for first in range(0, len(rays), RAYS_AT_ONCE):
        part = rays[first : first + RAYS_AT_ONCE]
        edges, weights = absorption(scene, part)
        origins = space.grid_from_world(part.origins.double().numpy())
        in_grid = (edges.numpy() / space.half_edge).astype(np.float32)
        yield origins, part.directions.numpy(), in_grid, weights.numpy()


def absorbed_share(scene: Scene, rays: Rays, space: BrickSpace) -> np.ndarray:
    """Return the share ``[level, z, y, x]`` that each cell absorbs of the light that comes to it.

    The most likely share, if every ray's light is taken for photons that are counted.
    """
    shape = (space.levels, space.cells, space.cells, space.cells)
    absorbed = np.zeros(int(np.prod(shape)), dtype=np.float32)
    arrived = np.zeros_like(absorbed)
    for part in absorbed_in(scene, rays, space):
        count(*part, space.cells, space.levels, absorbed, arrived)
    share = absorbed / np.maximum(arrived, LEAST_ARRIVED)
    return share.clip(0, MOST_ABSORBED).reshape(shape)


def bricks_with_matter(share: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return places ``[brick, 4]`` and occupied cells ``[brick, 512]``, grown by one cell."""
    matter = np.stack([maximum_filter(level > least, 3) for level in share])
    levels, along = share.shape[0], share.shape[1] // BRICK
    blocks = matter.reshape(levels, along, BRICK, along, BRICK, along, BRICK)
    blocks = blocks.transpose(0, 1, 3, 5, 2, 4, 6)
    places = np.argwhere(blocks.any(axis=(4, 5, 6))).astype(np.int32)
    places = places[in_walking_order(places)]
    return places, blocks[tuple(places.T)].reshape(len(places), VOXELS)


def first_guess(share: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Return log optical depths ``[n]`` of vertices ``[n, 4]`` (level, z, y, x): the most around.

    The densest of the eight cells around decides, so that surfaces begin opaque.
    """
    cells = share.shape[1]
    found = np.zeros(len(vertices), dtype=np.float32)
    for corner in range(8):
        z, y, x = (
            (vertices[:, 1 + axis] - ((corner >> axis) & 1)).clip(0, cells - 1) for axis in range(3)
        )
        found = np.maximum(found, share[vertices[:, 0], z, y, x])
    return np.log(np.clip(-np.log1p(-found), *DEPTHS)).astype(np.float32)
