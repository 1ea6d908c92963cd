"""Camera paths as nerfstudio's viewer saves them and ``ns-render camera-path`` reads them.

nerfstudio (``scripts/render.py``, ``cameras/camera_paths.py``) takes ``camera_to_world`` as a 4x4
matrix row by row, with OpenGL axes in the coordinates of the trained field, and shows the pictures
at ``len(camera_path) / seconds`` per second. Fields of view, sizes and keyframes are not read: the
picture is the observer's.
"""

import math
from typing import Any

import numpy as np

from ...scenes.captures.axes import flip_camera_axes
from .poses import PathError, PathPoses, checked_rotation, stack_poses


def read_nerfstudio_path(data: Any, name: str, rate_hz: float | None) -> PathPoses:  # noqa: ANN401 - JSON
    """Return the poses of a nerfstudio camera path.

    Raises:
        PathError: the data is no camera path, or holds what cannot be followed; names the camera.
    """
    cameras = data.get("camera_path") if isinstance(data, dict) else None
    if not isinstance(cameras, list):
        found = sorted(data)[:6] if isinstance(data, dict) else type(data).__name__
        raise PathError(
            f"{name}: expected nerfstudio's camera path, an object with a list camera_path, found "
            f"{found}"
        )
    if not cameras:
        raise PathError(f"{name}: expected poses, found an empty camera_path")
    matrices = [_matrix(camera, f"{name}, camera {i}") for i, camera in enumerate(cameras)]
    rotations = [checked_rotation(m[:3, :3], f"{name}, camera {i}") for i, m in enumerate(matrices)]
    rate = _rate_hz(data, name) if rate_hz is None else rate_hz
    opengl = stack_poses(rotations, [matrix[:3, 3] for matrix in matrices])
    return PathPoses(
        kind="nerfstudio",
        time_s=np.arange(len(cameras)) / rate,
        file_from_camera=flip_camera_axes(opengl),
    )


def _matrix(camera: Any, where: str) -> np.ndarray:  # noqa: ANN401 - JSON
    values = camera.get("camera_to_world") if isinstance(camera, dict) else None
    if not isinstance(values, list) or len(values) != 16 or not all(map(_is_number, values)):
        found = f"{len(values)} values" if isinstance(values, list) else values
        raise PathError(f"{where}: expected 16 numbers camera_to_world, found {found}")
    matrix = np.array(values, dtype=np.float64).reshape(4, 4)
    if not np.all(np.isfinite(matrix)):
        raise PathError(f"{where}: expected finite numbers, found NaN or infinity")
    if np.abs(matrix[3] - [0, 0, 0, 1]).max() > 1e-6:
        raise PathError(
            f"{where}: expected the last row 0 0 0 1, found {matrix[3].tolist()}; matrices are "
            "written row by row"
        )
    return matrix


def _rate_hz(data: dict[str, Any], name: str) -> float:
    """Return the rate of the pictures, as ns-render has it."""
    seconds, fps = data.get("seconds"), data.get("fps")
    found = fps
    if seconds is not None:
        found = len(data["camera_path"]) / seconds if _is_number(seconds) and seconds > 0 else None
    if found is not None and _is_number(found) and 0 < found < math.inf:
        return float(found)
    raise PathError(
        f"{name}: expected seconds or fps above 0, found seconds={seconds!r} and fps={fps!r}"
    )


def _is_number(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, int | float) and not isinstance(value, bool)
