"""Placing a file's poses in a scene's world."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ...scenes.card import SceneCard
from ...scenes.placement import world_from_capture
from .head_path import HeadPath, PathGaze
from .poses import UNIT_TOLERANCE, PathPoses

PathFrame = Literal["world", "field", "capture"]


def place_path(
    poses: PathPoses,
    card: SceneCard,
    *,
    frame: PathFrame | None = None,
    scale: float = 1.0,
    frame_from_file: np.ndarray | None = None,
    gaze: PathGaze = "ahead",
) -> HeadPath:
    """Return the path of a head through the scene of ``card``.

    A point of the file is at ``world_from_frame @ frame_from_file @ (scale * point)``.

    Args:
        poses: what the file holds.
        card: the scene's card.
        frame: what the file's coordinates are: the scene's world, its trained field's own, or those
            of the capture's poses. nerfstudio's are the field's, all others the world's by default.
        scale: factor on the file's positions.
        frame_from_file: similarity ``[4, 4]`` that aligns the file's (scaled) coordinates.
        gaze: what the eyes do.

    Raises:
        ValueError: the scale is not positive, or the alignment no similarity.
    """
    frame = frame or ("field" if poses.kind == "nerfstudio" else "world")
    if frame not in get_args(PathFrame):
        raise ValueError(f"expected the frame world, field or capture, got {frame!r}")
    if not (scale > 0 and np.isfinite(scale)):
        raise ValueError(f"expected a positive scale of the path, got {scale}")
    world_from_frame = {
        "world": np.eye(4),
        "field": np.asarray(card.world_from_field, dtype=np.float64),
        "capture": world_from_capture(card),
    }[frame]
    aligned = np.eye(4) if frame_from_file is None else _checked_similarity(frame_from_file)
    scaled = poses.file_from_camera.copy()
    scaled[:, :3, 3] *= scale
    similarity = world_from_frame @ aligned
    placed = similarity @ scaled
    placed[:, :3, :3] /= np.cbrt(np.linalg.det(similarity[:3, :3]))
    return HeadPath.of(poses.time_s, placed, gaze=gaze)


def read_alignment(file: Path) -> np.ndarray:
    """Return the similarity ``[4, 4]`` in a text file of 16 numbers, row by row.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds something else.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, or is no file; expected a 4x4 matrix")
    words = file.read_text().split()
    try:
        return _checked_similarity([float(word) for word in words])
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _checked_similarity(values: np.ndarray | Sequence[float]) -> np.ndarray:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.size != 16 or not np.all(np.isfinite(matrix)):
        raise ValueError(f"expected an alignment of 16 finite numbers, got {matrix.size} values")
    matrix = matrix.reshape(4, 4)
    linear = matrix[:3, :3]
    scale = np.cbrt(np.linalg.det(linear))
    is_similarity = (
        scale > 0
        and np.abs(linear.T @ linear / scale**2 - np.eye(3)).max() < UNIT_TOLERANCE
        and np.abs(matrix[3] - [0, 0, 0, 1]).max() < 1e-9
    )
    if not is_similarity:
        raise ValueError(
            "expected an alignment that turns, scales and moves (a similarity), got "
            f"{matrix.tolist()}"
        )
    return matrix
