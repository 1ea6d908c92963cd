"""Episodes into the files of a LeRobotDataset."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .episodes import Episode, meaning_of_codes
from .features import NUMBERS
from .layout import DATA_PATH, EPISODES_PATH, LeRobotSettings
from .stats import PictureCounts, picture_stats, vector_stats
from .tables import TableFiles, write_tasks
from .videos import Span, VideoFiles, VideoFormat

if TYPE_CHECKING:
    import pyarrow

Stats = Mapping[str, Mapping[str, np.ndarray]]


class EpisodeWriter:
    """Appends episodes below a folder, and sums up what they hold."""

    def __init__(self, root: Path, settings: LeRobotSettings, rate_hz: int) -> None:
        """Write below ``root``."""
        self._root, self._settings, self._rate_hz = root, settings, rate_hz
        self._data = TableFiles(root, DATA_PATH, settings)
        self._episodes = TableFiles(root, EPISODES_PATH, settings)
        self._videos: dict[str, VideoFiles] = {}
        self._tasks: dict[str, int] = {}
        self._counts: dict[str, PictureCounts] = {}
        # A few hundred bytes a frame: statistics over all episodes need all of them.
        self._columns: dict[str, list[np.ndarray]] = {}
        self.episodes = self.frames = 0

    def add(self, episode: Episode, *, clip: int) -> None:
        """Append an episode, whose clip id is kept beside it."""
        columns = self._numbered(episode)
        spans = {key: self._files(key).add(camera.video) for key, camera in episode.cameras.items()}
        stats: dict[str, Any] = {
            **{
                key: picture_stats(camera.counts, meaning_of_codes(key))
                for key, camera in episode.cameras.items()
            },
            **{name: vector_stats(values) for name, values in columns.items()},
        }
        table = _data_table(columns)
        place = self._data.place_for(table.nbytes)
        self._data.add(table)
        self._add_to_episodes(
            {
                "episode_index": self.episodes,
                "tasks": [episode.task],
                "length": episode.frames,
                "data/chunk_index": place.chunk,
                "data/file_index": place.file,
                "dataset_from_index": self.frames,
                "dataset_to_index": self.frames + episode.frames,
                **_span_columns(spans),
                "clip": clip,
                "scene": episode.scene,
            },
            stats,
        )
        self._remember(episode, columns)

    def close(self) -> None:
        """Finish all files of episodes; nothing can be added after."""
        with ExitStack() as stack:
            for files in (self._data, self._episodes, *self._videos.values()):
                stack.callback(files.close)

    def sum_up(self) -> Stats:
        """Write the tasks and return the statistics over all episodes."""
        write_tasks(self._root, list(self._tasks))
        return {
            **{
                key: picture_stats(counts, meaning_of_codes(key))
                for key, counts in self._counts.items()
            },
            **{name: vector_stats(np.concatenate(v)) for name, v in self._columns.items()},
        }

    @property
    def tasks(self) -> int:
        """How many different tasks there are."""
        return len(self._tasks)

    @property
    def cameras(self) -> dict[str, VideoFormat]:
        """What the videos of each camera are."""
        return {k: files.format for k, files in self._videos.items() if files.format is not None}

    def _numbered(self, episode: Episode) -> dict[str, np.ndarray]:
        """Return an episode's columns with those that count episodes, frames and tasks."""
        task = self._tasks.setdefault(episode.task, len(self._tasks))
        length = episode.frames
        counted = {
            **episode.columns,
            "episode_index": np.full(length, self.episodes),
            "index": np.arange(self.frames, self.frames + length),
            "task_index": np.full(length, task),
        }
        own = [name for name in counted if name not in NUMBERS]
        return {name: counted[name] for name in (*own, *NUMBERS)}

    def _files(self, key: str) -> VideoFiles:
        if key not in self._videos:
            self._videos[key] = VideoFiles(self._root, key, self._settings, self._rate_hz)
        return self._videos[key]

    def _add_to_episodes(self, row: Mapping[str, Any], stats: Stats) -> None:
        import pyarrow as pa

        flat = {
            f"stats/{key}/{name}": values.tolist()
            for key, each in stats.items()
            for name, values in each.items()
        }
        row = {**row, **flat}
        size = pa.Table.from_pylist([row]).nbytes
        place = self._episodes.place_for(size)
        row["meta/episodes/chunk_index"] = place.chunk
        row["meta/episodes/file_index"] = place.file
        self._episodes.add(pa.Table.from_pylist([row]))

    def _remember(self, episode: Episode, columns: Mapping[str, np.ndarray]) -> None:
        for key, camera in episode.cameras.items():
            known = self._counts.get(key)
            self._counts[key] = camera.counts if known is None else known + camera.counts
        for name, values in columns.items():
            self._columns.setdefault(name, []).append(values)
        self.episodes += 1
        self.frames += episode.frames


def _data_table(columns: Mapping[str, np.ndarray]) -> "pyarrow.Table":
    import pyarrow as pa

    def column(values: np.ndarray) -> pa.Array:
        flat = pa.array(values.ravel())
        return (
            flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        )

    return pa.table({name: column(values) for name, values in columns.items()})


def _span_columns(spans: Mapping[str, Span]) -> dict[str, int | float]:
    columns: dict[str, int | float] = {}
    for key, span in spans.items():
        columns |= {
            f"videos/{key}/chunk_index": span.place.chunk,
            f"videos/{key}/file_index": span.place.file,
            f"videos/{key}/from_timestamp": span.from_s,
            f"videos/{key}/to_timestamp": span.to_s,
        }
    return columns
