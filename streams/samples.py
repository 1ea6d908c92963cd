"""A clip as it is read, and several of them as one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
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
