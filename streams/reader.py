"""Reading a data set: any clip by its id, in any order, only what is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

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
from .cutting import cut_signals, cut_trajectory, cut_truth, refuse_cut, require_within
from .folder import SHARDS, read_plan
from .index import ClipIndex
from .manifest import read_manifest
from .samples import Batch, Sample, collate
from .shard import read_members
from .signal_members import decode_signals
from .store import Store, open_store
from .truth_members import TRUTH_STREAMS
from .windows import WindowedClips, Windows


class ClipDataset(ClipCollection):
    """The clips of a finished data set; a map-style ``torch.utils.data.Dataset``.

    Its items are numbered in the order of ``clip_ids``. It may be used by any number of
    ``DataLoader`` workers and threads, started in any way: no file is held open between reads.

    Example::

        clips = ClipDataset("streams/living_room", streams=("video",))
        for batch in clips.loader(8, seed=0, start_step=resumed_at, workers=2):
            ...
    """

    def __init__(
        self,
        location: Path | str | Store,
        *,
        streams: Sequence[str] | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Open a data set to read ``streams`` of it: by default all that it holds.

        Args:
            location: the data set's folder, or its URL in a store that fsspec opens, such as
                ``s3://bucket/set``.
            streams: any of ``video``, ``depth``, ``trajectory``, ``meta`` (captions, names of
                objects), ``signals`` and the fields of `Truth`, such as ``flow_forward``; only
                these are read and decoded.
            storage_options: what fsspec opens the store with: credentials, endpoint, ...

        Raises:
            FileNotFoundError: there is no data set, or it is not finished.
            ValueError: it does not hold a stream that was asked for, or no such protocol exists.
            ImportError: the package that speaks the protocol is not installed; names it.
            RuntimeError: it holds no clip, index and manifest contradict each other, or the store
                fails.
        """
        self.store = open_store(location, storage_options)
        self.manifest = read_manifest(self.store)
        self.plan = read_plan(self.store)
        self._index = ClipIndex.read(self.store, self.manifest)
        if not len(self):
            reasons = sorted(set(self.skipped.values()))
            raise RuntimeError(
                f"{self.location} holds no clip: all {len(self.skipped)} were skipped "
                f"({'; '.join(reasons[:2])})"
            )
        self.streams = self._checked(streams)

    @property
    def location(self) -> str:
        """The folder or URL."""
        return self.store.location

    @property
    def clip_ids(self) -> np.ndarray:
        """Ids of the clips that are there, int64, ascending."""
        return self._index.clips

    @property
    def frame_counts(self) -> np.ndarray:
        """Frames of each of the clips in ``clip_ids``, int64."""
        return self._index.frames

    @property
    def skipped(self) -> dict[int, str]:
        """Clips that could not be rendered, and why."""
        return self._index.skipped

    def sample(self, clip: int) -> Sample:
        """Return a clip by its id, with the streams that the data set was opened for."""
        return self._sample(self._index.row_of(clip))

    def batch(self, clips: Sequence[int]) -> Batch:
        """Return clips by their ids as one batch; their video is decoded into its place there."""
        if "video" not in self.streams:
            return super().batch(clips)
        samples: list[Sample] = []
        video = None
        for place, clip in enumerate(clips):
            into = None if video is None else video[place]
            sample = self._sample(self._index.row_of(clip), into=into)
            assert sample.video is not None
            if video is None:
                video = sample.video.new_empty((len(clips), *sample.video.shape))
                video[place] = sample.video
            samples.append(sample)
        return collate(samples, video=video)

    def cut(self, clip: int, frames: range) -> Sample:
        """Return some frames of a clip by its id, decoding little else.

        What is cut is as if these frames were a clip of their own; times, caption and description
        stay the whole clip's, and signals last from the first frame to the last.

        Args:
            clip: its id.
            frames: ascending; with a step above 1 frames are left out.

        Raises:
            KeyError: there is no such clip.
            ValueError: it has no such frames, or a stream means nothing in such a part.
        """
        row = self._index.row_of(clip)
        require_within(frames, int(self.frame_counts[row]), clip=clip)
        self.require_cut(frames=len(frames), step=frames.step)
        sample = self._sample(row, frames)
        rate_hz = self.plan.frame_rate_hz
        first_s, last_s = frames[0] / rate_hz, frames[-1] / rate_hz
        trajectory, signals = sample.trajectory, sample.signals
        return replace(
            sample,
            first_frame=frames[0],
            trajectory=None if trajectory is None else cut_trajectory(trajectory, frames),
            signals=None
            if signals is None
            else cut_signals(signals, first_s=first_s, last_s=last_s),
            truth=cut_truth(sample.truth, step=frames.step),
        )

    def require_cut(self, *, frames: int, step: int) -> None:
        """Refuse parts of ``frames`` frames, ``step`` apart, in which a stream means nothing.

        Raises:
            ValueError: flow with a step above 1, signals of one frame; says what to do.
        """
        refuse_cut(self.streams, frames=frames, step=step)

    def windows(self, windows: Windows) -> WindowedClips:
        """Return all windows of all clips, as a collection of clips of their own."""
        return WindowedClips(self, windows)

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

    def members(self, clip: int, streams: Sequence[str]) -> dict[str, bytes]:
        """Return the members that hold streams of a clip, as they are stored.

        Raises:
            KeyError: there is no such clip.
            RuntimeError: a member is damaged or missing.
        """
        return self._members(self._index.row_of(clip), streams)

    def __repr__(self) -> str:
        """Say what can be read from where."""
        return f"ClipDataset({self.location!r}, clips={len(self)}, streams={self.streams})"

    def _checked(self, streams: Sequence[str] | None) -> tuple[str, ...]:
        held = self._index.streams
        asked = held if streams is None else tuple(streams)
        absent = [stream for stream in asked if stream not in held]
        if absent or not asked:
            raise ValueError(
                f"expected streams out of {list(held)}, which {self.location} holds, got "
                f"{list(asked)}"
            )
        return asked

    def _sample(
        self, row: int, frames: range | None = None, *, into: Tensor | None = None
    ) -> Sample:
        streams = self.streams
        members = self._members(row, streams)
        meta = decode_meta(members) if "meta" in streams else {}
        return Sample(
            clip=int(self.clip_ids[row]),
            scene=self._index.scene(row),
            video=decode_eyes(members, "video", frames, into=into) if "video" in streams else None,
            depth=decode_eyes(members, "depth", frames) if "depth" in streams else None,
            trajectory=decode_trajectory(members) if "trajectory" in streams else None,
            caption=meta.get("caption"),
            description=decode_description(meta),
            truth=_truth(members, streams, meta, frames),
            signals=decode_signals(members) if "signals" in streams else None,
        )

    def _members(self, row: int, streams: Sequence[str]) -> dict[str, bytes]:
        wanted = [name for stream in streams for name in STREAMS[stream]]
        shard, extents = self._index.extents(row, wanted)
        name = f"{SHARDS}/{shard}"
        try:
            return read_members(self.store, name, extents)
        except FileNotFoundError as error:
            raise RuntimeError(
                f"clip {self.clip_ids[row]}: {self.store.where(name)} is missing; run the same "
                "'merkwelt render' again"
            ) from error


def _truth(
    members: Mapping[str, bytes],
    streams: Sequence[str],
    meta: Mapping[str, Any],
    frames: range | None = None,
) -> Truth:
    wanted = [stream for stream in streams if stream in TRUTH_STREAMS]
    decoded = {stream: decode_eyes(members, stream, frames) for stream in wanted}
    return Truth(**decoded, objects=tuple(meta.get("objects", ())))
