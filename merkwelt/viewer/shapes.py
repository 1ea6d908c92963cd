"""Shapes made of triangles, so that lines are as thick as one wants them in any version of viser.

Eyes and cameras have OpenCV axes: +x right, +y down, +z forward.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.spatial.transform import Rotation

from ..render.camera import PinholeCamera
from ..render.navigation.ground import Ground

SIDES = 6
BOX_EDGES = ((0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7))
BOX_EDGES += ((0, 4), (1, 5), (2, 6), (3, 7))
"""Pairs of ``OrientedBox.corners_m`` that an edge joins."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """Triangles."""

    vertices: np.ndarray
    """float32 ``[n, 3]``."""
    faces: np.ndarray
    """uint32 ``[m, 3]``, positions in ``vertices``."""

    @classmethod
    def joined(cls, vertices: np.ndarray, faces: np.ndarray) -> Self:
        """Return the mesh of parts ``[part, n, 3]`` that all have the same faces ``[m, 3]``."""
        parts, size = vertices.shape[:2]
        shift = size * np.arange(parts)[:, None, None]
        return cls(
            vertices=vertices.reshape(-1, 3).astype(np.float32),
            faces=(faces[None] + shift).reshape(-1, 3).astype(np.uint32),
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return len(self.faces) == 0


def bars(starts: np.ndarray, ends: np.ndarray, radius: float) -> Mesh:
    """Return bars from ``starts`` to ``ends`` ``[n, 3]``; bars without length are left out."""
    starts, ends = (np.asarray(points, np.float64).reshape(-1, 3) for points in (starts, ends))
    along = ends - starts
    length = np.linalg.norm(along, axis=1)
    starts, ends, along = (points[length > 0] for points in (starts, ends, along))
    # The axis that a bar is least along gives a direction across it.
    least = np.eye(3)[np.abs(along).argmin(axis=1)]
    across = np.cross(along, least)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(along, across)
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    turn = 2 * np.pi * np.arange(SIDES) / SIDES
    ring = np.cos(turn)[:, None] * across[:, None] + np.sin(turn)[:, None] * other[:, None]
    vertices = np.concatenate(
        [starts[:, None] + radius * ring, ends[:, None] + radius * ring], axis=1
    )
    i = np.arange(SIDES)
    j = (i + 1) % SIDES
    sides = np.stack([[i, j, j + SIDES], [i, j + SIDES, i + SIDES]]).transpose(0, 2, 1)
    return Mesh.joined(vertices, sides.reshape(-1, 3))


def line(points: np.ndarray, radius: float) -> Mesh:
    """Return the bars that join points ``[n, 3]`` one after the other."""
    return bars(points[:-1], points[1:], radius)


def box_edges(corners: np.ndarray, radius: float) -> Mesh:
    """Return the twelve edges of a box, of its eight corners as ``OrientedBox`` orders them."""
    first, second = np.asarray(BOX_EDGES).T
    return bars(corners[first], corners[second], radius)


def frustum_corners(camera: PinholeCamera, depth: float) -> np.ndarray:
    """Return where the picture's corners lie at ``depth`` ``[4, 3]``, in the camera's axes.

    Clockwise as the camera sees them, from the upper left.
    """
    x = np.array([0, camera.width, camera.width, 0])
    y = np.array([0, 0, camera.height, camera.height])
    plane = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones(4)], axis=1)
    return depth * plane


def frustum(camera: PinholeCamera, depth: float, radius: float) -> Mesh:
    """Return the edges of a camera's pyramid up to ``depth``, in the camera's axes."""
    corners = frustum_corners(camera, depth)
    starts = np.concatenate([np.zeros((4, 3)), corners])
    return bars(starts, np.concatenate([corners, np.roll(corners, -1, axis=0)]), radius)


def floor_cells(ground: Ground, chosen: np.ndarray, height: float) -> Mesh:
    """Return a level mesh that covers the chosen cells ``[ix, iy]`` of a ground, and nothing else.

    Neighbours along y are one rectangle.
    """
    edges = np.diff(np.pad(chosen.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    ix, first = np.nonzero(edges == 1)
    _, last = np.nonzero(edges == -1)
    low = ground.origin_xy_m + ground.cell_m * (np.stack([ix, first], axis=1) - 0.5)
    high = ground.origin_xy_m + ground.cell_m * (np.stack([ix + 1, last], axis=1) - 0.5)
    x = np.stack([low[:, 0], high[:, 0], high[:, 0], low[:, 0]], axis=1)
    y = np.stack([low[:, 1], low[:, 1], high[:, 1], high[:, 1]], axis=1)
    vertices = np.stack([x, y, np.full_like(x, height)], axis=-1)
    return Mesh.joined(vertices, np.array([[0, 1, 2], [0, 2, 3]]))


def wxyz_of(rotations: np.ndarray) -> np.ndarray:
    """Return unit quaternions ``[..., 4]``, real part first, of rotations ``[..., 3, 3]``."""
    flat = np.asarray(rotations, np.float64).reshape(-1, 3, 3)
    xyzw = Rotation.from_matrix(flat).as_quat()
    return np.roll(xyzw, 1, axis=-1).reshape(*np.shape(rotations)[:-2], 4)
