"""Where things lie in a LeRobotDataset v3.0, and what is chosen about an export.

Frames of many episodes share a file: Parquet for numbers, mp4 for each camera. A file is followed
by the next before it grows beyond a limit, and a chunk is a folder of so many files.
"""

from dataclasses import dataclass
from typing import Literal, get_args

CODEBASE_VERSION = "v3.0"
INFO, STATS, TASKS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
PROVENANCE = "meta/merkwelt.json"
"""Not of LeRobot, whose tools do not look at it: what the episodes were exported from."""
_FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
EPISODES_PATH = f"meta/episodes/{_FILE}.parquet"
DATA_PATH = f"data/{_FILE}.parquet"
VIDEO_PATH = f"videos/{{video_key}}/{_FILE}.mp4"
BYTES_PER_MB = 1024**2

ExportStream = Literal["video", "depth"]
Pictures = Literal["stored", "playable"]


@dataclass(frozen=True, kw_only=True)
class LeRobotSettings:
    """What is exported, and how large its files get; the limits are LeRobot's own defaults."""

    streams: tuple[ExportStream, ...] = ("video",)
    """``video`` is always there; ``depth`` adds a camera of 12-bit depth for each eye."""
    pictures: Pictures = "stored"
    """``stored``: the H.264 packets of the data set as they are, not a pixel changes;
    ``playable``: encoded again, 4:2:0, which browsers play."""
    chunks_size: int = 1000
    """Files in one chunk."""
    data_files_size_in_mb: int = 100
    video_files_size_in_mb: int = 200

    def __post_init__(self) -> None:
        """Refuse streams that cannot be exported and limits that no file can keep."""
        unknown = [name for name in self.streams if name not in get_args(ExportStream)]
        if unknown or "video" not in self.streams:
            raise ValueError(
                f"expected streams 'video' or 'video depth', got {' '.join(self.streams)!r}; other "
                "streams have no place in LeRobot's layout"
            )
        if self.pictures not in get_args(Pictures):
            raise ValueError(
                f"expected pictures out of {list(get_args(Pictures))}, got {self.pictures!r}"
            )
        if min(self.chunks_size, self.data_files_size_in_mb, self.video_files_size_in_mb) < 1:
            raise ValueError(
                "expected chunks of at least 1 file and files of at least 1 MB, got "
                f"{self.chunks_size} files, {self.data_files_size_in_mb} MB of data and "
                f"{self.video_files_size_in_mb} MB of video"
            )


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which file."""

    chunk: int = 0
    file: int = 0

    def path(self, template: str, **names: str) -> str:
        """Return the file's path, relative to the data set."""
        return template.format(chunk_index=self.chunk, file_index=self.file, **names)

    def next(self, chunks_size: int) -> "Place":
        """Return the place after it."""
        if self.file + 1 < chunks_size:
            return Place(chunk=self.chunk, file=self.file + 1)
        return Place(chunk=self.chunk + 1)
