"""A recurrent encoder: convolutions on each frame, and ConvGRUs that remember."""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..causal_layers import CausalConv3d, FrameNorm
from ..clip_checks import check_clips_for, check_eyes, check_groups, check_positive
from ..encoder import Features
from ..eye_fusion import EyeFusion, Stereo
from .conv_gru import ConvGRU


@dataclass(frozen=True, kw_only=True)
class ConvGRUNetConfig:
    """The shape of a ``ConvGRUNet``; the default has 0.39 M parameters."""

    eyes: int = 2
    """1 or 2."""
    image_channels: int = 3
    """Channels of a frame: 3 for RGB, 1 for grey."""
    stereo: Stereo = "siamese"
    """How two eyes meet in the first layer."""
    stem_width: int = 32
    widths: tuple[int, ...] = (48, 64)
    """Channels of each ConvGRU; a convolution with stride 2 stands before each."""
    kernel: int = 3
    """Height and width of the filters of the ConvGRUs."""
    norm_groups: int = 4
    """Groups of channels that are normalised together."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_eyes(self.eyes, self.stereo)
        check_positive(
            image_channels=self.image_channels,
            norm_groups=self.norm_groups,
            levels=len(self.widths),
        )
        if self.kernel % 2 == 0 or self.kernel < 1:
            raise ValueError(f"expected an odd kernel, got {self.kernel}")
        widths = {f"widths[{i}]": width for i, width in enumerate(self.widths)}
        check_groups(self.norm_groups, stem_width=self.stem_width, **widths)


class ConvGRUNet(nn.Module):
    """Encoder of stereo or mono video whose memory is the state of its ConvGRUs.

    Only the states reach from frame to frame, and they start at 0: a still clip has features that
    settle.
    """

    causal = True

    def __init__(self, config: ConvGRUNetConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        groups = config.norm_groups
        self.stem = EyeFusion(
            lambda inputs, outputs: CausalConv3d(inputs, outputs, 1, 5, 2),
            eyes=config.eyes,
            image_channels=config.image_channels,
            out_channels=config.stem_width,
            stereo=config.stereo,
        )
        self.stem_norm = FrameNorm(config.stem_width, groups)
        inputs = (config.stem_width, *config.widths)
        levels = range(len(config.widths))
        self.convolutions = nn.ModuleList(
            CausalConv3d(inputs[i], inputs[i + 1], 1, 3, 2) for i in levels
        )
        self.norms = nn.ModuleList(FrameNorm(width, groups) for width in config.widths)
        self.memories = nn.ModuleList(
            ConvGRU(width, width, size=config.kernel) for width in config.widths
        )

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps ``stem`` and ``gru1`` on, and the spatial mean of the last.

        Args:
            clips: values in [0, 1]; any number of frames, at least 16 pixels on each side.
        """
        check_clips_for(self.config, clips)
        hidden = F.relu(self.stem_norm(self.stem(clips * 2 - 1)))
        maps = {"stem": hidden}
        levels = zip(self.convolutions, self.norms, self.memories, strict=True)
        for i, (convolution, norm, memory) in enumerate(levels):
            hidden = memory(F.relu(norm(convolution(hidden))))
            maps[f"gru{i + 1}"] = hidden
        return Features(maps=maps, pooled=hidden.mean(dim=(3, 4)).transpose(1, 2))
