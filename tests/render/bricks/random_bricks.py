"""Small random bricks, from nothing to opaque, and rays through and past them."""

from dataclasses import replace

import numpy as np
import torch
from merkwelt.scenes.bricks import BRICK, BrickLook, Bricks, BrickSpace
from merkwelt.scenes.bricks.bricks import corner_of, store_colour, store_tilt
from merkwelt.scenes.bricks.space import CORNERS, VOXELS

KINDS = ("inside", "anywhere", "from outside", "past", "along an axis", "in a plane")


def random_bricks(seed, *, levels=3, cells=32, share=0.4, matter=0.5, look=None):
    """Return bricks in which neighbours agree about the numbers of the face between them.

    ``share`` of the bricks that can be there are, and about ``matter`` of their cells are occupied.
    """
    rng = np.random.default_rng(seed)
    look = look or BrickLook()
    space = BrickSpace(centre=(0.5, -0.25, 1.0), half_edge=2.0, cells=cells, levels=levels)
    parts = [_random_level(rng, level, space, share, matter, look) for level in range(levels)]
    places, occupied, density, colour = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Bricks(
        space=space, look=look, places=places, occupied=occupied, density=density, colour=colour
    )


def with_tilts(bricks, seed, most=0.5):
    """Return bricks whose brightness changes by up to ``most`` with the direction along an axis."""
    rng = np.random.default_rng(seed)
    along = np.arange(CORNERS)
    offsets = np.stack(np.meshgrid(along, along, along, indexing="ij"), axis=-1).reshape(-1, 3)
    where = bricks.places[:, None, 1:] * BRICK + offsets
    tilt = most * np.sin(where @ rng.normal(size=(3, 3)) + rng.uniform(0, 6, 3))
    return replace(bricks, tilt=store_tilt(tilt, bricks.look))


def random_rays(seed, count, bricks):
    """Return origins and unit directions float32 ``[count, 3]`` in grid units, of all kinds."""
    rng = np.random.default_rng(seed)
    size = 2.0 ** (bricks.space.levels - 1)
    kind = np.arange(count) % len(KINDS)
    origins = rng.uniform(-1, 1, (count, 3)) * np.where(kind == 0, 0.5, 0.95 * size)[:, None]
    directions = rng.normal(size=(count, 3))
    outside = (kind == 2) | (kind == 3)
    far = rng.normal(size=(count, 3))
    far *= size * rng.uniform(1.8, 3, (count, 1)) / np.linalg.norm(far, axis=1, keepdims=True)
    directions[kind == 2] = (origins - far)[kind == 2]
    directions[kind == 3] = far[kind == 3]
    origins[outside] = far[outside]
    axis = rng.integers(0, 3, count)
    directions[(kind == 4)[:, None] & (np.arange(3) != axis[:, None])] = 0
    directions[(kind == 5)[:, None] & (np.arange(3) == axis[:, None])] = 0
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return torch.from_numpy(origins.astype("f")), torch.from_numpy(directions.astype("f"))


def cell_corners(bricks):
    """Return the vertex in its brick of each cell's eight corners ``[cell, 8]``."""
    cells = np.arange(VOXELS)
    return np.stack([corner_of(cells, which) for which in range(8)], axis=1)


def _random_level(rng, level, space, share, matter, look):
    """Return places, occupied cells, densities and colours of the bricks of a level."""
    places = _random_places(rng, level, space.bricks_along, share)
    shape = (space.cells + 1,) * 3
    # From clearly nothing to clearly opaque, with slopes between.
    values = np.clip(_smooth(rng, shape) * 500 - 130, 0, 255).round().astype(np.uint8)
    rgb = np.stack([_smooth(rng, shape) for _ in range(3)], axis=-1)
    words = store_colour(rgb, look)
    density, colour = (_vertices_of(grid, places) for grid in (values, words))
    occupied = rng.random((len(places), VOXELS)) < matter
    occupied[np.arange(len(places)), rng.integers(0, VOXELS, len(places))] = True
    return places, occupied, density, colour


def _random_places(rng, level, along, share):
    """Return where bricks are ``[brick, 4]``, none in the part that a finer level holds."""
    there = rng.random((along,) * 3) < share
    quarter = along // 4
    if level > 0:
        there[(slice(quarter, along - quarter),) * 3] = False
    zyx = np.argwhere(there)
    return np.concatenate([np.full((len(zyx), 1), level), zyx], axis=1).astype(np.int32)


def _vertices_of(grid, places):
    """Return the numbers ``[brick, 729]`` of each brick's vertices from those of a whole level."""
    along = np.arange(CORNERS)
    z, y, x = (places[:, 1 + axis, None] * BRICK + along for axis in range(3))
    found = grid[z[:, :, None, None], y[:, None, :, None], x[:, None, None, :]]
    return np.ascontiguousarray(found.reshape(len(places), CORNERS**3))


def _smooth(rng, shape):
    """Return random numbers in [0, 1] that change over a few vertices."""
    from scipy.ndimage import zoom

    coarse = rng.random([size // 4 + 2 for size in shape])
    return np.clip(zoom(coarse, 5, order=1), 0, 1)[tuple(slice(size) for size in shape)]
