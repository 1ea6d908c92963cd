"""From an encoder's view of labelled stills to what is trained and measured on them."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..objective import EncoderLike, FeatureShapes
from ..precision import at_least_float32
from .config import HarmonizerConfig
from .saliency import driving_scalar, image_gradient, join_channels, still_clips

Read = Literal["last", "mean"]


@dataclass(frozen=True, kw_only=True)
class SeenStills:
    """What a network makes of a batch of stills."""

    pooled: Float[Tensor, "still feature"]
    logits: Float[Tensor, "still class_"]
    gradient: Float[Tensor, "still channel height width"]
    """Of the driving scalar by the image."""

    def saliency(self, config: HarmonizerConfig) -> Float[Tensor, "still height width"]:
        """Return the saliency that the harmonizer trains."""
        return join_channels(self.gradient, config.channels)


class StillClassifier(nn.Module):
    """A linear classifier on the pooled features of fixated stills, and its saliency."""

    def __init__(self, shapes: FeatureShapes, *, classes: int, frames: int, read: Read) -> None:
        """Draw the weights from torch's random state.

        Args:
            shapes: of the encoder's features.
            classes: how many labels there are.
            frames: for how long a still is shown, at least; whole time steps are shown.
            read: the features of the last time step, or their mean over time.
        """
        super().__init__()
        self.eyes = shapes.eyes
        self.frames = -(-frames // shapes.frames_per_step) * shapes.frames_per_step
        self.read = read
        self.linear = nn.Linear(shapes.pooled_channels, classes)

    def forward(
        self,
        encoder: EncoderLike,
        images: Float[Tensor, "still channel height width"],
        labels: Int[Tensor, " still"],
        config: HarmonizerConfig,
        *,
        create_graph: bool,
    ) -> SeenStills:
        """Return logits and the gradient by the image; works where gradients are switched off.

        Args:
            encoder: sees each image in all its eyes, for ``frames`` frames.
            images: in [0, 1].
            labels: class of each, from 0.
            config: which scalar is differentiated.
            create_graph: whether the gradient is to be trained.
        """
        with torch.enable_grad():
            images = images.detach().clone().requires_grad_()
            clips = still_clips(images, eyes=self.eyes, frames=self.frames)
            over_time = encoder(clips).pooled
            pooled = over_time[:, -1] if self.read == "last" else over_time.mean(dim=1)
            logits = self.linear(pooled)
            # Second derivatives and small differences of pixels are taken in full precision.
            pooled, logits = at_least_float32(pooled), at_least_float32(logits)
            scalars = driving_scalar(config.scalar, pooled, logits, labels)
            gradient = image_gradient(scalars, images, create_graph=create_graph)
        if not create_graph:
            pooled, logits, gradient = pooled.detach(), logits.detach(), gradient.detach()
        return SeenStills(pooled=pooled, logits=logits, gradient=at_least_float32(gradient))
