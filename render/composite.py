"""From samples along a ray to what the ray sees."""

import torch
from torch import Tensor

from ..scenes.field import Background

TINY = 1e-10


def composite(weights: Tensor, rgb: Tensor, edges: Tensor, background: Background) -> Tensor:
    """Return ``[ray, 6]`` from weights ``[ray, k]``, colours ``[ray, k, 3]`` and edges.

    The median is the middle of the interval in which the cumulated weight reaches one half, the
    last one if it never does.
    """
    middle = (edges[:, :-1] + edges[:, 1:]) / 2
    opacity = weights.sum(dim=-1)
    colour = (weights[..., None] * rgb).sum(dim=-2)
    if background == "last_sample":
        colour = colour + rgb[:, -1] * (1 - opacity)[:, None]
    elif background == "white":
        colour = colour + (1 - opacity)[:, None]
    expected = (weights * middle).sum(dim=-1) / (opacity + TINY)
    half = torch.full_like(opacity, 0.5)[:, None]
    index = torch.searchsorted(torch.cumsum(weights, dim=-1), half, side="left")
    median = middle.gather(-1, index.clamp(max=middle.shape[-1] - 1))[:, 0]
    expected = expected.clamp(middle[:, 0], middle[:, -1])
    return torch.cat(
        [colour.clamp(0, 1), torch.stack([expected, median, opacity.clamp(0, 1)], dim=-1)], dim=-1
    )
