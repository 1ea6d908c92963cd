"""A small stereo 3D CNN that is causal in time: what it says of a frame never uses a later one."""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .causal_layers import CausalConv3d, FrameNorm
from .clip_checks import check_clips_for
from .encoder import Features
from .eye_fusion import sum_and_difference


@dataclass(frozen=True, kw_only=True)
class StereoCNNConfig:
    """The shape of a ``StereoCNN3D``; the default has 0.15 M parameters."""

    eyes: int = 2
    """1 or 2."""
    image_channels: int = 3
    """Channels of a frame: 3 for RGB, 1 for grey."""
    widths: tuple[int, int, int, int] = (12, 32, 48, 64)
    """Channels of the four stages. With two eyes the first stage has twice as many after fusion."""
    strides: tuple[int, int, int, int] = (2, 2, 2, 1)
    """Spatial strides of the four stages."""
    temporal_kernel: int = 3
    """Frames that each convolution looks at: the current one and those before it."""
    norm_groups: int = 4
    """Groups of channels that are normalised together."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        if self.eyes not in (1, 2):
            raise ValueError(f"expected eyes to be 1 or 2, got {self.eyes}")
        if len(self.widths) != 4 or len(self.strides) != 4:
            raise ValueError(
                f"expected four widths and four strides, got {self.widths} and {self.strides}"
            )
        if min(self.image_channels, self.temporal_kernel, self.norm_groups, *self.strides) < 1:
            raise ValueError(f"expected only positive numbers, got {self}")
        if any(width < 1 or width % self.norm_groups for width in self.widths):
            raise ValueError(
                f"expected widths divisible by norm_groups {self.norm_groups}, got {self.widths}"
            )


class StereoCNN3D(nn.Module):
    """Encoder of stereo or mono video: four causal 3D convolutions, fused after the first.

    The first convolution is shared by the eyes (siamese). Its two outputs are fused as sum and
    difference, the channels of ocular opponency (Li & Atick 1994, Network 5:157), before any
    nonlinearity. Time is padded on the left only, by repeating the first frame: a still clip has
    constant features, with no transient at its start. Normalisation is over space and groups of
    channels within one frame, for statistics that span time would leak the future.
    """

    causal = True

    def __init__(self, config: StereoCNNConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        first, *deeper = config.widths
        kernel, groups = config.temporal_kernel, config.norm_groups
        self.retina = CausalConv3d(config.image_channels, first, kernel, 5, config.strides[0])
        # Sum and difference are normalised apart, in groups of the same size as with one eye.
        self.fused_norm = FrameNorm(config.eyes * first, config.eyes * groups)
        widths = (config.eyes * first, *deeper)
        self.stages = nn.ModuleList(
            CausalConv3d(widths[i], widths[i + 1], kernel, 3, config.strides[i + 1])
            for i in range(3)
        )
        self.norms = nn.ModuleList(FrameNorm(width, groups) for width in deeper)

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps ``stage1`` to ``stage4`` and the spatial mean of the last.

        Args:
            clips: values in [0, 1]; any number of frames, at least 16 pixels on each side.
        """
        check_clips_for(self.config, clips)
        hidden = F.relu(self.fused_norm(self._fuse(clips * 2 - 1)))
        maps = {"stage1": hidden}
        for i, (stage, norm) in enumerate(zip(self.stages, self.norms, strict=True)):
            hidden = F.relu(norm(stage(hidden)))
            maps[f"stage{i + 2}"] = hidden
        return Features(maps=maps, pooled=hidden.mean(dim=(3, 4)).transpose(1, 2))

    def _fuse(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch fused time rows columns"]:
        batch = clips.shape[0]
        per_eye = self.retina(clips.flatten(0, 1).transpose(1, 2)).unflatten(0, (batch, self.eyes))
        if self.eyes == 1:
            return per_eye[:, 0]
        return sum_and_difference(per_eye)
