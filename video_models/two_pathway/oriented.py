"""Filters that stand in four orientations."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..causal_layers import TimeConv3d


class OrientedConv3d(nn.Module):
    """A ``TimeConv3d`` with a quarter of its weights: each filter serves in four orientations.

    Outputs are ordered by orientation: the first quarter are the filters as they are, the next
    those turned by 90 degrees anticlockwise, and so on. With a stride of 1, turning a square video
    turns the answers and moves them on by a quarter.
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
        """Draw He-normal weights.

        Raises:
            ValueError: the number of outputs is no multiple of 4.
        """
        super().__init__()
        if out_channels % 4:
            raise ValueError(
                "expected a number of first filters that 4 orientations divide (8 with the two "
                f"eyes of stereo='siamese'), got {out_channels} for each eye; use another "
                "stem_width or oriented_stem=False"
            )
        self.upright = TimeConv3d(
            in_channels, out_channels // 4, temporal_kernel, size, stride, causal=causal
        )

    def forward(
        self, video: Float[Tensor, "batch channel time height width"]
    ) -> Float[Tensor, "batch out_channel time rows columns"]:
        """Return the answers of all filters in all orientations."""
        filters = self.upright.filters()
        turned = torch.cat([filters.rot90(turns, (3, 4)) for turns in range(4)])
        return self.upright.answers(video, turned)
