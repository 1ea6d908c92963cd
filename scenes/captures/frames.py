"""The frames of nerfstudio's and Blender's JSON pose files, turned into views."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .axes import flip_camera_axes
from .capture import Distortion, View
from .photographs import photograph_path, photograph_size, view_name

_PINHOLE_MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")
_ROTATION_TOLERANCE = 1e-2


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Views of one pose file, and the names that it lists in vain."""

    views: tuple[View, ...]
    missing: tuple[str, ...]
    meta: Mapping[str, Any]


def read_frames(path: Path) -> Frames:
    """Return the views that a pose file with ``frames`` lists.

    Raises:
        ValueError: no JSON, no frames, a camera model that is not a pinhole with OpenCV
            distortion, or a frame without pose or focal length; names the file and the frame.
    """
    meta = _read_json(path)
    _check_camera_model(meta, path)
    frames = meta.get("frames")
    if not isinstance(frames, list) or not frames:
        raise ValueError(f"{path} holds no poses: expected a list 'frames' with at least one entry")
    views, missing = [], []
    for number, frame in enumerate(frames):
        where = f"frame {number} of {path}"
        if not isinstance(frame, Mapping) or not isinstance(frame.get("file_path"), str):
            raise ValueError(f"{where} has no file_path")
        photograph = photograph_path(path.parent, frame["file_path"], where=where)
        if photograph.is_file():
            views.append(_view(path.parent, photograph, {**meta, **frame}, where))
        else:
            missing.append(view_name(path.parent, photograph))
    return Frames(views=tuple(views), missing=tuple(missing), meta=meta)


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(meta, Mapping):
        raise ValueError(f"{path}: expected a JSON object, found {type(meta).__name__}")
    return meta


def _check_camera_model(meta: Mapping[str, Any], path: Path) -> None:
    model = meta.get("camera_model", "OPENCV")
    if meta.get("is_fisheye"):
        model = "OPENCV_FISHEYE"
    if model not in _PINHOLE_MODELS:
        raise ValueError(
            f"{path}: camera model {model!r} is not supported; expected one of "
            f"{', '.join(_PINHOLE_MODELS)}. Undistort the photographs first"
        )


def _view(root: Path, photograph: Path, entries: Mapping[str, Any], where: str) -> View:
    width, height = _size(photograph, entries, where)
    fx, fy = _focal_lengths(entries, width, height, where)
    mask = entries.get("mask_path")
    return View(
        name=view_name(root, photograph),
        path=photograph,
        world_from_camera=flip_camera_axes(_pose(entries.get("transform_matrix"), where)),
        fx=fx,
        fy=fy,
        cx=_number(entries, "cx", where, default=width / 2),
        cy=_number(entries, "cy", where, default=height / 2),
        width=width,
        height=height,
        distortion=_distortion(entries, where),
        mask=None if mask is None else photograph_path(root, mask, where=where),
    )


def _pose(matrix: Any, where: str) -> np.ndarray:  # noqa: ANN401 - JSON is untyped
    """Return a checked pose ``[4, 4]``, still with the file's camera axes."""
    try:
        pose = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        pose = np.empty(0)
    if pose.shape not in ((3, 4), (4, 4)) or not np.isfinite(pose).all():
        raise ValueError(f"{where}: expected transform_matrix to be 4x4 finite numbers")
    return checked_pose(np.vstack([pose[:3], [0.0, 0.0, 0.0, 1.0]]), where)


def checked_pose(pose: np.ndarray, where: str) -> np.ndarray:
    """Return the pose if its upper left 3x3 is a rotation.

    Raises:
        ValueError: it is a reflection, scaled or skewed.
    """
    rotation = pose[:3, :3]
    error = np.abs(rotation @ rotation.T - np.eye(3)).max()
    if error > _ROTATION_TOLERANCE or np.linalg.det(rotation) < 0:
        raise ValueError(
            f"{where}: expected a rotation in the pose, found one that is off by {error:.2g} "
            f"with determinant {np.linalg.det(rotation):.3g}"
        )
    return pose


def _size(photograph: Path, entries: Mapping[str, Any], where: str) -> tuple[int, int]:
    if "w" not in entries or "h" not in entries:
        return photograph_size(photograph)
    width = _number(entries, "w", where)
    height = _number(entries, "h", where)
    if min(width, height) < 1 or width != int(width) or height != int(height):
        raise ValueError(f"{where}: expected whole numbers of pixels, found {width} x {height}")
    return int(width), int(height)


def _focal_lengths(
    entries: Mapping[str, Any], width: int, height: int, where: str
) -> tuple[float, float]:
    if "fl_x" in entries:
        fx = _number(entries, "fl_x", where)
        fy = _number(entries, "fl_y", where, default=fx)
    elif "camera_angle_x" in entries:
        fx = 0.5 * width / math.tan(0.5 * _number(entries, "camera_angle_x", where))
        has_fy = "camera_angle_y" in entries
        fy = (
            0.5 * height / math.tan(0.5 * _number(entries, "camera_angle_y", where))
            if has_fy
            else fx
        )
    else:
        raise ValueError(
            f"{where} has neither fl_x nor camera_angle_x: its focal length is unknown"
        )
    if not min(fx, fy) > 0:
        raise ValueError(f"{where}: expected positive focal lengths, found {fx} and {fy}")
    return fx, fy


def _distortion(entries: Mapping[str, Any], where: str) -> Distortion:
    names = ("k1", "k2", "k3", "k4", "p1", "p2")
    if "distortion_params" in entries:
        values = entries["distortion_params"]
        if not isinstance(values, list) or len(values) != len(names):
            raise ValueError(f"{where}: expected distortion_params to be {names}, found {values!r}")
        entries = dict(zip(names, values, strict=True))
    return Distortion(**{name: _number(entries, name, where, default=0.0) for name in names})


def _number(
    entries: Mapping[str, Any], key: str, where: str, *, default: float | None = None
) -> float:
    value = entries.get(key, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ValueError(f"{where}: expected {key} to be a finite number, found {value!r}")
    return float(value)
