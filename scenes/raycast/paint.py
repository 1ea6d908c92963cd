"""Materials packed for compiled shading: every texture in one array of linear colours."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .surfaces import Material, Mesh

MAX_TEXTURE_SIDE = 1024
DARKEST_ALBEDO = 0.02
"""Files call varnish and plastic pure black; nothing real is, and nothing would show on it."""
BRIGHTEST_ALBEDO = 0.88


@dataclass(frozen=True, kw_only=True)
class Paint:
    """What every triangle's surface looks like without light."""

    texels: np.ndarray
    """``[texel, rgb]`` float32 linear albedo of all textures, row by row, top row first."""
    tables: np.ndarray
    """``[material, (first texel, height, width)]`` int64."""
    glow: np.ndarray
    """``[material]`` float32 radiance given off, times the albedo."""
    face_material: np.ndarray
    """``[face]`` int32."""
    uvs: np.ndarray
    """``[face, corner, 2]`` float32."""


def pack_paint(mesh: Mesh) -> Paint:
    """Return a mesh's materials and texture coordinates, packed."""
    pictures: list[np.ndarray] = []
    tables = np.empty((len(mesh.materials), 3), np.int64)
    loaded: dict[tuple[Path, float], int] = {}
    starts: list[int] = []
    for index, material in enumerate(mesh.materials):
        key = (material.texture, material.gain) if isinstance(material.texture, Path) else None
        known = loaded.get(key) if key else None
        if known is None:
            known = len(pictures)
            pictures.append(_linear_picture(material))
            starts.append(sum(len(p.reshape(-1, 3)) for p in pictures[:-1]))
            if key:
                loaded[key] = known
        tables[index] = (starts[known], *pictures[known].shape[:2])
    return Paint(
        texels=np.concatenate([p.reshape(-1, 3) for p in pictures]).astype(np.float32),
        tables=tables,
        glow=np.array([m.glow for m in mesh.materials], np.float32),
        face_material=mesh.face_material.astype(np.int32),
        uvs=mesh.uvs.astype(np.float32),
    )


def _linear_picture(material: Material) -> np.ndarray:
    if material.texture is None:
        picture = np.asarray(material.colour, np.float64).reshape(1, 1, 3)
    elif isinstance(material.texture, Path):
        picture = read_picture(material.texture) / 255.0
    else:
        picture = material.texture / 255.0
    linear = linear_from_srgb(picture) * material.gain
    return linear if material.glow else np.clip(linear, DARKEST_ALBEDO, BRIGHTEST_ALBEDO)


def read_picture(path: Path) -> np.ndarray:
    """Return a picture file as sRGB ``[row, column, 3]`` uint8, reduced where it is very large."""
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"expected a picture, cannot read the texture {path}")
    shrink = MAX_TEXTURE_SIDE / max(picture.shape[:2])
    if shrink < 1:
        picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture[..., ::-1])


def linear_from_srgb(colour: np.ndarray) -> np.ndarray:
    """Return linear intensities of sRGB values in [0, 1] (IEC 61966-2-1)."""
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(intensity: np.ndarray) -> np.ndarray:
    """Return sRGB values of linear intensities in [0, 1] (IEC 61966-2-1)."""
    low = np.clip(intensity, 0, 0.0031308)
    high = np.maximum(intensity, 0.0031308)
    return np.where(intensity <= 0.0031308, low * 12.92, 1.055 * high ** (1 / 2.4) - 0.055)
