"""What one eye's features look like from the other eye: moved along the row, by how near they are.

The left eye sees a point further right than the right eye does, by its disparity. So the right
eye's feature at column x is the left one's at column x + disparity, and which disparity that is
must be told from what the left eye alone sees: perspective, occlusion, and how things moved.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..precision import at_least_float32

AT_ZERO = 5.0
"""Logit that the shift of zero starts with; all others start at 0."""


class ShiftHead(nn.Module):
    """Predict the right eye's map from the left one's: a choice of shifts, and a change.

    ``right(x) = sum_s p_s(x) left(x + s) + change(x)`` with a distribution p over shifts of whole
    columns at every place (the layer of Deep3D, Xie et al. 2016, arXiv 1604.03650, on features).
    Shifts between columns are mixtures of two. It starts close to the identity.
    """

    def __init__(self, channels: int, *, largest_shift: int, width: int) -> None:
        """Draw weights from torch's random state; the last layers start at zero.

        Args:
            channels: of the maps.
            largest_shift: in columns, to either side.
            width: channels inside.
        """
        super().__init__()
        self.largest_shift = largest_shift
        reach = 2 * largest_shift + 1
        self.look = nn.Sequential(
            nn.Conv2d(channels, width, kernel_size=1),
            nn.GELU(),
            # As wide as things move, for what comes into view at a place stands that far away.
            nn.Conv2d(width, width, (3, reach), padding=(1, largest_shift)),
            nn.GELU(),
        )
        self.shift = nn.Conv2d(width, reach, kernel_size=1)
        self.change = nn.Conv2d(width, channels, kernel_size=1)
        for layer in (self.shift, self.change):
            nn.init.zeros_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            assert self.shift.bias is not None
            self.shift.bias[largest_shift] = AT_ZERO

    def forward(
        self, left: Float[Tensor, "frames channel rows columns"]
    ) -> Float[Tensor, "frames channel rows columns"]:
        """Return the right eye's map as the left one's makes expect it."""
        hidden = self.look(left)
        shares = at_least_float32(self.shift(hidden)).softmax(dim=1)
        return moved(left, shares) + self.change(hidden)

    def shares_of(
        self, left: Float[Tensor, "frames channel rows columns"]
    ) -> Float[Tensor, "frames shift rows columns"]:
        """Return how probable each shift is, from the one most to the left to the one most right.

        A shift of s says that what the right eye sees here, the left eye sees s columns further
        right: its disparity in columns.
        """
        return at_least_float32(self.shift(self.look(left))).softmax(dim=1)


def moved(
    left: Float[Tensor, "frames channel rows columns"],
    shares: Float[Tensor, "frames shift rows columns"],
) -> Float[Tensor, "frames channel rows columns"]:
    """Return ``sum_s p_s(x) left(x + s)``, with the border repeated beyond the border."""
    columns, largest = left.shape[-1], shares.shape[1] // 2
    wide = F.pad(left, (largest, largest, 0, 0), mode="replicate")
    total = torch.zeros_like(shares[:, :1] * left)
    for i in range(shares.shape[1]):
        total = total + shares[:, i : i + 1] * wide[..., i : i + columns]
    return total
