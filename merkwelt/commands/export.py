"""``merkwelt export``."""

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from ..console import OUT, progress_bar
from ..streams.lerobot.layout import ExportStream, Pictures


def export(
    folder: Positional[str],
    /,
    *,
    out: Path,
    to: Literal["lerobot"] = "lerobot",
    streams: tuple[ExportStream, ...] = ("video",),
    pictures: Pictures = "stored",
    video_files_mb: int = 200,
    data_files_mb: int = 100,
) -> None:
    """Write a finished data set in another layout: LeRobotDataset v3.0.

    Each clip becomes an episode and its caption the task. Eyes are cameras; head, eyes and gaze
    are the state, and the motion to the next frame is the action.

    Args:
        folder: the data set, or a URL of one.
        out: folder of the export, which must not exist.
        to: the layout; lerobot is LeRobotDataset v3.0.
        streams: video alone, or video and depth; depth has 12 bits there and needs LeRobot 0.6.
        pictures: stored keeps every pixel of the data set; playable encodes anew in 4:2:0, which
            browsers play and LeRobot's tools can cut.
        video_files_mb: episodes share video files up to this size.
        data_files_mb: and tables up to this size.
    """
    from ..streams.lerobot import LeRobotSettings, export_lerobot

    settings = LeRobotSettings(
        streams=streams,
        pictures=pictures,
        video_files_size_in_mb=video_files_mb,
        data_files_size_in_mb=data_files_mb,
    )
    with progress_bar("exporting") as progress:
        done = export_lerobot(folder, out, settings, progress=progress)
    OUT.print(
        f"{out}: {done.episodes} episodes, {done.frames} frames, {done.bytes / 1e6:.1f} MB, as "
        "LeRobotDataset v3.0",
        markup=False,
    )
