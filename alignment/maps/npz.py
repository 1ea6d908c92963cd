"""Images and maps in one ``.npz`` without Python objects: ClickMe 2.0 pairs, and our own form.

Ours keeps all that ``HumanMaps`` knows, trials of single people among it, and is read back exactly.
"""

from pathlib import Path

import numpy as np

from .human_maps import Cameras, HumanMaps
from .npz_members import member_names, plain_members
from .provenance import CLICKME_2
from .recipe_text import recipe_of_text, text_of_recipe
from .trial_arrays import TRIAL_MEMBERS, arrays_of_trials, trials_of_arrays
from .writing import new_file

PORTABLE = "merkwelt human maps 1"
"""Content of the member ``format`` of our own form."""
_MAP_KEYS = ("heatmap_u8", "heatmap")
_CAMERA_KEYS = ("w2c", "K", "scale")
_INTRINSICS_SIDE_PX = 256
"""Side of the pictures that the published intrinsics belong to."""
_OWN = ("image", "heatmap", "name", "category", "kind", "source", "licence", "are_human")
_OWN_CAMERAS = ("camera_from_world", "intrinsics_px", "camera_scale")
_LEFT_OUT = ("left_out_name", "left_out_reason")


def read_clickme2_npz(path: Path) -> HumanMaps:
    """Return the images and click maps of an ``.npz`` with one row per image.

    Members: ``image`` uint8 ``[n, height, width, 3]``; ``heatmap_u8`` uint8 or ``heatmap`` float,
    ``[n, height, width]``; ``name`` and ``category`` strings ``[n]``. Where present, ``split``,
    and the cameras ``w2c``, ``K`` (of pictures of 256 px) and ``scale``. The rest is left alone.
    Members stored as Python objects are refused: reading them would run code from the file.
    Constant maps are kept, and scores name them.
    """
    present = member_names(path)
    map_key = next((key for key in _MAP_KEYS if key in present), _MAP_KEYS[0])
    optional = [key for key in ("split", *_CAMERA_KEYS) if key in present]
    arrays = plain_members(path, ("image", map_key, "name", "category", *optional))
    images, maps = arrays["image"], arrays[map_key]
    _check_shapes(path, images, maps)
    names = tuple(str(name) for name in arrays["name"])
    _check_values(path, maps, names)
    return HumanMaps(
        images=images,
        maps=maps.astype(np.float32),
        names=names,
        labels=tuple(str(category) for category in arrays["category"]),
        kind=CLICKME_2.kind,
        are_human=True,
        source=CLICKME_2.source,
        licence=CLICKME_2.licence,
        splits=tuple(str(split) for split in arrays["split"]) if "split" in arrays else None,
        cameras=_published_cameras(arrays, images.shape[1:3]),
    )


def read_portable_npz(path: Path) -> HumanMaps:
    """Return what ``write_portable_npz`` wrote, exactly.

    Raises:
        ValueError: the file is damaged, of a later version, or its members do not fit.
    """
    present = member_names(path)
    groups = (_OWN_CAMERAS, _LEFT_OUT, TRIAL_MEMBERS, ("split",), ("class_id",), ("recipe",))
    optional = [key for group in groups if set(group) <= present for key in group]
    arrays = plain_members(path, ("format", "members", *_OWN, *optional))
    if str(arrays["format"]) != PORTABLE:
        raise ValueError(f"expected {PORTABLE!r} in {path}, got {str(arrays['format'])!r}")
    lost = sorted(set(arrays["members"].tolist()) ^ (set(arrays) - {"members"}))
    if lost:
        raise ValueError(
            f"expected the members that {path} lists, but {', '.join(lost)} differ; the file is "
            "damaged or incomplete"
        )
    images, maps = arrays["image"], arrays["heatmap"]
    _check_shapes(path, images, maps)
    names = tuple(arrays["name"].tolist())
    _check_values(path, maps, names)
    left_out = (arrays[key].tolist() for key in _LEFT_OUT if key in arrays)
    return HumanMaps(
        images=images,
        maps=maps.astype(np.float32),
        names=names,
        labels=tuple(arrays["category"].tolist()),
        kind=str(arrays["kind"]),
        are_human=bool(arrays["are_human"]),
        source=str(arrays["source"]),
        licence=str(arrays["licence"]),
        trials=trials_of_arrays(arrays, str(path)) if set(TRIAL_MEMBERS) <= set(arrays) else None,
        splits=tuple(arrays["split"].tolist()) if "split" in arrays else None,
        cameras=_own_cameras(arrays),
        classes=tuple(arrays["class_id"].tolist()) if "class_id" in arrays else None,
        left_out=dict(zip(*left_out, strict=True)),
        recipe=recipe_of_text(str(arrays["recipe"]), str(path)) if "recipe" in arrays else None,
    )


def write_portable_npz(maps: HumanMaps, path: Path) -> None:
    """Write a collection to a new ``.npz``, without Python objects.

    Raises:
        FileExistsError: there is something at ``path``.
    """
    arrays: dict[str, np.ndarray] = {
        "format": np.array(PORTABLE),
        "image": maps.images,
        "heatmap": maps.maps,
        "name": np.array(maps.names, dtype=str),
        "category": np.array(maps.labels, dtype=str),
        "kind": np.array(maps.kind),
        "source": np.array(maps.source),
        "licence": np.array(maps.licence),
        "are_human": np.array(maps.are_human),
        "left_out_name": np.array(list(maps.left_out), dtype=str),
        "left_out_reason": np.array(list(maps.left_out.values()), dtype=str),
    }
    if maps.splits is not None:
        arrays["split"] = np.array(maps.splits, dtype=str)
    if maps.classes is not None:
        arrays["class_id"] = np.array(maps.classes, dtype=np.int64)
    if maps.cameras is not None:
        found = maps.cameras.camera_from_world, maps.cameras.intrinsics_px, maps.cameras.scale
        arrays |= dict(zip(_OWN_CAMERAS, found, strict=True))
    if maps.trials is not None:
        arrays |= arrays_of_trials(maps.trials)
    if maps.recipe is not None:
        arrays["recipe"] = np.array(text_of_recipe(maps.recipe))
    # A list of all, so that a lost one is noticed.
    arrays["members"] = np.array(list(arrays), dtype=str)
    with new_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _own_cameras(arrays: dict[str, np.ndarray]) -> Cameras | None:
    if not set(_OWN_CAMERAS) <= set(arrays):
        return None
    cameras, intrinsics, scale = (arrays[key].astype(np.float64) for key in _OWN_CAMERAS)
    return Cameras(camera_from_world=cameras, intrinsics_px=intrinsics, scale=scale)


def _published_cameras(
    arrays: dict[str, np.ndarray], size_rowcol_px: tuple[int, ...]
) -> Cameras | None:
    """Return the published cameras, with intrinsics in pixels of these images."""
    if not set(_CAMERA_KEYS) <= set(arrays):
        return None
    cameras, intrinsics, scale = (arrays[key].astype(np.float64) for key in _CAMERA_KEYS)
    height, width = size_rowcol_px
    factors = np.array([width, height, _INTRINSICS_SIDE_PX]) / _INTRINSICS_SIDE_PX
    return Cameras(
        camera_from_world=cameras, intrinsics_px=intrinsics * factors[:, None], scale=scale
    )


def _check_shapes(path: Path, images: np.ndarray, maps: np.ndarray) -> None:
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
