"""Triangle surfaces with materials: what a room and its furniture are made of."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """How a surface looks: matt, of one colour or of a texture, and perhaps glowing."""

    name: str = ""
    """As in the model's file."""
    colour: tuple[float, float, float] = (0.7, 0.7, 0.7)
    """Diffuse colour as written in files and colour pickers (sRGB values), in [0, 1]."""
    texture: Path | np.ndarray | None = None
    """A picture file, or sRGB values ``[row, column, 3]`` uint8; replaces the colour."""
    dissolve: float = 1.0
    """1 is opaque, 0 is invisible."""
    glow: float = 0.0
    """Radiance given off, times the colour; 1 is as bright as white paper in good light."""
    gain: float = 1.0
    """Factor on the albedo, to darken or lighten a texture."""


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles, each with its own three corners."""

    corners_m: np.ndarray
    """``[face, corner, 3]`` float64."""
    uvs: np.ndarray
    """``[face, corner, 2]`` texture coordinates; v points up in the picture."""
    normals: np.ndarray
    """``[face, corner, 3]`` unit normals for shading; zero rows mean unknown."""
    face_material: np.ndarray
    """``[face]`` index into ``materials``."""
    materials: tuple[Material, ...]

    def with_consistent_normals(self) -> Self:
        """Return the mesh without empty faces, every normal known, winding and normals agreeing."""
        flat = face_normals(self.corners_m)
        keep = np.linalg.norm(flat, axis=-1) > 0
        corners, uvs, flat = self.corners_m[keep], self.uvs[keep], flat[keep]
        normals = self.normals[keep].copy()
        lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
        known = np.all(lengths[..., 0] > 1e-6, axis=1)
        normals[known] /= lengths[known]
        normals[~known] = flat[~known, None]
        turned = np.einsum("fcx,fx->f", normals, flat) < 0
        corners[turned] = corners[turned][:, ::-1]
        uvs[turned] = uvs[turned][:, ::-1]
        normals[turned] = normals[turned][:, ::-1]
        flat[turned] *= -1
        # A shading normal that leans far from its face would put light where there is none.
        leaning = np.einsum("fcx,fx->fc", normals, flat) < np.cos(1.2)
        normals[leaning] = np.broadcast_to(flat[:, None], normals.shape)[leaning]
        return replace(
            self,
            corners_m=corners,
            uvs=uvs,
            normals=normals,
            face_material=self.face_material[keep],
        )

    def transformed(self, linear: np.ndarray, offset_m: np.ndarray) -> Self:
        """Return the mesh with every point ``p`` at ``linear @ p + offset_m``."""
        inverse_transpose = np.linalg.inv(linear).T
        normals = self.normals @ inverse_transpose.T
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
        moved = replace(self, corners_m=self.corners_m @ linear.T + offset_m, normals=normals)
        return moved.with_consistent_normals() if np.linalg.det(linear) < 0 else moved

    def bounds_m(self) -> np.ndarray:
        """Return the lowest and the highest corner ``[2, 3]``."""
        points = self.corners_m.reshape(-1, 3)
        return np.stack([points.min(0), points.max(0)])


def face_normals(corners_m: np.ndarray) -> np.ndarray:
    """Return unit normals ``[face, 3]`` by the winding; zero for faces without area."""
    first, second, third = np.moveaxis(corners_m, 1, 0)
    normals = np.cross(second - first, third - first)
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.where(lengths > 1e-14, normals / np.maximum(lengths, 1e-14), 0.0)


def joined(meshes: list[Mesh]) -> Mesh:
    """Return one mesh of many, materials renumbered."""
    offsets = np.cumsum([0] + [len(mesh.materials) for mesh in meshes])
    return Mesh(
        corners_m=np.concatenate([mesh.corners_m for mesh in meshes]),
        uvs=np.concatenate([mesh.uvs for mesh in meshes]),
        normals=np.concatenate([mesh.normals for mesh in meshes]),
        face_material=np.concatenate(
            [mesh.face_material + offset for mesh, offset in zip(meshes, offsets, strict=False)]
        ).astype(np.int32),
        materials=tuple(material for mesh in meshes for material in mesh.materials),
    )
