"""A 3D ResNet that may be causal in time, from small ones to the sizes of published ones.

Basic blocks of two 3x3x3 convolutions (Hara, Kataoka & Satoh 2018; Tran et al. 2018, R3D). Unlike
theirs, every frame is normalised by itself and time is never strided: features are those of one
frame, and statistics leak nothing of later ones.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..causal_layers import FrameNorm, TimeConv3d
from ..clip_checks import check_clips_for, check_eyes, check_groups, check_positive
from ..encoder import Features
from ..eye_fusion import EyeFusion, Stereo


@dataclass(frozen=True, kw_only=True)
class ResNet3DConfig:
    """The shape of a ``ResNet3D``; the default has 0.36 M parameters."""

    eyes: int = 2
    """1 or 2."""
    image_channels: int = 3
    """Channels of a frame: 3 for RGB, 1 for grey."""
    stereo: Stereo = "siamese"
    """How two eyes meet in the first layer."""
    causal: bool = True
    """Convolutions look at the past only; if not, at as many frames before as after."""
    stem_width: int = 16
    stem_px: int = 5
    """Height and width of the first filters; their stride is 2."""
    stem_frames: int = 3
    """Frames that the first filters look at."""
    stem_pool: bool = False
    """Halve the map once more after the first layer, by its maxima."""
    widths: tuple[int, ...] = (16, 32, 48, 64)
    """Channels of each stage."""
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    """Residual blocks of each stage."""
    strides: tuple[int, ...] = (1, 2, 2, 1)
    """Spatial stride of each stage."""
    temporal_kernels: tuple[int, ...] = (3, 3, 3, 3)
    """Frames that the convolutions of each stage look at; 1 makes it a 2D stage."""
    norm_groups: int = 4
    """Groups of channels that are normalised together; with an even number sums and differences of
    the eyes are never in one group."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_eyes(self.eyes, self.stereo)
        stages = {len(each) for each in (self.widths, self.blocks, self.strides)}
        if stages != {len(self.temporal_kernels)} or not self.widths:
            raise ValueError(
                "expected as many widths as blocks, strides and temporal kernels, got "
                f"{self.widths}, {self.blocks}, {self.strides} and {self.temporal_kernels}"
            )
        check_positive(
            image_channels=self.image_channels,
            stem_px=self.stem_px,
            stem_frames=self.stem_frames,
            norm_groups=self.norm_groups,
            blocks=min(self.blocks),
            strides=min(self.strides),
            temporal_kernels=min(self.temporal_kernels),
        )
        widths = {f"widths[{i}]": width for i, width in enumerate(self.widths)}
        check_groups(self.norm_groups, stem_width=self.stem_width, **widths)


def resnet3d_18() -> ResNet3DConfig:
    """Return the size of R3D-18 (33.2 M without its classifier), causal and without time strides.

    ``TorchvisionVideo`` has the original, whose features depend on later frames.
    """
    return ResNet3DConfig(
        stem_width=64,
        stem_px=7,
        widths=(64, 128, 256, 512),
        blocks=(2, 2, 2, 2),
        strides=(1, 2, 2, 2),
        norm_groups=8,
    )


def resnet2d3d_18() -> ResNet3DConfig:
    """Return the size of DPC's backbone (Han, Xie & Zisserman 2019): two 2D stages, then two 3D."""
    return ResNet3DConfig(
        stem_width=64,
        stem_px=7,
        stem_frames=1,
        stem_pool=True,
        widths=(64, 128, 256, 256),
        blocks=(2, 2, 2, 2),
        strides=(1, 2, 2, 2),
        temporal_kernels=(1, 1, 3, 3),
        norm_groups=8,
    )


class ResNet3D(nn.Module):
    """Encoder of stereo or mono video: a first layer and stages of basic residual blocks.

    A still clip has constant features.
    """

    def __init__(self, config: ResNet3DConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.causal = config.causal
        self.stem = EyeFusion(
            lambda inputs, outputs: TimeConv3d(
                inputs, outputs, config.stem_frames, config.stem_px, 2, causal=config.causal
            ),
            eyes=config.eyes,
            image_channels=config.image_channels,
            out_channels=config.stem_width,
            stereo=config.stereo,
        )
        self.stem_norm = FrameNorm(config.stem_width, config.norm_groups)
        inputs = (config.stem_width, *config.widths)
        self.stages = nn.ModuleList(self._stage(i, inputs[i]) for i in range(len(config.widths)))

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps ``stem`` and ``stage1`` on, and the spatial mean of the last.

        Args:
            clips: values in [0, 1]; any number of frames, at least 16 pixels on each side.
        """
        check_clips_for(self.config, clips)
        hidden = F.relu(self.stem_norm(self.stem(clips * 2 - 1)))
        if self.config.stem_pool:
            hidden = F.max_pool3d(hidden, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        maps = {"stem": hidden}
        for i, stage in enumerate(self.stages):
            hidden = stage(hidden)
            maps[f"stage{i + 1}"] = hidden
        return Features(maps=maps, pooled=hidden.mean(dim=(3, 4)).transpose(1, 2))

    def _stage(self, index: int, inputs: int) -> nn.Sequential:
        width, config = self.config.widths[index], self.config
        return nn.Sequential(
            *(
                BasicBlock(
                    width if block else inputs,
                    width,
                    temporal_kernel=config.temporal_kernels[index],
                    stride=1 if block else config.strides[index],
                    norm_groups=config.norm_groups,
                    causal=config.causal,
                )
                for block in range(config.blocks[index])
            )
        )


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016), every frame normalised by itself."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        temporal_kernel: int,
        stride: int,
        norm_groups: int,
        causal: bool,
    ) -> None:
        """Draw the weights; the shortcut has some only where shapes change."""
        super().__init__()
        first = TimeConv3d(in_channels, out_channels, temporal_kernel, 3, stride, causal=causal)
        second = TimeConv3d(out_channels, out_channels, temporal_kernel, 3, 1, causal=causal)
        self.residual = nn.Sequential(
            first,
            FrameNorm(out_channels, norm_groups),
            nn.ReLU(),
            second,
            FrameNorm(out_channels, norm_groups),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                TimeConv3d(in_channels, out_channels, 1, 1, stride, causal=causal),
                FrameNorm(out_channels, norm_groups),
            )

    def forward(
        self, video: Float[Tensor, "batch channel time height width"]
    ) -> Float[Tensor, "batch out_channel time rows columns"]:
        """Return the rectified sum of shortcut and residual."""
        return F.relu(self.shortcut(video) + self.residual(video))
