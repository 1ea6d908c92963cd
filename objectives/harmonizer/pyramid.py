"""Maps at several scales, and the disc that ClickMe 2.0 blurs with."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from .config import Padding, PyramidKernel

BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)
DISC_SHARE = 21 / 224
"""Diameter of ClickMe 2.0's disc over the side of the network's input, cut from images of 256."""


def pyramid(
    maps: Float[Tensor, "map height width"],
    levels: int,
    *,
    kernel: PyramidKernel = "binomial",
    padding: Padding = "same",
) -> list[Float[Tensor, "map _height _width"]]:
    """Return maps at full size, half, a quarter and so on: ``levels`` of them.

    A map of one pixel stays as it is.
    """
    scales = [maps]
    for _ in range(levels - 1):
        last = scales[-1]
        if kernel == "disc":
            smaller = halve(disc_blur(last))
        else:
            smaller = binomial_step(last, padding=padding)
        scales.append(smaller)
    return scales


def binomial_step(
    maps: Float[Tensor, "map height width"], *, padding: Padding = "same"
) -> Float[Tensor, "map half_height half_width"]:
    """Return maps under the 5 x 5 binomial kernel at every second pixel, half as large (ceiling).

    With ``same``, zeros are put around as TensorFlow's SAME does: on an even size 1 before and 2
    after, on an odd size 2 and 2. PyTorch's ``padding=2`` would move even maps by one pixel.
    """
    height, width = maps.shape[-2:]
    rows, columns = (
        (same_padding(height), same_padding(width)) if padding == "same" else ((2, 2), (2, 2))
    )
    line = maps.new_tensor(BINOMIAL) / sum(BINOMIAL)
    padded = F.pad(maps, (*columns, *rows))
    weight = torch.outer(line, line)[None, None]
    return F.conv2d(padded[:, None], weight, stride=2)[:, 0]


def same_padding(size: int, *, kernel: int = 5, stride: int = 2) -> tuple[int, int]:
    """Return how many zeros TensorFlow's SAME puts before and after an axis."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def halve(maps: Float[Tensor, "map height width"]) -> Float[Tensor, "map half_height half_width"]:
    """Return means of 2 x 2 pixels; a last odd row or column is left out, one pixel stays."""
    kernel = (min(2, maps.shape[-2]), min(2, maps.shape[-1]))
    return F.avg_pool2d(maps[:, None], kernel)[:, 0]


def disc_blur(maps: Float[Tensor, "map height width"]) -> Float[Tensor, "map height width"]:
    """Return maps under a flat disc of sum 1, 21 px wide on 224 and in proportion, zeros outside.

    The diameter is odd, so the disc is centred on a pixel: it is rounded, an even one up.
    """
    radius = round(DISC_SHARE * min(maps.shape[-2:])) // 2
    if radius < 1:
        return maps
    offsets = torch.arange(-radius, radius + 1, device=maps.device)
    inside = offsets[:, None] ** 2 + offsets[None] ** 2 <= radius**2
    weight = inside.to(maps.dtype) / inside.sum()
    return F.conv2d(maps[:, None], weight[None, None], padding=radius)[:, 0]
