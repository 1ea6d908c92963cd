"""A recurrent encoder with horizontal connections: one hGRU between convolutions on each frame."""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..causal_layers import CausalConv3d, FrameNorm
from ..clip_checks import check_clips_for, check_eyes, check_groups, check_positive
from ..encoder import Features
from ..eye_fusion import EyeFusion, Stereo
from .hgru import HGRU, HGRUCell


@dataclass(frozen=True, kw_only=True)
class HGRUNetConfig:
    """The shape of an ``HGRUNet``; the default has 0.05 M parameters."""

    eyes: int = 2
    """1 or 2."""
    image_channels: int = 3
    """Channels of a frame: 3 for RGB, 1 for grey."""
    stereo: Stereo = "siamese"
    """How two eyes meet in the first layer."""
    width: int = 16
    """Channels of the first layer and of the hGRU."""
    stem_px: int = 7
    """Height and width of the first filters."""
    stem_stride: int = 4
    """Image pixels for each step on the hGRU's map."""
    kernel: int = 9
    """Height and width of the horizontal connections, in steps on the map."""
    shared_kernel: bool = False
    """One kernel for suppression and facilitation, as in the paper of 2018; two, as in later
    versions."""
    steps_per_frame: int = 1
    """Time steps for each frame."""
    memory_steps: float = 8.0
    """Time steps that states last at the start, up to about."""
    readout_width: int = 64
    """Channels of the convolution after the hGRU, whose stride is 2."""
    norm_groups: int = 4
    """Groups of channels that are normalised together."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_eyes(self.eyes, self.stereo)
        check_positive(
            image_channels=self.image_channels,
            stem_px=self.stem_px,
            stem_stride=self.stem_stride,
            steps_per_frame=self.steps_per_frame,
            norm_groups=self.norm_groups,
        )
        if self.kernel % 2 == 0 or self.kernel < 1:
            raise ValueError(f"expected an odd kernel, got {self.kernel}")
        if self.memory_steps <= 2:
            raise ValueError(f"expected memory_steps above 2, got {self.memory_steps}")
        check_groups(self.norm_groups, width=self.width, readout_width=self.readout_width)


def hgru_linsley2018() -> HGRUNetConfig:
    """Return the published size: 32 channels, connections over 15 x 15 steps, 8 time steps."""
    return HGRUNetConfig(width=32, stem_stride=2, kernel=15, steps_per_frame=8)


class HGRUNet(nn.Module):
    """Encoder of stereo or mono video whose memory is the state of an hGRU.

    Only the state reaches from frame to frame, and it starts at 0: a still clip has features that
    settle.
    """

    causal = True

    def __init__(self, config: HGRUNetConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        groups, width = config.norm_groups, config.width
        self.stem = EyeFusion(
            lambda inputs, outputs: CausalConv3d(
                inputs, outputs, 1, config.stem_px, config.stem_stride
            ),
            eyes=config.eyes,
            image_channels=config.image_channels,
            out_channels=width,
            stereo=config.stereo,
        )
        self.stem_norm = FrameNorm(width, groups)
        self.horizontal = HGRU(
            HGRUCell(
                width,
                kernel=config.kernel,
                shared_kernel=config.shared_kernel,
                memory_steps=config.memory_steps,
                steps=config.steps_per_frame,
                norm_groups=groups,
            )
        )
        self.readout = CausalConv3d(width, config.readout_width, 1, 3, 2)
        self.readout_norm = FrameNorm(config.readout_width, groups)

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps ``stem``, ``hgru`` and ``readout``, and the spatial mean of the last.

        Args:
            clips: values in [0, 1]; any number of frames, at least 16 pixels on each side.
        """
        check_clips_for(self.config, clips)
        stem = F.relu(self.stem_norm(self.stem(clips * 2 - 1)))
        hgru = self.horizontal(stem)
        readout = F.relu(self.readout_norm(self.readout(hgru)))
        return Features(
            maps={"stem": stem, "hgru": hgru, "readout": readout},
            pooled=readout.mean(dim=(3, 4)).transpose(1, 2),
        )
