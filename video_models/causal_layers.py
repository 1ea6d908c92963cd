"""Layers of networks that are causal in time: what they say of a frame never uses a later one."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class TimeConv3d(nn.Module):
    """A 3D convolution with one output frame for each input frame.

    Time is padded by repeating the first frame, and the last one if the layer is not causal: a
    still clip has constant features. Each filter's mean is taken off, as in weight
    standardisation (Qiao et al. 2019, arXiv 1903.10520). Otherwise filters learn to answer the
    mean of their rectified inputs, the norm after them divides by that constant answer, and deep
    features hardly depend on the video.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        temporal_kernel: int,
        size: int,
        stride: int,
        *,
        causal: bool,
    ) -> None:
        """Draw He-normal weights; a norm with its own bias is expected to follow."""
        super().__init__()
        others = temporal_kernel - 1
        self.past_frames = others if causal else others - others // 2
        self.future_frames = others - self.past_frames
        self.conv = nn.Conv3d(
            in_channels,
            out_channels,
            kernel_size=(temporal_kernel, size, size),
            stride=(1, stride, stride),
            padding=(0, size // 2, size // 2),
            bias=False,
        )
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(
        self, video: Float[Tensor, "batch channel time height width"]
    ) -> Float[Tensor, "batch out_channel time rows columns"]:
        """Return one output frame for each input frame."""
        return self.answers(video, self.filters())

    def filters(self) -> Float[Tensor, "filter in_channel lag rows columns"]:
        """Return the filters without their means."""
        weight = self.conv.weight
        return weight - weight.mean(dim=(1, 2, 3, 4), keepdim=True)

    def answers(
        self,
        video: Float[Tensor, "batch channel time height width"],
        filters: Float[Tensor, "filter channel lag size size"],
    ) -> Float[Tensor, "batch filter time rows columns"]:
        """Return what any filters of this layer's size answer, one frame for each."""
        video = repeat_ends(video, self.past_frames, self.future_frames)
        return F.conv3d(video, filters, stride=self.conv.stride, padding=self.conv.padding)


class CausalConv3d(TimeConv3d):
    """A ``TimeConv3d`` that sees the current frame and those before it."""

    def __init__(
        self, in_channels: int, out_channels: int, temporal_kernel: int, size: int, stride: int
    ) -> None:
        """Draw He-normal weights; a norm with its own bias is expected to follow."""
        super().__init__(in_channels, out_channels, temporal_kernel, size, stride, causal=True)


class FrameNorm(nn.Module):
    """Group normalisation of every frame by itself (GroupNorm, Wu & He 2018, applied per frame).

    Statistics are taken in float32 or more.
    """

    def __init__(self, channels: int, groups: int, epsilon: float = 1e-5) -> None:
        """Start as the plain normalisation, gain 1 and bias 0."""
        super().__init__()
        self.groups = groups
        self.epsilon = epsilon
        self.gain = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(
        self, video: Float[Tensor, "batch channel time height width"]
    ) -> Float[Tensor, "batch channel time height width"]:
        """Return the video with zero mean and unit variance in each frame and channel group."""
        wide = video.to(torch.promote_types(video.dtype, torch.float32))
        grouped = wide.unflatten(1, (self.groups, -1))
        variance, mean = torch.var_mean(grouped, dim=(2, 4, 5), correction=0, keepdim=True)
        gain = self.gain.view(1, self.groups, -1, 1, 1, 1) * (variance + self.epsilon).rsqrt()
        bias = self.bias.view(1, self.groups, -1, 1, 1, 1) - mean * gain
        return torch.addcmul(bias, grouped, gain).flatten(1, 2).to(video.dtype)


def repeat_ends(
    video: Float[Tensor, "batch channel time height width"], before: int, after: int
) -> Float[Tensor, "batch channel longer height width"]:
    """Return a video with its first frame repeated before it and its last one after it."""
    first = video[:, :, :1].expand(-1, -1, before, -1, -1)
    last = video[:, :, -1:].expand(-1, -1, after, -1, -1)
    padding = [first] * (before > 0), [last] * (after > 0)
    return torch.cat([*padding[0], video, *padding[1]], dim=2) if before or after else video
