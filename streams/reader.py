"""Reading a data set: any clip by its id, in any order, only what is asked for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..render.clip import Clip
from ..render.key import ClipKey
from ..render.truth.quantities import Truth
from .clip_members import (
    STREAMS,
    decode_description,
    decode_eyes,
    decode_meta,
    decode_trajectory,
)
from .collection import ClipCollection
from .folder import SHARDS, read_plan
from .index import ClipIndex
from .manifest import read_manifest
from .samples import Sample
from .shard import read_members
from .signal_members import decode_signals
from .truth_members import TRUTH_STREAMS


class ClipDataset(ClipCollection):
    """The clips of a finished data set; a map-style ``torch.utils.data.Dataset``.

    Its items are numbered in the order of ``clip_ids``. It may be used by any number of
    ``DataLoader`` workers and threads: nothing is held open between reads.

    Example::

        clips = ClipDataset("streams/living_room", streams=("video",))
        for batch in clips.batches(8, seed=0, start_step=resumed_at):
            ...
    """

    def __init__(self, folder: Path | str, *, streams: Sequence[str] | None = None) -> None:
        """Open a data set to read ``streams`` of it: by default all that it holds.

        Args:
            folder: the data set's folder.
            streams: any of ``video``, ``depth``, ``trajectory``, ``meta`` (captions, names of
                objects), ``signals`` and the fields of `Truth`, such as ``flow_forward``; only
                these are read and decoded.

        Raises:
            FileNotFoundError: there is no data set, or it is not finished.
            ValueError: it does not hold a stream that was asked for.
            RuntimeError: it holds no clip, or index and manifest contradict each other.
        """
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self.plan = read_plan(self.folder)
        self._index = ClipIndex.read(self.folder, self.manifest)
        if not len(self):
            reasons = sorted(set(self.skipped.values()))
            raise RuntimeError(
                f"{self.folder} holds no clip: all {len(self.skipped)} were skipped "
                f"({'; '.join(reasons[:2])})"
            )
        self.streams = self._checked(streams)

    @property
    def clip_ids(self) -> np.ndarray:
        """Ids of the clips that are there, int64, ascending."""
        return self._index.clips

    @property
    def skipped(self) -> dict[int, str]:
        """Clips that could not be rendered, and why."""
        return self._index.skipped

    def sample(self, clip: int) -> Sample:
        """Return a clip by its id, with the streams that the data set was opened for."""
        return self._sample(self._index.row_of(clip), self.streams)

    def read(self, clip: int) -> Clip:
        """Return a clip by its id with all that is stored of it."""
        held = self._index.streams
        members = self._members(self._index.row_of(clip), held)
        meta = decode_meta(members)
        return Clip(
            key=ClipKey(dataset_seed=meta["dataset_seed"], scene=meta["scene"], clip=meta["clip"]),
            video=decode_eyes(members, "video"),
            depth=decode_eyes(members, "depth") if "depth" in held else None,
            trajectory=decode_trajectory(members),
            caption=meta["caption"],
            description=decode_description(meta),
            attempts=meta["attempts"],
            truth=_truth(members, held, meta),
            signals=decode_signals(members) if "signals" in held else None,
        )

    def __repr__(self) -> str:
        """Say what can be read from where."""
        return f"ClipDataset({str(self.folder)!r}, clips={len(self)}, streams={self.streams})"

    def _checked(self, streams: Sequence[str] | None) -> tuple[str, ...]:
        held = self._index.streams
        asked = held if streams is None else tuple(streams)
        absent = [stream for stream in asked if stream not in held]
        if absent or not asked:
            raise ValueError(
                f"expected streams out of {list(held)}, which {self.folder} holds, got "
                f"{list(asked)}"
            )
        return asked

    def _sample(self, row: int, streams: Sequence[str]) -> Sample:
        members = self._members(row, streams)
        meta = decode_meta(members) if "meta" in streams else {}
        return Sample(
            clip=int(self.clip_ids[row]),
            scene=self._index.scene(row),
            video=decode_eyes(members, "video") if "video" in streams else None,
            depth=decode_eyes(members, "depth") if "depth" in streams else None,
            trajectory=decode_trajectory(members) if "trajectory" in streams else None,
            caption=meta.get("caption"),
            description=decode_description(meta),
            truth=_truth(members, streams, meta),
            signals=decode_signals(members) if "signals" in streams else None,
        )

    def _members(self, row: int, streams: Sequence[str]) -> dict[str, bytes]:
        wanted = [name for stream in streams for name in STREAMS[stream]]
        shard, extents = self._index.extents(row, wanted)
        path = self.folder / SHARDS / shard
        try:
            return read_members(path, extents)
        except FileNotFoundError as error:
            raise RuntimeError(
                f"clip {self.clip_ids[row]}: {path} is missing; run the same 'merkwelt render' "
                "again"
            ) from error


def _truth(members: Mapping[str, bytes], streams: Sequence[str], meta: Mapping[str, Any]) -> Truth:
    wanted = [stream for stream in streams if stream in TRUTH_STREAMS]
    decoded = {stream: decode_eyes(members, stream) for stream in wanted}
    return Truth(**decoded, objects=tuple(meta.get("objects", ())))
