"""What LeRobot is told about the columns and cameras of an exported data set."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .body import action_names, state_names
from .coding import PLAYABLE_CRF
from .depth12 import INFO as DEPTH_INFO
from .layout import CODEBASE_VERSION, DATA_PATH, VIDEO_PATH, LeRobotSettings
from .videos import VideoFormat

STATE, ACTION = "observation.state", "action"
NUMBERS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
"""Columns that every LeRobotDataset has."""

Features = dict[str, dict[str, Any]]


def camera_key(eye: str, *, depth: bool = False) -> str:
    """Return the name of an eye's camera, or of its depth."""
    return f"observation.images.{eye}{'_depth' if depth else ''}"


def number_features(eyes: int, unit: str) -> Features:
    """Return the features that are numbers, in the order of their columns."""
    numbers: Features = {
        name: {"dtype": "float32" if name == "timestamp" else "int64", "shape": [1], "names": None}
        for name in NUMBERS
    }
    return {
        STATE: _vector(state_names(eyes, unit)),
        ACTION: _vector(action_names(eyes, unit)),
        "fixation_id": {"dtype": "int64", "shape": [1], "names": None},
        **numbers,
    }


def video_feature(video: VideoFormat, rate_hz: int, settings: LeRobotSettings) -> dict[str, Any]:
    """Return the feature of a camera, of colour or of 12-bit depth."""
    depth = video.pixel_format == "gray12le"
    if depth:
        more = DEPTH_INFO
    elif settings.pictures == "playable":
        more = {"is_depth_map": False, "video.crf": PLAYABLE_CRF}
    else:
        more = {"is_depth_map": False}
    channels = 1 if depth else 3
    return {
        "dtype": "video",
        "shape": [video.height, video.width, channels],
        "names": ["height", "width", "channels"],
        "info": {
            "video.height": video.height,
            "video.width": video.width,
            "video.codec": video.codec,
            "video.pix_fmt": video.pixel_format,
            "video.fps": rate_hz,
            "video.channels": channels,
            "has_audio": False,
            **more,
        },
    }


def dataset_info(
    features: Features,
    *,
    rate_hz: int,
    of: Mapping[str, str],
    totals: Mapping[str, int],
    settings: LeRobotSettings,
) -> dict[str, Any]:
    """Return what ``meta/info.json`` holds.

    Args:
        features: of numbers and cameras.
        rate_hz: frames per second.
        of: whose body it is (``robot_type``), and which ``split`` the episodes are.
        totals: ``total_episodes``, ``total_frames`` and ``total_tasks``.
        settings: of the export.
    """
    return {
        "codebase_version": CODEBASE_VERSION,
        "robot_type": of["robot_type"],
        **totals,
        "chunks_size": settings.chunks_size,
        "data_files_size_in_mb": settings.data_files_size_in_mb,
        "video_files_size_in_mb": settings.video_files_size_in_mb,
        "fps": rate_hz,
        "splits": {of["split"]: f"0:{totals['total_episodes']}"},
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH,
        "features": features,
    }


def plain_stats(stats: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, dict[str, Any]]:
    """Return statistics as ``meta/stats.json`` holds them: nested lists."""
    return {key: {name: v.tolist() for name, v in each.items()} for key, each in stats.items()}


def _vector(names: list[str]) -> dict[str, Any]:
    return {"dtype": "float32", "shape": [len(names)], "names": names}
