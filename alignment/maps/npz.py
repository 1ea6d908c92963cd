"""Reader of ClickMe 2.0 image and map pairs stored in one ``.npz``."""

import zipfile
from pathlib import Path

import numpy as np

from .human_maps import HumanMaps

CLICKME_2_KIND = "ClickMe 2.0 click maps"
_SOURCE = "ClickMe 2.0 on renders of CO3D objects (serre-lab; images from CO3D through PeRFception)"
_LICENCE = "research use; the images derive from CO3D, CC BY-NC 4.0"
_MAP_KEYS = ("heatmap_u8", "heatmap")


def read_clickme2_npz(path: Path) -> HumanMaps:
    """Return the images and click maps of an ``.npz`` with one row per image.

    Members: ``image`` uint8 ``[n, height, width, 3]``; ``heatmap_u8`` uint8 or ``heatmap`` float,
    ``[n, height, width]``; ``name`` and ``category`` strings ``[n]``; anything else is left alone.
    Members stored as Python objects are refused: reading them would run code from the file.
    Constant maps are kept, and scores name them.
    """
    arrays = _read_members(path)
    images, maps = arrays["image"], arrays["map"]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            f"expected uint8 images [n, height, width, 3] in member 'image' of {path}, got "
            f"{images.dtype} {images.shape}"
        )
    if maps.shape != images.shape[:3]:
        raise ValueError(
            f"expected one map of the size of its image in {path}, got maps {maps.shape} for "
            f"images {images.shape}"
        )
    names = tuple(str(name) for name in arrays["name"])
    _check_values(path, maps, names)
    return HumanMaps(
        images=images,
        maps=maps.astype(np.float32),
        names=names,
        labels=tuple(str(category) for category in arrays["category"]),
        kind=CLICKME_2_KIND,
        are_human=True,
        source=_SOURCE,
        licence=_LICENCE,
    )


def _read_members(path: Path) -> dict[str, np.ndarray]:
    """Return the members ``image``, ``map``, ``name`` and ``category``."""
    try:
        with zipfile.ZipFile(path) as archive:
            present = {name.removesuffix(".npy") for name in archive.namelist()}
        map_key = next((key for key in _MAP_KEYS if key in present), _MAP_KEYS[0])
        wanted = {"image": "image", "map": map_key, "name": "name", "category": "category"}
        missing = sorted(set(wanted.values()) - present)
        if missing:
            raise ValueError(
                f"expected members {sorted(wanted.values())} in {path}, found "
                f"{sorted(present) or 'none'}: {', '.join(missing)} missing"
            )
        with np.load(path, allow_pickle=False) as stored:
            return {role: _plain_member(path, stored, key) for role, key in wanted.items()}
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(
            f"expected an .npz archive in {path}, but it cannot be read as one ({error}); the file "
            "is damaged, incomplete, or something else"
        ) from error


def _plain_member(path: Path, stored: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    try:
        member = stored[key]
    except ValueError as error:
        raise ValueError(
            f"refused to read member '{key}' of {path}: {error}. Members must be plain arrays; "
            "one that holds Python objects could run code, so write it again with plain dtypes"
        ) from error
    if not isinstance(member, np.ndarray):
        raise ValueError(f"expected an array in member '{key}' of {path}, found other data")
    return member


def _check_values(path: Path, maps: np.ndarray, names: tuple[str, ...]) -> None:
    if len(maps) == 0:
        raise ValueError(f"expected at least one image and map in {path}, found none")
    if len(set(names)) != len(names) or len(names) != len(maps):
        raise ValueError(f"expected {len(maps)} different names in {path}, got {len(set(names))}")
    if maps.dtype.kind not in "uif":
        raise ValueError(f"expected numbers as map values in {path}, got {maps.dtype}")
    bad = ~np.isfinite(maps).all(axis=(1, 2)) | (maps < 0).any(axis=(1, 2))
    if bad.any():
        listed = ", ".join(names[i] for i in np.flatnonzero(bad)[:5])
        raise ValueError(
            f"expected finite map values of at least 0 in {path}, found NaN, infinity or negative "
            f"values in {int(bad.sum())} of {len(maps)} maps ({listed}); remove or repair them"
        )
