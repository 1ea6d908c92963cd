"""The ground that a body can walk on: a map from density."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, label, map_coordinates

from ...scenes.card import SceneCard
from .. import steady
from .surfaces import HALF_ABSORBED, HasDensity

CELL_M = 0.05
MOST_CELLS = 200
"""Cells along the longer side; larger scenes get larger cells."""
STEP_OVER_M = 0.1
"""Matter below this height above the floor is stepped over."""
SMALLEST_EXTENT_M = 0.5
COVERAGE_REACH_M = 1.5
FLOOR_SHARE = 0.1


class NoPath(RuntimeError):
    """No body fits, or none can move: the message says why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """A map on a square grid, indexed ``[ix, iy]``."""

    origin_xy_m: np.ndarray
    """World xy of the centre of cell [0, 0]."""
    cell_m: float
    clearance_m: np.ndarray
    """Distance from each cell's centre to the nearest matter, at least; 0 in matter."""
    reachable: np.ndarray
    """Where the body's axis can be, all of it connected."""
    coverage: np.ndarray
    """In [0, 1]: how near the training cameras came; 1 everywhere if they are unknown."""
    floor_height_m: float

    def clearance_at(self, points_xy_m: np.ndarray) -> np.ndarray:
        """Return the clearance ``[n]`` at world points ``[n, 2]``, 0 outside the map."""
        index = (points_xy_m - self.origin_xy_m) / self.cell_m
        return map_coordinates(self.clearance_m, index.T, order=1, mode="constant", cval=0.0)

    def centre_of(self, cells: np.ndarray) -> np.ndarray:
        """Return the world xy ``[n, 2]`` of cells ``[n, 2]``."""
        return self.origin_xy_m + self.cell_m * cells


def map_ground(
    scene: HasDensity, card: SceneCard, *, floor_height_m: float, top_m: float, radius_m: float
) -> Ground:
    """Return the ground that an upright capsule can reach.

    A cell is blocked if the column of air over it, from ``STEP_OVER_M`` above the floor to
    ``top_m`` above it, absorbs more than half of the light that falls straight down:
    ``1 - exp(-integral of density) > 0.5``. Of the connected parts that keep ``radius_m`` away
    from blocked cells, the one with most training cameras over it is kept, else the largest.

    Raises:
        NoPath: nothing is free.
    """
    low, high = (np.asarray(corner, dtype=np.float64) for corner in card.bounds)
    cell = max(CELL_M, float((high - low)[:2].max()) / MOST_CELLS)
    shape = np.maximum(((high - low)[:2] / cell).astype(int), 1)
    origin = low[:2] + cell / 2
    heights = np.arange(floor_height_m + STEP_OVER_M, floor_height_m + top_m, cell)
    blocked = _column_depth(scene, origin, cell, shape, heights) > HALF_ABSORBED
    # Matter may reach almost to the centre of the next cell: one cell is taken off.
    distance = np.asarray(distance_transform_edt(np.pad(~blocked, 1)))[1:-1, 1:-1] * cell
    clearance = np.maximum(distance - cell, 0.0)
    cameras = np.asarray(card.world_from_training_camera, np.float64).reshape(-1, 4, 4)[:, :2, 3]
    reachable = _connected(clearance >= radius_m, (cameras - origin) / cell)
    if reachable is None:
        raise NoPath(
            f"no free ground in scene {card.name!r}: {blocked.mean():.0%} of its floor plan is "
            f"filled between {heights[0]:.2f} and {heights[-1]:.2f}, and no place keeps "
            f"{radius_m:.2f} m away from matter; check the card's floor_height and bounds"
        )
    extent = cell * (np.ptp(np.argwhere(reachable), axis=0) + 1).max()
    if extent < SMALLEST_EXTENT_M:
        raise NoPath(
            f"no free ground in scene {card.name!r}: the largest free place is only "
            f"{extent:.2f} m long, {SMALLEST_EXTENT_M} m are needed to walk"
        )
    return Ground(
        origin_xy_m=origin,
        cell_m=cell,
        clearance_m=clearance,
        reachable=reachable,
        coverage=_coverage(cameras, origin, cell, shape),
        floor_height_m=floor_height_m,
    )


def _column_depth(
    scene: HasDensity, origin: np.ndarray, cell: float, shape: np.ndarray, heights: np.ndarray
) -> np.ndarray:
    """Return the vertical optical depth of each cell, one layer of points at a time."""
    ix, iy = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    xy = origin + cell * np.stack([ix, iy], axis=-1).reshape(-1, 2)
    depth = np.zeros(len(xy))
    for height in heights:
        points = np.concatenate([xy, np.full((len(xy), 1), height)], axis=1)
        depth += scene.density(points) * cell
    return depth.reshape(tuple(shape))


def _connected(free: np.ndarray, camera_cells: np.ndarray) -> np.ndarray | None:
    parts, count = label(free)  # type: ignore[misc]
    if count == 0:
        return None
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    cells = np.round(camera_cells).astype(int)
    inside = np.all((cells >= 0) & (cells < free.shape), axis=1)
    over = parts[tuple(cells[inside].T)]
    cameras = np.bincount(over, minlength=count + 1)[1:]
    best = np.lexsort((sizes, cameras))[-1]
    return parts == best + 1


def _coverage(
    cameras: np.ndarray, origin: np.ndarray, cell: float, shape: np.ndarray
) -> np.ndarray:
    if len(cameras) == 0:
        return np.ones(tuple(shape))
    x = origin[0] + cell * np.arange(shape[0])
    y = origin[1] + cell * np.arange(shape[1])
    distance = np.full(tuple(shape), math.inf)
    for camera in cameras:
        np.minimum(distance, _distances(x - camera[0], y - camera[1]), out=distance)
    return steady.exp(-distance / COVERAGE_REACH_M)


def _distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(x[:, None] * x[:, None] + y * y)


def estimate_floor(scene: HasDensity, card: SceneCard) -> float | None:
    """Return the height of the floor under the training cameras, or None if there is none.

    Plumb lines are dropped from the lowest camera over a grid around the cameras; the floor is
    the lowest height at which at least a tenth of those that hit something do.
    """
    poses = np.asarray(card.world_from_training_camera, np.float64).reshape(-1, 4, 4)
    if len(poses) == 0:
        return None
    cameras = poses[:, :3, 3]
    low, high = cameras[:, :2].min(axis=0) - 0.5, cameras[:, :2].max(axis=0) + 0.5
    x, y = np.linspace(low[0], high[0], 24), np.linspace(low[1], high[1], 24)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    heights = np.arange(cameras[:, 2].min(), card.bounds[0][2] - CELL_M, -CELL_M)
    if len(heights) == 0:
        return None
    points = np.concatenate(
        [np.repeat(grid, len(heights), axis=0), np.tile(heights, len(grid))[:, None]], axis=1
    )
    depth = np.cumsum(scene.density(points).reshape(len(grid), -1) * CELL_M, axis=1)
    opaque = depth > HALF_ABSORBED
    if not opaque.any():
        return None
    hits = np.bincount(opaque.argmax(axis=1)[opaque.any(axis=1)], minlength=len(heights))
    lowest = np.flatnonzero(hits >= FLOOR_SHARE * hits.sum())
    return float(heights[lowest[-1]]) if len(lowest) else None
