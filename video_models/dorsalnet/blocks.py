"""Residual blocks over space and time."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..stereo_cnn import FrameNorm


class TimePadding(nn.Module):
    """Repeats the first and the last frame, or the first alone."""

    def __init__(self, *, frames: int, causal: bool) -> None:
        """Add ``frames`` frames in all: before the clip if ``causal``, else half at each end."""
        super().__init__()
        self.before = frames if causal else frames // 2
        self.after = frames - self.before

    def forward(
        self, video: Float[Tensor, "batch channel time height width"]
    ) -> Float[Tensor, "batch channel longer_time height width"]:
        """Return the longer video."""
        first = video[:, :, :1].expand(-1, -1, self.before, -1, -1)
        last = video[:, :, -1:].expand(-1, -1, self.after, -1, -1)
        return torch.cat([first, video, last], dim=2)


class Bottleneck(nn.Module):
    """A residual block (He et al. 2016): 3 x 1 x 1 over time, 1 x 3 x 3 over space, 1 x 1 x 1."""

    def __init__(  # noqa: PLR0913 - a block is just that many numbers
        self, channels_in: int, channels: int, *, inner: int, stride: int, causal: bool, norm: str
    ) -> None:
        """Draw He-normal weights."""
        super().__init__()
        self.pad = TimePadding(frames=2, causal=causal)
        self.over_time = _conv(channels_in, inner, (3, 1, 1))
        self.over_space = _conv(inner, inner, (1, 3, 3), stride=stride)
        self.widen = _conv(inner, channels, (1, 1, 1))
        self.norms = nn.ModuleList(make_norm(norm, each) for each in (inner, inner, channels))
        self.short_cut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            self.short_cut = nn.Sequential(
                _conv(channels_in, channels, (1, 1, 1), stride=stride), make_norm(norm, channels)
            )

    def forward(
        self, video: Float[Tensor, "batch channel time height width"]
    ) -> Float[Tensor, "batch out_channel time rows columns"]:
        """Return one output frame for each input frame."""
        hidden = F.relu(self.norms[0](self.over_time(self.pad(video))))
        hidden = F.relu(self.norms[1](self.over_space(hidden)))
        return F.relu(self.norms[2](self.widen(hidden)) + self.short_cut(video))


def make_norm(kind: str, channels: int) -> nn.Module:
    """Return a normalisation with gain and bias: of the batch, or of every frame by itself."""
    return nn.BatchNorm3d(channels) if kind == "batch" else FrameNorm(channels, groups=1)


def _conv(
    channels_in: int, channels: int, size: tuple[int, int, int], stride: int = 1
) -> nn.Conv3d:
    conv = nn.Conv3d(
        channels_in,
        channels,
        size,
        stride=(1, stride, stride),
        padding=(0, size[1] // 2, size[2] // 2),
        bias=False,
    )
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return conv
