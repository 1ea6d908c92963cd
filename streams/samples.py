"""A clip as it is read, and several of them as one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ..render.body.signals import BodySignals
from ..render.motion.trajectory import Trajectory
from ..render.truth.quantities import Truth
from ..render.words.description import Description


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
    first_frame: int = 0
    """Where in the clip a window begins. Times, caption and description are the whole clip's."""

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

    @property
    def first_frames(self) -> Tensor:
        """Where in their clips windows begin, int64 ``[batch]``; 0 for whole clips."""
        return torch.tensor([sample.first_frame for sample in self.samples])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass every tensor to another process once: samples are made views again over there."""
        bare = [replace(each, video=None, depth=None, truth=_bare(each)) for each in self.samples]
        return _whole, (self.clips, self.video, self.depth, bare, self.truth)

    def __repr__(self) -> str:
        """Name the clips and their shapes."""
        return f"Batch({self.clips.tolist()}, {_shapes(self)})"


def collate(samples: Sequence[Sample], *, video: Tensor | None = None) -> Batch:
    """Return samples as one batch; the ``collate_fn`` of a ``DataLoader``.

    ``video`` is that of all samples, if theirs are views into one tensor already.

    Raises:
        ValueError: the samples differ in shape; names their clips.
    """
    shapes = {_shapes(sample): sample.clip for sample in samples}
    if len(shapes) != 1:
        found = "; ".join(f"clip {clip} {shape}" for shape, clip in shapes.items())
        raise ValueError(f"expected one or more clips of one shape in a batch, got {found}")
    return _whole(
        torch.tensor([sample.clip for sample in samples]),
        video if video is not None else _stacked([sample.video for sample in samples]),
        _stacked([sample.depth for sample in samples]),
        samples,
        _stacked_truth([sample.truth for sample in samples]),
    )


def _whole(
    clips: Tensor,
    video: Tensor | None,
    depth: Tensor | None,
    samples: Sequence[Sample],
    truth: Truth,
) -> Batch:
    """Return a batch whose samples are views into its tensors, whatever they held before."""
    viewed = tuple(
        replace(
            sample,
            video=None if video is None else video[place],
            depth=None if depth is None else depth[place],
            truth=replace(sample.truth, **{n: t[place] for n, t in truth.held().items()}),
        )
        for place, sample in enumerate(samples)
    )
    return Batch(clips=clips, video=video, depth=depth, samples=viewed, truth=truth)


def _bare(sample: Sample) -> Truth:
    return Truth(objects=sample.truth.objects)


def _stacked_truth(truths: list[Truth]) -> Truth:
    held = [truth.held() for truth in truths]
    stacked: Any = {name: _stacked([each[name] for each in held]) for name in held[0]}
    return Truth(**stacked)


def _stacked(tensors: Sequence[Tensor | None]) -> Tensor | None:
    there = [tensor for tensor in tensors if tensor is not None]
    # Not in shared memory, as torch's own collation would: the thread that sends batches to the
    # reading process copies them there while the next clip is decoded.
    return torch.stack(there) if there else None


def _shapes(data: Sample | Batch) -> str:
    named = {"video": data.video, "depth": data.depth, **data.truth.held()}
    return ", ".join(f"{n}={None if t is None else tuple(t.shape)}" for n, t in named.items())
