"""An objective's own loss as the scalar: which pixels make it large or small."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...video_models.encoder import Encoder
from .evaluating import evaluating
from .targets import Readout

LossOfClips = Callable[[Encoder, Tensor], Tensor]
"""An encoder and clips ``[batch, eye, time, channel, height, width]`` -> one loss per clip."""


@dataclass(frozen=True, kw_only=True)
class FittedLoss:
    """A loss, which needs no image but its own."""

    loss: LossOfClips
    undefined: Mapping[int, str] = field(default_factory=dict)

    def value(
        self,
        encoder: Encoder,
        clips: Float[Tensor, "batch eye time channel height width"],
        indices: Int[Tensor, " batch"],
    ) -> Float[Tensor, " batch"]:
        """Return the loss of each clip."""
        values = self.loss(encoder, clips)
        if values.shape != (len(clips),):
            raise ValueError(
                f"expected a loss for each of {len(clips)} clips, got {list(values.shape)}; wrap "
                "an objective that averages over clips in LossOfEachClip"
            )
        return values


@dataclass(frozen=True, kw_only=True)
class ObjectiveLoss:
    """A loss of an encoder and its clips, such as slowness or a prediction error.

    On a still clip nothing moves. A slowness is then 0 whatever the image, and its saliency is
    constant: such images are named and left out. Losses of this kind need clips that move.
    """

    loss: LossOfClips
    loss_name: str
    """What the loss is, in words; part of the score's name."""

    @property
    def name(self) -> str:
        """What the scalar is, in words."""
        return f"objective loss ({self.loss_name})"

    @property
    def readout(self) -> Readout:
        """Never read: the loss runs the encoder itself."""
        return Readout()

    def fit(
        self, vectors_of_all: Callable[[], Float[Tensor, "image channel"]], labels: Sequence[str]
    ) -> FittedLoss:
        """Return the loss as it is."""
        return FittedLoss(loss=self.loss)


@dataclass(frozen=True, kw_only=True)
class LossOfEachClip:
    """An objective's loss on one clip at a time, for objectives that return a batch's mean.

    A module is in evaluation mode meanwhile, so that running statistics learn nothing. Objectives
    that draw at random, as masks or moments, draw alike for every clip; torch's own random state
    stays as it is.
    """

    objective: Callable[[Encoder, Tensor, Mapping[str, Tensor]], tuple[Tensor, Any]]
    """Encoder, clips and truth -> a scalar loss, and measures that are not looked at."""
    truth: Mapping[str, Tensor] = field(default_factory=dict)
    """What is said of every clip, such as the frame rate."""
    seed: int = 0
    """Of what the objective draws."""

    def __call__(
        self, encoder: Encoder, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, " batch"]:
        """Return the loss of each clip."""
        devices = [clips.device] if clips.is_cuda else []
        losses = []
        with evaluating(self.objective), torch.random.fork_rng(devices):
            for one in clips.split(1):
                torch.manual_seed(self.seed)
                losses.append(self.objective(encoder, one, self.truth)[0])
        return torch.stack(losses)
