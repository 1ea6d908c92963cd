"""A correlation volume: features of both eyes, compared at every horizontal shift."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..causal_layers import FrameNorm
from .front import clips_of_frames, frames_of_eyes, require_front
from .pixels import centred_conv, normed, siamese_conv
from .pooling import pool, windowed

NEAR_ZERO = 1e-6
"""Mean square of features below which nothing is told apart from nothing."""


@dataclass(frozen=True, kw_only=True)
class CorrelationVolumeConfig:
    """Settings of ``CorrelationVolume``."""

    eyes: int = 2
    image_channels: int = 3
    farthest_px: int = -2
    """Smallest disparity ``x_left - x_right`` that is tried."""
    nearest_px: int = 6
    """Largest disparity that is tried."""
    width: int = 16
    """Filters that the eyes share; they are learned."""
    kernel_px: int = 5
    """Height and width of a filter; odd."""
    window_px: int = 3
    """Side of the square whose features are compared together; odd."""
    pool_px: int = 2
    """Side of the squares that are averaged at the end; the stride of what comes out."""

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        require_front(self, eyes=(2,))
        if self.farthest_px > self.nearest_px:
            raise ValueError(
                f"expected farthest_px of at most nearest_px, got {self.farthest_px} and "
                f"{self.nearest_px}"
            )
        for name in ("kernel_px", "window_px"):
            if getattr(self, name) < 1 or getattr(self, name) % 2 == 0:
                raise ValueError(f"expected an odd {name}, got {getattr(self, name)}")
        if self.width < 1 or self.pool_px < 1:
            raise ValueError(f"expected width and pool_px of at least 1, got {self}")

    @property
    def disparities_px(self) -> tuple[int, ...]:
        """All disparities that are tried."""
        return tuple(range(self.farthest_px, self.nearest_px + 1))

    @property
    def out_channels(self) -> int:
        """Channels of what comes out."""
        return len(self.disparities_px) + self.width


class CorrelationVolume(nn.Module):
    """Normalised correlation of the eyes' features at each shift, and the left eye's features.

    Features come from one layer of zero-mean filters that the eyes share. A correlation is their
    inner product over channels and a window, over the norms of both: in [-1, 1], given as
    ``(1 + correlation) / 2``. Where the other eye's place lies outside its picture nothing
    correlates and one half is given. (Correlation layers: Dosovitskiy et al. 2015, arXiv
    1504.06852.)

    Channels: disparities from far to near, then the left features.
    """

    def __init__(self, config: CorrelationVolumeConfig) -> None:
        """Draw the filters from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.conv = siamese_conv(config.image_channels, config.width, config.kernel_px)
        self.norm = FrameNorm(config.width, 1)

    def forward(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch 1 time out_channel rows columns"]:
        """Return correlations and left features."""
        left, right = self._features(clips)
        correlations = (1 + self.correlations(left, right)) / 2
        joined = torch.cat([correlations, normed(self.norm, left)], dim=1)
        return clips_of_frames(pool(joined, self.config.pool_px), len(clips))

    def tuning(
        self,
        clips: Float[Tensor, "batch eye time channel height width"],
        *,
        window: int = 3,
    ) -> Float[Tensor, "batch time disparity rows columns"]:
        """Return the correlation at each disparity, averaged over a square of places.

        Args:
            clips: values in [0, 1].
            window: side of the square; odd.
        """
        correlations = self.correlations(*self._features(clips))
        pooled = windowed(pool(correlations, self.config.pool_px), window)
        return pooled.unflatten(0, (len(clips), -1))

    def correlations(
        self,
        left: Float[Tensor, "frame feature height width"],
        right: Float[Tensor, "frame feature height width"],
    ) -> Float[Tensor, "frame disparity height width"]:
        """Return normalised correlations of features, at each place of the left eye's picture."""
        disparities = self.config.disparities_px
        beyond_px, width = max(abs(each) for each in disparities), left.shape[-1]
        wide = F.pad(right, (beyond_px, beyond_px))
        starts = [beyond_px - each for each in disparities]
        left_power = self._window(left.square().mean(dim=1))
        right_power = wide.square().mean(dim=1)
        volume = []
        for start in starts:
            there = slice(start, start + width)
            product = self._window((left * wide[..., there]).mean(dim=1))
            powers = left_power * self._window(right_power[..., there])
            volume.append(product * (powers + NEAR_ZERO**2).rsqrt())
        return torch.stack(volume, dim=1)

    def _features(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        left, right = frames_of_eyes(clips, self.config)
        seen = centred_conv(self.conv, torch.cat([left, right]))
        left, right = seen.chunk(2)
        return left, right

    def _window(self, values: Float[Tensor, "frame height width"]) -> Tensor:
        side = self.config.window_px
        return F.avg_pool2d(values.unsqueeze(1), side, stride=1, padding=side // 2).squeeze(1)
