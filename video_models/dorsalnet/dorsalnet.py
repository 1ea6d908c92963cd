"""DorsalNet: a small 3D ResNet that learned self-motion as the primate dorsal pathway may.

Mineault, Bakhtiari, Richards & Pack 2021 (NeurIPS, "Your head is there to move you around"). What
is known of it: grey input scaled as ``(x - 123) / 75``, a first convolution of 5 x 7 x 7, residual
blocks, 32 channels at the end, .055 M parameters, of which .020 M are left if the first filters are
tied by symmetry, and 3.1 GFLOP for 10 frames of 112 px. The number of filters, their fourfold
symmetry and the blocks' widths were chosen to meet these three figures (55,136 and 19,856
parameters, 3.1 GFLOP if grey is filtered in three copies). The authors' code was not used, and
their weights do not fit.
"""

from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..clip_checks import check_clips_for
from ..encoder import Features
from .blocks import Bottleneck, TimePadding, make_norm
from .retina import SymmetricConv3d, planes_of

GREY_MEAN, GREY_STD = 123 / 255, 75 / 255


@dataclass(frozen=True, kw_only=True)
class DorsalNetConfig:
    """The shape of a ``DorsalNet``; the default is the published one, with two eyes."""

    eyes: int = 2
    """1 or 2. The first filters see both; the published network had one."""
    image_channels: int = 3
    """Channels of a frame: 3 for RGB, which is made grey, 1 for grey, or those of a front end,
    which are all filtered."""
    filters: int = 64
    """Of the first convolution; divisible by 4 if they are symmetric."""
    symmetric: bool = True
    """Tie the first filters in fours: each with its mirror images left to right, top to bottom and
    both. With two eyes, the mirror left to right exchanges them."""
    channels: int = 32
    """Of the residual blocks."""
    inner: int = 8
    """Inside the residual blocks."""
    blocks: int = 3
    """How many; the first halves the size of the map."""
    causal: bool = False
    """Look at earlier frames only. The published network looks as far ahead as back."""
    norm: Literal["batch", "frame"] = "batch"
    """Batch normalisation as published, or of every frame by itself, which depends on no other clip
    of the batch and is the same in training and after."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        if self.eyes not in (1, 2):
            raise ValueError(f"expected eyes to be 1 or 2, got {self.eyes}")
        counts = (self.image_channels, self.filters, self.channels, self.inner, self.blocks)
        if min(counts) < 1:
            raise ValueError(f"expected only positive numbers, got {self}")
        if self.symmetric and self.filters % 4:
            raise ValueError(
                f"expected filters divisible by 4, their mirror images, got {self.filters}; or "
                "symmetric=False"
            )
        if self.norm not in ("batch", "frame"):
            raise ValueError(f"expected norm 'batch' or 'frame', got {self.norm!r}")


class DorsalNet(nn.Module):
    """A 3D ResNet with maps ``conv1`` (stride 2) and ``res1``, ``res2``, ... (stride 4).

    As published it is not causal in time: each layer sees as many later frames as earlier ones.
    Beyond the clip's ends it sees the first or last frame again, so a still clip has no transients.
    """

    def __init__(self, config: DorsalNetConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.causal = config.causal
        self.pad = TimePadding(frames=4, causal=config.causal)
        self.conv1 = SymmetricConv3d(
            config.image_channels,
            filters=config.filters,
            eyes=config.eyes,
            symmetric=config.symmetric,
        )
        self.norm1 = make_norm(config.norm, config.filters)
        self.blocks = nn.ModuleList(
            Bottleneck(
                config.channels if i else config.filters,
                config.channels,
                inner=config.inner,
                stride=1 if i else 2,
                causal=config.causal,
                norm=config.norm,
            )
            for i in range(config.blocks)
        )

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps and the spatial mean of the last.

        Args:
            clips: values in [0, 1]; any number of frames, at least 16 pixels on each side.
        """
        check_clips_for(self.config, clips)
        seen = (planes_of(clips) - GREY_MEAN) / GREY_STD
        hidden = F.relu(self.norm1(self.conv1(self.pad(seen))))
        maps = {"conv1": hidden}
        for i, block in enumerate(self.blocks):
            hidden = block(hidden)
            maps[f"res{i + 1}"] = hidden
        return Features(maps=maps, pooled=hidden.mean(dim=(3, 4)).transpose(1, 2))
