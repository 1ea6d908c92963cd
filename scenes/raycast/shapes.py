"""Plain shapes: boxes, rectangles, turned profiles."""

from collections.abc import Sequence

import numpy as np

from .surfaces import Material, Mesh

Triple = Sequence[float] | np.ndarray


def rectangle(corner_m: Triple, edge_u_m: Triple, edge_v_m: Triple, material: Material) -> Mesh:
    """Return a rectangle whose front is where ``edge_u x edge_v`` points; the picture fills it."""
    corner, edge_u, edge_v = (np.asarray(v, float) for v in (corner_m, edge_u_m, edge_v_m))
    points = np.stack([corner, corner + edge_u, corner + edge_u + edge_v, corner + edge_v])
    uvs = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    return _quads(points[None], uvs[None], material)


def box(low_m: Triple, high_m: Triple, material: Material) -> Mesh:
    """Return a box between two corners; the picture fills each side."""
    (x, y, z), (p, q, r) = low_m, high_m
    sides = np.array(
        [
            [[x, y, r], [p, y, r], [p, q, r], [x, q, r]],
            [[x, q, z], [p, q, z], [p, y, z], [x, y, z]],
            [[x, y, z], [p, y, z], [p, y, r], [x, y, r]],
            [[p, q, z], [x, q, z], [x, q, r], [p, q, r]],
            [[p, y, z], [p, q, z], [p, q, r], [p, y, r]],
            [[x, q, z], [x, y, z], [x, y, r], [x, q, r]],
        ],
        float,
    )
    uvs = np.broadcast_to(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float), (6, 4, 2))
    return _quads(sides, uvs, material)


def turned(profile_m: np.ndarray, material: Material, *, sides: int = 48) -> Mesh:
    """Return the surface swept by a profile ``[point, (radius, height)]`` about the z axis."""
    angles = np.linspace(0, 2 * np.pi, sides + 1)
    radius, height = profile_m[:, 0], profile_m[:, 1]
    points = np.empty((len(profile_m), sides + 1, 3))
    points[..., 0] = radius[:, None] * np.cos(angles)
    points[..., 1] = radius[:, None] * np.sin(angles)
    points[..., 2] = height[:, None]
    slope = np.gradient(profile_m, axis=0)
    outward = np.stack([slope[:, 1], -slope[:, 0]], axis=-1)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    normals = np.empty_like(points)
    normals[..., 0] = outward[:, :1] * np.cos(angles)
    normals[..., 1] = outward[:, :1] * np.sin(angles)
    normals[..., 2] = outward[:, 1:]
    along = np.linspace(0, 1, len(profile_m))
    around = np.broadcast_to(angles / (2 * np.pi), points.shape[:2])
    uvs = np.stack([around, np.broadcast_to(along[:, None], points.shape[:2])], axis=-1)
    return _quads(_patches(points), _patches(uvs), material, normals=_patches(normals))


def _patches(grid: np.ndarray) -> np.ndarray:
    """Return the quads ``[quad, 4, ...]`` of a grid ``[row, column, ...]``."""
    corners = [grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]]
    return np.stack(corners, axis=2).reshape(-1, 4, grid.shape[-1])


def _quads(
    points: np.ndarray, uvs: np.ndarray, material: Material, *, normals: np.ndarray | None = None
) -> Mesh:
    order = np.array([[0, 1, 2], [0, 2, 3]])
    faces = points[:, order].reshape(-1, 3, 3)
    return Mesh(
        corners_m=faces,
        uvs=uvs[:, order].reshape(-1, 3, 2),
        normals=np.zeros_like(faces) if normals is None else normals[:, order].reshape(-1, 3, 3),
        face_material=np.zeros(len(faces), np.int32),
        materials=(material,),
    ).with_consistent_normals()
