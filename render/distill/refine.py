"""From one resolution to the next finer one."""

from dataclasses import replace

import numpy as np

from ...scenes.bricks import BRICK
from ...scenes.bricks.hop_loops import grown
from ...scenes.bricks.space import CORNERS, VOXELS, in_walking_order, index_of
from .student import Student

HALF = BRICK // 2
AT_ONCE = 4096
LOG_2 = float(np.log(2))


def refined(student: Student, visible: float) -> Student:
    """Return a student with cells half as large, where the old one was seen to have matter.

    Cells that never had the weight ``visible`` since it was last cleared are left out; the others
    are divided, and grown by one of the new cells. Numbers at the new vertices are interpolated; a
    cell half as long has half of the optical depth.
    """
    space = replace(student.space, cells=2 * student.space.cells)
    kept = (student.seen_weight > visible) & student.occupied
    places, occupied, source, octant = _divided(student.places, kept)
    index = index_of(places, space)
    fine = Student(
        space,
        places,
        grown(occupied, places, index, space.bricks_along),
        float(student.step_cells),
        tilted=student.tilt is not None,
    )
    for first in range(0, len(places), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        to, corner = fine.vertex_of[part], octant[part]
        old = student.vertex_of[source[part]]
        for values, new in zip(student.values, fine.values, strict=True):
            blocks = values[old].reshape(-1, CORNERS, CORNERS, CORNERS, values.shape[1])
            new[to] = _interpolated(blocks, corner).reshape(*to.shape, -1)
    fine.log_depth -= np.float32(LOG_2)
    fine.behind, fine.learns_behind = student.behind, student.learns_behind
    return fine


def _divided(
    places: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return places, occupied cells, parents and octants (z, y, x) of bricks half as large."""
    blocks = kept.reshape(-1, BRICK, BRICK, BRICK)
    parts = []
    for number in range(8):
        octant = np.array([number >> 2, (number >> 1) & 1, number & 1])
        z, y, x = (slice(HALF * part, HALF * (part + 1)) for part in octant)
        inside = blocks[:, z, y, x]
        parents = np.flatnonzero(inside.any(axis=(1, 2, 3)))
        fine = inside[parents].repeat(2, axis=1).repeat(2, axis=2).repeat(2, axis=3)
        where = places[parents].copy()
        where[:, 1:] = 2 * where[:, 1:] + octant
        octants = np.tile(octant, (len(parents), 1))
        parts.append((where, fine.reshape(len(parents), VOXELS), parents, octants))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = in_walking_order(joined[0])
    where, fine, parents, octants = (column[order] for column in joined)
    return where, fine, parents, octants


def _interpolated(blocks: np.ndarray, octant: np.ndarray) -> np.ndarray:
    """Return values ``[n, 9, 9, 9, k]`` at half the spacing in one octant of each block."""
    fine = np.arange(CORNERS) / 2
    low = np.floor(fine).astype(np.int64)
    share = (fine - low).astype(np.float32)
    for axis in range(3):
        shape = [len(blocks) if i == 0 else CORNERS if i == axis + 1 else 1 for i in range(5)]
        first = octant[:, axis, None] * HALF + low
        second = np.minimum(first + 1, octant[:, axis, None] * HALF + HALF)
        a = np.take_along_axis(blocks, first.reshape(shape), axis + 1)
        b = np.take_along_axis(blocks, second.reshape(shape), axis + 1)
        shares = share.reshape([CORNERS if i == axis + 1 else 1 for i in range(5)])
        blocks = a + shares * (b - a)
    return blocks
