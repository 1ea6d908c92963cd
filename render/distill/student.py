"""The bricks while they learn: numbers at vertices, and steps of gradient descent."""

from typing import Any

import numpy as np

from ...scenes.bricks import BrickSpace
from ...scenes.bricks.hop_loops import measure_hops
from ...scenes.bricks.space import CORNERS, VERTICES, index_of
from . import student_loops as loops
from .teacher import Lesson

LOG_DEPTHS = (-7.0, 5.0)
COLOURS = (-0.125, 1.125)
TILTS = (-1.024, 1.022)
DENSITY_RATE = 0.12
COLOUR_RATE = 0.02
TILT_RATE = 0.02
MEAN_DECAY, SQUARE_DECAY = np.float32(0.9), np.float32(0.99)
PARITIES = 8


class Student:
    """Bricks whose vertices, shared by neighbours, have a density and a colour that are learned.

    And, if it is ``tilted``, how much the brightness rises with the direction of the ray.
    """

    def __init__(
        self,
        space: BrickSpace,
        places: np.ndarray,
        occupied: np.ndarray,
        step_cells: float,
        *,
        tilted: bool = False,
    ) -> None:
        """Begin with bricks at ``places`` ``[brick, 4]`` and their ``occupied`` cells."""
        self.space, self.places, self.occupied = space, places, occupied
        self.step_cells = np.float32(step_cells)
        self.index = index_of(places, space)
        self.hops = measure_hops(occupied, places, self.index, space.bricks_along)
        self.vertex_of, self.vertices = shared_vertices(places, space)
        self.turns = BrickTurns(places)
        count = len(self.vertices)
        self.log_depth = np.zeros((count, 1), dtype=np.float32)
        self.colour = np.full((count, 3), 0.5, dtype=np.float32)
        self.tilt = np.zeros((count, 3), dtype=np.float32) if tilted else None
        self.behind = np.full(3, 0.5, dtype=np.float32)
        self.learns_behind = False
        self.seen_weight = np.zeros(occupied.shape, dtype=np.float32)
        """Largest weight that each cell had in any ray since this was last cleared."""
        self._memory = [[np.zeros_like(v) for _ in range(3)] for v in self.values]
        self._behind_memory = np.zeros((2, 3))
        self._touched = np.zeros(count, dtype=np.uint8)
        self._steps = 0
        self._record: tuple[Any, ...] = ()

    @property
    def values(self) -> tuple[np.ndarray, ...]:
        """What is learned at vertices ``[vertex, k]``: log depths, colours, and tilts if any."""
        told = (self.log_depth, self.colour)
        return told if self.tilt is None else (*told, self.tilt)

    def look(self, lesson: Lesson, compact: float = 0.0, opaque: float = 0.0) -> np.ndarray:
        """Return ``[ray, 6]`` colour, nearness, light left and samples; notes down the gradient."""
        rays = len(lesson)
        if not self._record or len(self._record[0]) != rays:
            self._record = loops.room(rays)
        bricks, places, slopes, counts, seen, sky, _ = self._record
        origins = self.space.grid_from_world(lesson.origins.astype(np.float64))
        matter = (self.vertex_of, self.log_depth[:, 0], self.colour, self.behind)
        loops.look(
            origins,
            lesson.directions,
            lesson.colours,
            lesson.light_left,
            (self.space.cells, self.space.levels, self.index, self.hops),
            self.step_cells,
            matter if self.tilt is None else (*matter, self.tilt),
            np.array([compact, opaque], dtype=np.float32),
            (bricks, places, slopes, counts, seen, sky),
        )
        return seen

    def learn(
        self, lesson: Lesson, rate: float, *, compact: float = 0.0, opaque: float = 0.0
    ) -> float:
        """Take one step; return the mean squared error of the colours before it.

        Args:
            lesson: rays, and what they should see.
            rate: learning rate, relative to the first one.
            compact: weight of the distortion loss.
            opaque: weight of the loss on the light that is left.
        """
        seen = self.look(lesson, compact, opaque)
        bricks, places, slopes, counts, _, sky, order = self._record
        turns = self.turns
        loops.sort_samples(counts, bricks, turns.rank, turns.starts, order)
        by_depth, *others = (memory[0] for memory in self._memory)
        for parity in range(PARITIES):
            loops.gather(
                order,
                turns.starts,
                turns.brick_at,
                (int(turns.bounds[parity]), int(turns.bounds[parity + 1])),
                (bricks, places, slopes, lesson.directions),
                self.vertex_of,
                (by_depth[:, 0], others[0], self._touched, self.seen_weight, *others[1:]),
            )
        self._steps += 1
        self._descend(rate)
        if self.learns_behind:
            self._learn_behind(sky.sum(axis=0), COLOUR_RATE * rate)
        return float(np.mean((seen[:, :3] - lesson.colours) ** 2))

    def _descend(self, rate: float) -> None:
        rates, bounded = (DENSITY_RATE, COLOUR_RATE, TILT_RATE), (LOG_DEPTHS, COLOURS, TILTS)
        for k, value in enumerate(self.values):
            slope, mean, square = self._memory[k]
            loops.adam(
                value,
                slope,
                mean,
                square,
                self._touched,
                (np.float32(rates[k] * rate), *map(np.float32, bounded[k])),
                (MEAN_DECAY, SQUARE_DECAY, np.float32(self._steps)),
            )
        self._touched[:] = 0

    def _learn_behind(self, slope: np.ndarray, rate: float) -> None:
        """Adam on the colour behind everything."""
        mean, square = self._behind_memory
        mean[:] = MEAN_DECAY * mean + (1 - MEAN_DECAY) * slope
        square[:] = SQUARE_DECAY * square + (1 - SQUARE_DECAY) * slope**2
        fixed = mean / (1 - MEAN_DECAY**self._steps)
        scale = np.sqrt(square / (1 - SQUARE_DECAY**self._steps)) + 1e-12
        self.behind = (self.behind - rate * fixed / scale).clip(0, 1).astype(np.float32)


class BrickTurns:
    """An order of bricks in which those of one parity follow each other.

    Bricks whose coordinates are even or odd alike share no vertices, so that they can be worked on
    at the same time, and the sums do not depend on who was first.
    """

    def __init__(self, places: np.ndarray) -> None:
        """Order bricks at ``places`` ``[brick, 4]``."""
        odd = places[:, 1:] & 1
        parity = odd[:, 0] | odd[:, 1] << 1 | odd[:, 2] << 2
        self.brick_at = np.argsort(parity, kind="stable").astype(np.int32)
        self.rank = np.empty_like(self.brick_at)
        self.rank[self.brick_at] = np.arange(len(places), dtype=np.int32)
        self.bounds = np.searchsorted(parity[self.brick_at], np.arange(PARITIES + 1))
        self.starts = np.zeros(len(places) + 1, dtype=np.int64)
        """Where each rank's samples begin; written anew in every step."""


def shared_vertices(places: np.ndarray, space: BrickSpace) -> tuple[np.ndarray, np.ndarray]:
    """Return each brick's vertices ``[brick, 729]`` by number, and where each of them is.

    The latter are ``[vertex, 4]``: level, z, y and x. Neighbouring bricks share the vertices of
    their common face. Those of a brick follow each other, so that they lie together in memory.
    """
    wide = space.cells + 1
    offset = np.arange(CORNERS)
    z, y, x = (
        places[:, 1 + axis, None].astype(np.int64) * (CORNERS - 1) + offset for axis in range(3)
    )
    code = places[:, 0, None, None, None].astype(np.int64) * wide + z[:, :, None, None]
    code = (code * wide + y[:, None, :, None]) * wide + x[:, None, None, :]
    unique, first, number = np.unique(code.reshape(-1), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    rest, x_of = np.divmod(unique[order], wide)
    rest, y_of = np.divmod(rest, wide)
    level, z_of = np.divmod(rest, wide)
    vertex_of = rank[number].reshape(len(places), VERTICES)
    return vertex_of, np.stack([level, z_of, y_of, x_of], axis=1).astype(np.int32)
