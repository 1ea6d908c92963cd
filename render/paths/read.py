"""Reading a file of poses, whose format shows in its content."""

import json
import math
from pathlib import Path

from .head_path import LEAST_POSES
from .nerfstudio import read_nerfstudio_path
from .poses import PathError, PathPoses
from .text import read_text_path


def load_path(file: Path, *, rate_hz: float | None = None) -> PathPoses:
    """Return the poses in a file: nerfstudio's camera path (JSON), TUM or KITTI odometry.

    Args:
        file: the file; nothing in it is executed.
        rate_hz: poses per second of a file without times. KITTI's is 10 by default, nerfstudio's
            follows from its ``seconds``.

    Raises:
        FileNotFoundError: there is no such file.
        PathError: the file holds no path that can be followed; says where and why.
    """
    if rate_hz is not None and not (rate_hz > 0 and math.isfinite(rate_hz)):
        raise ValueError(f"expected a positive rate of poses, got {rate_hz} Hz")
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, or is no file; expected a file of poses")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PathError(f"{file}: expected a text of poses, found other bytes") from error
    poses = _read(text, str(file), rate_hz)
    if len(poses) < LEAST_POSES:
        raise PathError(
            f"{file}: expected at least {LEAST_POSES} poses to move between, found {len(poses)}"
        )
    return poses


def _read(text: str, name: str, rate_hz: float | None) -> PathPoses:
    if not text.lstrip().startswith(("{", "[")):
        return read_text_path(text, name, rate_hz)
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise PathError(f"{name}: expected JSON, as it starts with a bracket: {error}") from error
    return read_nerfstudio_path(data, name, rate_hz)
