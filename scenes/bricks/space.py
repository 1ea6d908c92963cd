"""How space is divided: a nest of cubes, each of the same number of cells, in bricks of 8 x 8 x 8.

Grid coordinates have the middle of the scene as origin and half the edge of the innermost cube as
unit. Cube l reaches from ``-2**l`` to ``2**l``; a point belongs to the smallest cube that holds it.
"""

from dataclasses import dataclass

import numpy as np

from ..card import Vector

BRICK = 8
"""Cells along an edge of a brick."""
CORNERS = BRICK + 1
VERTICES = CORNERS**3
VOXELS = BRICK**3
MOST_LEVELS = 12


@dataclass(frozen=True, kw_only=True)
class BrickSpace:
    """Where the cubes are, and how finely they are divided."""

    centre: Vector
    """Middle of all cubes, in world coordinates."""
    half_edge: float
    """Half the edge of the innermost cube, in world units."""
    cells: int
    """Cells along an edge of each cube."""
    levels: int
    """Number of cubes."""

    def __post_init__(self) -> None:
        """Refuse divisions that bricks do not fit into."""
        if not (self.half_edge > 0 and np.isfinite([self.half_edge, *self.centre]).all()):
            raise ValueError(f"expected a finite middle and a positive size, got {self}")
        if self.cells < 4 * BRICK or self.cells % (4 * BRICK):
            # A quarter of a cube's edge, where the next smaller cube begins, is whole bricks.
            raise ValueError(f"expected cells in multiples of {4 * BRICK}, got {self.cells}")
        if not 1 <= self.levels <= MOST_LEVELS:
            raise ValueError(f"expected 1 to {MOST_LEVELS} levels, got {self.levels}")

    @property
    def bricks_along(self) -> int:
        """Bricks along an edge of each cube."""
        return self.cells // BRICK

    @property
    def cell_size(self) -> float:
        """Edge of the innermost cells, in world units."""
        return 2 * self.half_edge / self.cells

    def grid_from_world(self, points: np.ndarray) -> np.ndarray:
        """Return grid coordinates float32 ``[n, 3]`` of world points."""
        return ((points - np.asarray(self.centre)) / self.half_edge).astype(np.float32)


def index_of(places: np.ndarray, space: BrickSpace) -> np.ndarray:
    """Return, flat ``[level, z, y, x]`` int32, each place's brick, or how far it is to one.

    Args:
        places: ``[brick, 4]`` level, z, y and x of the bricks with matter, counted in bricks.
        space: the division they belong to.

    Returns:
        The brick's number where there is one; elsewhere minus the Chebyshev distance, in bricks, to
        the nearest brick with matter or to where the level ends (outwards and inwards), at least 1.
    """
    from scipy.ndimage import distance_transform_cdt

    along, quarter = space.bricks_along, space.bricks_along // 4
    index = np.zeros((space.levels, along, along, along), dtype=np.int32)
    number = np.full(index.shape, -1, dtype=np.int32)
    number[tuple(places.T)] = np.arange(len(places), dtype=np.int32)
    for level in range(space.levels):
        solid = number[level] >= 0
        ends = solid.copy()
        if level > 0:
            ends[(slice(quarter, along - quarter),) * 3] = True
        padded = np.pad(ends, 1, constant_values=True)
        distance = np.asarray(distance_transform_cdt(~padded, "chessboard"))[1:-1, 1:-1, 1:-1]
        index[level] = np.where(solid, number[level], -np.maximum(distance, 1))
    return index.reshape(-1)


def in_walking_order(places: np.ndarray) -> np.ndarray:
    """Return the order of places ``[n, 4]`` by level, then along a Z-curve (Morton 1966).

    Bricks that are near each other in space are then mostly near each other in memory.
    """
    code = np.zeros(len(places), dtype=np.int64)
    for bit in range(16):
        for axis in range(3):
            code |= ((places[:, 1 + axis].astype(np.int64) >> bit) & 1) << (3 * bit + 2 - axis)
    return np.lexsort((code, places[:, 0]))
