"""The first layer of an encoder that takes one eye or two."""

import math
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

Stereo = Literal["concat", "siamese"]
"""How two eyes meet in the first layer.

``concat``: as channels of one image. ``siamese``: each eye passes the same filters, and the answers
become their sum and difference, the channels of ocular opponency (Li & Atick 1994, Network 5:157).
"""


class EyeFusion(nn.Module):
    """A first layer with the same number of outputs for one eye and for two."""

    def __init__(
        self,
        make_layer: Callable[[int, int], nn.Module],
        *,
        eyes: int,
        image_channels: int,
        out_channels: int,
        stereo: Stereo,
    ) -> None:
        """Make the layer.

        Args:
            make_layer: from a number of input and output channels to a layer on videos
                ``[batch, channel, time, height, width]``.
            eyes: 1 or 2.
            image_channels: of one eye.
            out_channels: of the fused answer.
            stereo: how two eyes meet; of no meaning for one.
        """
        super().__init__()
        self.eyes = eyes
        self.siamese = eyes == 2 and stereo == "siamese"
        if self.siamese and out_channels % 2:
            raise ValueError(
                "expected an even width of the first layer, for a sum and a difference of each "
                f"filter's answers, got {out_channels}; use stereo='concat' or another width"
            )
        if self.siamese:
            self.layer = make_layer(image_channels, out_channels // 2)
        else:
            self.layer = make_layer(eyes * image_channels, out_channels)

    def forward(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch out_channel step rows columns"]:
        """Return the fused answer; values may be in any range."""
        if not self.siamese:
            return self.layer(clips.transpose(1, 2).flatten(2, 3).transpose(1, 2))
        answers = self.layer(clips.flatten(0, 1).transpose(1, 2))
        return sum_and_difference(answers.unflatten(0, (-1, 2)))


def sum_and_difference(
    per_eye: Float[Tensor, "batch 2 channel time height width"],
) -> Float[Tensor, "batch twice_the_channels time height width"]:
    """Return left + right and left - right as channels, at the same variance as one eye's."""
    left, right = per_eye.unbind(1)
    return torch.cat([left + right, left - right], dim=1) / math.sqrt(2)
