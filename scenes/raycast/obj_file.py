"""Wavefront OBJ + MTL read into one triangle mesh with materials.

Only what furniture libraries use: positions, texture coordinates, normals, polygons, diffuse colour
(``Kd``), dissolve (``d``) and diffuse texture (``map_Kd``).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .surfaces import Material, Mesh

SEE_THROUGH_BELOW = 0.5
"""Materials with a smaller dissolve are panes and glasses; diffuse shading cannot show them."""


@dataclass
class _Lines:
    """What was collected from the lines of one OBJ file; indices count from zero, -1 is none."""

    positions: list[tuple[float, ...]]
    uvs: list[tuple[float, ...]]
    normals: list[tuple[float, ...]]
    corners: list[tuple[int, int, int]]
    """Position, texture and normal index of each corner, three per triangle."""
    face_materials: list[str]
    libraries: list[str]
    material: str = ""


def read_obj(path: Path) -> Mesh:
    """Return the triangles of an OBJ file in the file's own units and axes.

    Normals are completed where the file has none, and triangles wound against their normals are
    turned, so that the two always agree. Faces of see-through materials are left out.
    """
    lines = _read_lines(path)
    if not lines.corners:
        raise ValueError(f"expected faces in {path}, found none; the model file is damaged")
    materials = _read_materials(path, lines.libraries)
    names = sorted(set(lines.face_materials))
    kept = [materials.get(name, Material(name=name)) for name in names]
    number = {name: index for index, name in enumerate(names)}
    face_material = np.array([number[name] for name in lines.face_materials], dtype=np.int32)
    opaque = np.array([material.dissolve >= SEE_THROUGH_BELOW for material in kept])
    keep = opaque[face_material]
    corners = np.array(lines.corners, dtype=np.int64).reshape(-1, 3, 3)[keep]
    positions = np.array([p[:3] for p in lines.positions], dtype=np.float64)
    mesh = Mesh(
        corners_m=positions[corners[..., 0]],
        uvs=_take(lines.uvs, corners[..., 1], width=2),
        normals=_take(lines.normals, corners[..., 2], width=3),
        face_material=face_material[keep],
        materials=tuple(kept),
    )
    return mesh.with_consistent_normals()


def _read_lines(path: Path) -> _Lines:
    lines = _Lines([], [], [], [], [], [])
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            if words:
                _take_line(words, lines, rest=line.strip())
    return lines


def _take_line(words: list[str], lines: _Lines, *, rest: str) -> None:
    match words[0]:
        case "v":
            lines.positions.append(tuple(map(float, words[1:4])))
        case "vt":
            lines.uvs.append(tuple(map(float, words[1:3])))
        case "vn":
            lines.normals.append(tuple(map(float, words[1:4])))
        case "f":
            _take_face(words[1:], lines)
        case "usemtl":
            lines.material = rest[len("usemtl") :].strip()
        case "mtllib":
            lines.libraries.append(rest[len("mtllib") :].strip())
        case _:
            pass


def _take_face(words: list[str], lines: _Lines) -> None:
    counts = (len(lines.positions), len(lines.uvs), len(lines.normals))
    corners = []
    for word in words:
        parts = (word.split("/") + ["", ""])[:3]
        corners.append(
            tuple(_index(part, count) for part, count in zip(parts, counts, strict=True))
        )
    for second in range(1, len(corners) - 1):
        lines.corners += [corners[0], corners[second], corners[second + 1]]
        lines.face_materials.append(lines.material)


def _index(text: str, count: int) -> int:
    """Return a zero-based index; negative ones in the file count back from the newest."""
    if not text:
        return -1
    value = int(text)
    return value - 1 if value > 0 else count + value


def _take(rows: list[tuple[float, ...]], indices: np.ndarray, *, width: int) -> np.ndarray:
    """Return the chosen rows as float64, zeros where the index says none."""
    table = np.zeros((len(rows) + 1, width))
    if rows:
        table[:-1] = np.array([row[:width] for row in rows])
    return table[indices]  # The last row of the table, index -1, is zero.


def _read_materials(path: Path, libraries: list[str]) -> dict[str, Material]:
    materials: dict[str, Material] = {}
    for library in libraries:
        file = path.parent / Path(library).name
        if not file.is_file():
            raise FileNotFoundError(f"{path} needs the material file {file}, which is missing")
        name = ""
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if not words:
                continue
            if words[0] == "newmtl":
                name = line.strip()[len("newmtl") :].strip()
                materials[name] = Material(name=name)
            elif name:
                materials[name] = _with_line(materials[name], words, line.strip(), file.parent)
    return materials


def _with_line(material: Material, words: list[str], line: str, folder: Path) -> Material:
    match words[0]:
        case "Kd":
            red, green, blue = (min(max(float(word), 0.0), 1.0) for word in words[1:4])
            return replace(material, colour=(red, green, blue))
        case "d":
            return replace(material, dissolve=float(words[-1]))
        case "map_Kd":
            # Some authors' files still name textures on their own disks; the colour stands in.
            texture = folder / Path(line[len("map_Kd") :].strip().replace("\\", "/")).name
            return replace(material, texture=texture) if texture.is_file() else material
        case _:
            return material
