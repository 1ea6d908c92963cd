"""Reading a data set: any clip by its id, in any order, only what is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ..render.body.signals import BodySignals
from ..render.clip import Clip
from ..render.key import ClipKey
from ..render.motion.trajectory import Trajectory
from ..render.truth.quantities import Truth
from ..render.words.description import Description
from .clip_members import (
    STREAMS,
    decode_description,
    decode_eyes,
    decode_meta,
    decode_trajectory,
)
from .folder import SHARDS, read_plan
from .index import ClipIndex
from .manifest import read_manifest
from .permutation import permute
from .shard import read_members
from .signal_members import decode_signals
from .truth_members import TRUTH_STREAMS


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A clip as it is read; what was not asked for is None."""

    clip: int
    scene: str
    video: Tensor | None
    """uint8 ``[eye, time, 3, height, width]``."""
    depth: Tensor | None
    """float32 z-depth ``[eye, time, height, width]``."""
    trajectory: Trajectory | None
    caption: str | None
    description: Description | None = None
    """The facts that the caption is made of; read with ``meta``, like the caption."""
    truth: Truth = field(default_factory=Truth)
    """Flow, disparity, masks and so on ``[eye, time, ...]``."""
    signals: BodySignals | None = None
    """What the body feels and does, at a rate of its own."""

    def __repr__(self) -> str:
        """Name the clip and its shapes."""
        return f"Sample({self.clip}, {self.scene!r}, {_shapes(self)})"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Clips of equal shape, stacked; what was not asked for is None."""

    clips: Tensor
    """int64 ids ``[batch]``."""
    video: Tensor | None
    """uint8 ``[batch, eye, time, 3, height, width]``."""
    depth: Tensor | None
    """float32 z-depth ``[batch, eye, time, height, width]``."""
    samples: tuple[Sample, ...]
    """The clips one by one (views into the tensors), with trajectories, captions and signals."""
    truth: Truth = field(default_factory=Truth)
    """Flow, disparity, masks and so on ``[batch, eye, time, ...]``.

    Object ids of different scenes count different objects; ``samples`` tell the names.
    """

    def __repr__(self) -> str:
        """Name the clips and their shapes."""
        return f"Batch({self.clips.tolist()}, {_shapes(self)})"


def collate(samples: Sequence[Sample]) -> Batch:
    """Return samples as one batch; the ``collate_fn`` of a ``DataLoader``."""
    return Batch(
        clips=torch.tensor([sample.clip for sample in samples]),
        video=_stacked([sample.video for sample in samples]),
        depth=_stacked([sample.depth for sample in samples]),
        samples=tuple(samples),
        truth=_stacked_truth([sample.truth for sample in samples]),
    )


class ClipDataset(Dataset[Sample]):
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

    def __len__(self) -> int:
        """Return the number of clips that are there."""
        return len(self._index.clips)

    def __getitem__(self, item: int) -> Sample:
        """Return the clip at a place in ``clip_ids``."""
        row = range(len(self))[item]
        return self._sample(row, self.streams)

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

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """Return all clip ids in the shuffled order of an epoch, int64."""
        places = np.arange(len(self))
        return self.clip_ids[permute(places, size=len(self), key=_key(seed, epoch))]

    def batch_ids(self, batch_size: int, *, seed: int, step: int) -> np.ndarray:
        """Return the clip ids of batch ``step`` of an endless shuffled stream, int64.

        The stream is one shuffled epoch after the other, cut into batches of equal size, so a
        batch may lie across two epochs. It depends on the arguments alone.
        """
        if batch_size < 1 or step < 0:
            raise ValueError(
                "expected a batch size of at least 1, a step of at least 0, got "
                f"{batch_size} and {step}"
            )
        places = np.arange(step * batch_size, (step + 1) * batch_size)
        epochs = places // len(self)
        ids = np.empty(batch_size, np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            rows = permute(places[here] % len(self), size=len(self), key=_key(seed, int(epoch)))
            ids[here] = self.clip_ids[rows]
        return ids

    def batches(self, batch_size: int, *, seed: int, start_step: int = 0) -> Iterator[Batch]:
        """Yield batches without end, from ``start_step`` on, which costs nothing to reach."""
        step = start_step
        while True:
            ids = self.batch_ids(batch_size, seed=seed, step=step)
            yield collate([self.sample(int(clip)) for clip in ids])
            step += 1

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


def _key(seed: int, epoch: int) -> str:
    return f"{seed}/{epoch}"


def _truth(members: Mapping[str, bytes], streams: Sequence[str], meta: Mapping[str, Any]) -> Truth:
    wanted = [stream for stream in streams if stream in TRUTH_STREAMS]
    decoded = {stream: decode_eyes(members, stream) for stream in wanted}
    return Truth(**decoded, objects=tuple(meta.get("objects", ())))


def _stacked_truth(truths: list[Truth]) -> Truth:
    held = [truth.held() for truth in truths]
    stacked: dict[str, Any] = {name: torch.stack([each[name] for each in held]) for name in held[0]}
    return Truth(**stacked)


def _stacked(tensors: list[Tensor | None]) -> Tensor | None:
    there = [tensor for tensor in tensors if tensor is not None]
    return torch.stack(there) if there else None


def _shapes(data: Sample | Batch) -> str:
    named = {"video": data.video, "depth": data.depth, **data.truth.held()}
    return ", ".join(f"{n}={None if t is None else tuple(t.shape)}" for n, t in named.items())
