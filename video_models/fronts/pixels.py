"""The two plainest ways to join eyes: side by side, and as their sum and difference."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..causal_layers import FrameNorm
from .front import clips_of_frames, frames_of_eyes, require_front

NORMED_GAIN = 0.25
"""Two standard deviations of a normalised feature, either way, fill the range from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class ConcatenateConfig:
    """Settings of ``Concatenate``."""

    eyes: int = 2
    image_channels: int = 3

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        require_front(self, eyes=(1, 2))

    @property
    def out_channels(self) -> int:
        """Channels of what comes out."""
        return self.eyes * self.image_channels


class Concatenate(nn.Module):
    """The eyes' channels side by side: the left eye's, then the right eye's. In [0, 1]."""

    def __init__(self, config: ConcatenateConfig) -> None:
        """There is nothing to learn."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes

    def forward(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch 1 time out_channel height width"]:
        """Return the channels of all eyes."""
        frames = frames_of_eyes(clips, self.config)
        return clips_of_frames(torch.cat(list(frames), dim=1), len(clips))


@dataclass(frozen=True, kw_only=True)
class SumDifferenceConfig:
    """Settings of ``SumDifference``."""

    eyes: int = 2
    image_channels: int = 3
    width: int | None = 12
    """Filters of the convolution that the eyes share; None takes the pixels themselves."""
    kernel_px: int = 5
    """Height and width of a filter; odd."""
    stride_px: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        require_front(self, eyes=(2,))
        if self.width is not None and self.width < 1:
            raise ValueError(f"expected a width of at least 1, or None, got {self.width}")
        if self.kernel_px < 1 or self.kernel_px % 2 == 0 or self.stride_px < 1:
            raise ValueError(
                f"expected an odd kernel and a stride of at least 1, got {self.kernel_px} and "
                f"{self.stride_px}"
            )

    @property
    def out_channels(self) -> int:
        """Channels of what comes out."""
        return 2 * (self.image_channels if self.width is None else self.width)


class SumDifference(nn.Module):
    """Ocular sum and difference, the channels that decorrelate two eyes.

    The eyes' signals are about equally strong and alike, so their sum and difference are
    uncorrelated (Li & Atick 1994, Network 5:157). Of pixels, in [0, 1]: ``(L + R) / 2`` and
    ``(L - R + 1) / 2``. Of a shared convolution (siamese) with zero-mean filters: ``(L + R)`` and
    ``(L - R)`` over the root of 2, each normalised within its frame, halfway between 0 and 1 where
    the feature is 0.
    """

    def __init__(self, config: SumDifferenceConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.conv = self.norm = None
        if config.width is not None:
            self.conv = siamese_conv(config.image_channels, config.width, config.kernel_px)
            self.norm = FrameNorm(2 * config.width, 2)

    def forward(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch 1 time out_channel rows columns"]:
        """Return all sums, then all differences."""
        left, right = frames_of_eyes(clips, self.config)
        if self.conv is None or self.norm is None:
            joined = torch.cat([left + right, left - right + 1], dim=1) / 2
            stride = self.config.stride_px
            return clips_of_frames(joined[..., ::stride, ::stride], len(clips))
        seen = centred_conv(self.conv, torch.cat([left, right]), self.config.stride_px)
        left, right = seen.chunk(2)
        joined = torch.cat([left + right, left - right], dim=1) / math.sqrt(2)
        return clips_of_frames(normed(self.norm, joined), len(clips))


def siamese_conv(in_channels: int, width: int, kernel_px: int) -> nn.Conv2d:
    """Return a convolution without bias; a norm is expected to follow."""
    conv = nn.Conv2d(in_channels, width, kernel_px, padding=kernel_px // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
    return conv


def centred_conv(
    conv: nn.Conv2d, frames: Float[Tensor, "frame channel height width"], stride: int = 1
) -> Float[Tensor, "frame width_ rows columns"]:
    """Return the answers of filters whose mean was taken off, beyond the frame's edge as at it."""
    weight = conv.weight.to(frames.dtype)
    centred = weight - weight.mean(dim=(1, 2, 3), keepdim=True)
    half = conv.weight.shape[-1] // 2
    padded = F.pad(frames, (half, half, half, half), mode="replicate")
    return F.conv2d(padded, centred, stride=stride).to(frames.dtype)


def normed(
    norm: FrameNorm, frames: Float[Tensor, "frame channel rows columns"]
) -> Float[Tensor, "frame channel rows columns"]:
    """Return features normalised within each frame and moved to about [0, 1]."""
    return 0.5 + NORMED_GAIN * norm(frames.unsqueeze(2)).squeeze(2)
