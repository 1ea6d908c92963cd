"""Means over squares of places."""

import torch.nn.functional as F
from torch import Tensor


def pool(values: Tensor, side_px: int) -> Tensor:
    """Return means over squares of the last two axes; at the far edges over what is there."""
    if side_px == 1:
        return values
    flat = values.flatten(0, -3).unsqueeze(1)
    means = F.avg_pool2d(flat, side_px, ceil_mode=True).squeeze(1)
    return means.unflatten(0, values.shape[:-2])


def windowed(values: Tensor, side: int) -> Tensor:
    """Return means over a square around each place of the last two axes; an odd number of places.

    At the edges they are over the places that are there.
    """
    if side < 1 or side % 2 == 0:
        raise ValueError(f"expected a window of an odd number of places, got {side}")
    if side == 1:
        return values
    return F.avg_pool2d(values, side, stride=1, padding=side // 2, count_include_pad=False)
