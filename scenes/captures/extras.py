"""``capture.json``: what a capture knows about its place besides photographs and poses."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..card import OrientedBox, SceneObject, Vector

EXTRAS_FILE = "capture.json"
EXTRAS_VERSION = 1
_ENTRIES = (
    "version",
    "metres_per_unit",
    "licence",
    "source",
    "floor_height",
    "bounds",
    "objects",
    "settings",  # how the capture was made; kept for people, read by nothing
)


@dataclass(frozen=True, kw_only=True)
class CaptureExtras:
    """Scale, rights, floor, bounds and objects of a capture whose coordinates have +z up."""

    metres_per_unit: float | None = None
    licence: str = "unknown"
    source: str = ""
    floor_height: float | None = None
    """Height of the floor in capture units."""
    bounds: tuple[Vector, Vector] | None = None
    """Lower and upper corner of the space of interest in capture units."""
    objects: tuple[SceneObject, ...] = ()


def read_extras(root: Path) -> CaptureExtras | None:
    """Return what ``root/capture.json`` says, or None when there is no such file.

    Raises:
        ValueError: the file is not JSON, of a newer version, or holds an entry that cannot be
            meant; names the file and the entry.
    """
    path = root / EXTRAS_FILE
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(data, Mapping):
        raise ValueError(f"{path}: expected a JSON object, found {type(data).__name__}")
    if data.get("version") != EXTRAS_VERSION:
        raise ValueError(f"{path}: expected version {EXTRAS_VERSION}, found {data.get('version')}")
    unknown = sorted(set(data) - set(_ENTRIES))
    if unknown:
        raise ValueError(f"{path}: unknown entries {unknown}; known are {list(_ENTRIES)}")
    try:
        return _extras(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {_reason(error)}") from error


def _extras(data: Mapping[str, Any]) -> CaptureExtras:
    scale = _optional_number(data, "metres_per_unit")
    if scale is not None and scale <= 0:
        raise ValueError(f"expected metres_per_unit to be positive, found {scale}")
    return CaptureExtras(
        metres_per_unit=scale,
        licence=_text(data, "licence", "unknown"),
        source=_text(data, "source", ""),
        floor_height=_optional_number(data, "floor_height"),
        bounds=_bounds(data.get("bounds")),
        objects=tuple(_object(entry) for entry in data.get("objects", ())),
    )


def _bounds(corners: Any) -> tuple[Vector, Vector] | None:  # noqa: ANN401 - JSON is untyped
    if corners is None:
        return None
    if not isinstance(corners, list) or len(corners) != 2:
        raise ValueError(f"expected bounds to be two corners, found {corners!r}")
    lower, upper = _vector(corners[0], "bounds"), _vector(corners[1], "bounds")
    if not all(low < high for low, high in zip(lower, upper, strict=True)):
        raise ValueError(f"expected the first corner of bounds below the second, found {corners}")
    return lower, upper


def _object(entry: Any) -> SceneObject:  # noqa: ANN401 - JSON is untyped
    if not isinstance(entry, Mapping):
        raise ValueError(f"expected each of objects to be a JSON object, found {entry!r}")
    unknown = sorted(set(entry) - {"name", "wnid", "label", "box", "id"})
    if unknown:
        raise ValueError(f"object {entry.get('name')!r} has unknown entries {unknown}")
    box = entry["box"]
    where = f"the box of {entry['name']!r}"
    return SceneObject(
        name=entry["name"],
        wnid=entry.get("wnid"),
        label=entry.get("label"),
        box=OrientedBox(
            centre_m=_vector(box["centre_m"], where),
            size_m=_vector(box["size_m"], where),
            yaw_rad=_number(box.get("yaw_rad", 0.0), where),
        ),
    )


def _vector(value: Any, where: str) -> Vector:  # noqa: ANN401 - JSON is untyped
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError(f"expected three numbers in {where}, found {value!r}")
    x, y, z = (_number(item, where) for item in value)
    return x, y, z


def _number(value: Any, where: str) -> float:  # noqa: ANN401 - JSON is untyped
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ValueError(f"expected a finite number in {where}, found {value!r}")
    return float(value)


def _optional_number(data: Mapping[str, Any], key: str) -> float | None:
    return None if data.get(key) is None else _number(data[key], key)


def _text(data: Mapping[str, Any], key: str, default: str) -> str:
    value = data.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"expected {key} to be text, found {value!r}")
    return value


def _reason(error: Exception) -> str:
    return f"entry {error} is missing" if isinstance(error, KeyError) else str(error)
