"""Two parallel paths that may come to differ by learning alone (Bakhtiari et al. 2021).

Bakhtiari, Mineault, Lillicrap, Pack & Richards (2021, NeurIPS): trained by contrastive prediction,
a 3D ResNet with two paths grows one like the ventral stream and one like the dorsal, and a net with
one path does not. Nothing says beforehand which path becomes which, so they are called ``path1``
and ``path2``. Written from the published description: a first layer of 5x7x7 filters in four
orientations, a pool, paths of ten bottleneck blocks whose temporal kernels alternate between 1 and
3, residuals dropped at random while training, outputs joined.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..causal_layers import FrameNorm, TimeConv3d
from ..clip_checks import check_clips_for, check_eyes, check_groups, check_positive
from ..encoder import Features
from ..eye_fusion import EyeFusion, Stereo
from .oriented import OrientedConv3d


@dataclass(frozen=True, kw_only=True)
class TwoPathwayConfig:
    """The shape of a ``TwoPathway``; the default has 0.16 M parameters."""

    eyes: int = 2
    """1 or 2."""
    image_channels: int = 3
    """Channels of a frame: 3 for RGB, 1 for grey."""
    stereo: Stereo = "siamese"
    """How two eyes meet in the first layer."""
    causal: bool = True
    """Convolutions look at the past only; if not, at as many frames before as after."""
    paths: Literal[1, 2] = 2
    stem_width: int = 16
    """Filters of the first layer, shared by the paths."""
    oriented_stem: bool = True
    """Each first filter stands in four orientations, a quarter turn apart; if not, all are free."""
    width: int = 128
    """Channels of all paths together."""
    bottleneck: int = 4
    """How many times fewer channels there are inside a block."""
    blocks: int = 10
    """Residual blocks of each path."""
    drop_share: float = 0.2
    """Share of the residuals, by clip and block, that training leaves out (drop-connect)."""
    norm_groups: int = 4
    """Groups of channels that are normalised together."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_eyes(self.eyes, self.stereo)
        if self.paths not in (1, 2):
            raise ValueError(f"expected 1 or 2 paths, got {self.paths}")
        check_positive(
            image_channels=self.image_channels,
            blocks=self.blocks,
            bottleneck=self.bottleneck,
            norm_groups=self.norm_groups,
        )
        if not 0 <= self.drop_share < 1:
            raise ValueError(f"expected a drop_share in [0, 1), got {self.drop_share}")
        inner = self.width // self.paths // self.bottleneck
        check_groups(self.norm_groups, stem_width=self.stem_width, inside_a_block=inner)
        if self.width != inner * self.paths * self.bottleneck:
            raise ValueError(
                f"expected a width that paths times bottleneck ({self.paths} x {self.bottleneck}) "
                f"divides, got {self.width}"
            )


class TwoPathway(nn.Module):
    """Encoder of stereo or mono video with one or two paths after a shared first layer.

    A still clip has constant features, unless residuals are dropped: while training.
    """

    def __init__(self, config: TwoPathwayConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.causal = config.causal
        self.stem = EyeFusion(
            self._first_layer,
            eyes=config.eyes,
            image_channels=config.image_channels,
            out_channels=config.stem_width,
            stereo=config.stereo,
        )
        self.stem_norm = FrameNorm(config.stem_width, config.norm_groups)
        self.paths = nn.ModuleList(self._path() for _ in range(config.paths))

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps ``stem``, ``path1`` (and ``path2``) and ``joined``, pooled from the last.

        Args:
            clips: values in [0, 1]; any number of frames, at least 16 pixels on each side.
        """
        check_clips_for(self.config, clips)
        hidden = F.relu(self.stem_norm(self.stem(clips * 2 - 1)))
        hidden = F.max_pool3d(hidden, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        paths = {f"path{i + 1}": path(hidden) for i, path in enumerate(self.paths)}
        joined = torch.cat(list(paths.values()), dim=1)
        pooled = joined.mean(dim=(3, 4)).transpose(1, 2)
        return Features(maps={"stem": hidden, **paths, "joined": joined}, pooled=pooled)

    def _first_layer(self, inputs: int, outputs: int) -> nn.Module:
        kind = OrientedConv3d if self.config.oriented_stem else TimeConv3d
        return kind(inputs, outputs, 5, 7, 2, causal=self.config.causal)

    def _path(self) -> nn.Sequential:
        config = self.config
        width = config.width // config.paths
        return nn.Sequential(
            *(
                BottleneckBlock(
                    width if block else config.stem_width,
                    width,
                    inner=width // config.bottleneck,
                    temporal_kernel=1 if block % 2 == 0 else 3,
                    config=config,
                )
                for block in range(config.blocks)
            )
        )


class BottleneckBlock(nn.Module):
    """Three convolutions over few channels beside a shortcut (He et al. 2016).

    The first is 1x1 and the second 3x3 in space; both span ``temporal_kernel`` frames.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        inner: int,
        temporal_kernel: int,
        config: TwoPathwayConfig,
    ) -> None:
        """Draw the weights; the shortcut has some only where the width changes."""
        super().__init__()
        causal, groups = config.causal, config.norm_groups
        self.drop_share = config.drop_share
        self.residual = nn.Sequential(
            TimeConv3d(in_channels, inner, temporal_kernel, 1, 1, causal=causal),
            FrameNorm(inner, groups),
            nn.ReLU(),
            TimeConv3d(inner, inner, temporal_kernel, 3, 1, causal=causal),
            FrameNorm(inner, groups),
            nn.ReLU(),
            TimeConv3d(inner, out_channels, 1, 1, 1, causal=causal),
            FrameNorm(out_channels, groups),
        )
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = TimeConv3d(in_channels, out_channels, 1, 1, 1, causal=causal)

    def forward(
        self, video: Float[Tensor, "batch channel time height width"]
    ) -> Float[Tensor, "batch out_channel time height width"]:
        """Return the rectified sum of shortcut and residual."""
        residual = self.residual(video)
        if self.training and self.drop_share:
            residual = drop_clips(residual, self.drop_share)
        return F.relu(self.shortcut(video) + residual)


def drop_clips(
    residual: Float[Tensor, "batch channel time height width"], share: float
) -> Float[Tensor, "batch channel time height width"]:
    """Return a residual that is 0 for a random share of the clips, and scaled up for the others.

    Its expectation is the residual (Huang et al. 2016, stochastic depth). Draws from torch's
    current random state.
    """
    kept = torch.rand(len(residual), 1, 1, 1, 1, device=residual.device) >= share
    return residual * kept.to(residual.dtype) / (1 - share)
