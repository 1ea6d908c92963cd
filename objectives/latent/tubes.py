"""Blocks of the image that are blanked through the whole clip."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

BLANK = 0.5
"""What blanked pixels are: middle grey."""
MOST_ELONGATED = 1.5
"""Blocks are up to so many times as high as wide, or as wide as high."""


def draw_tubes(
    batch: int,
    rows: int,
    columns: int,
    *,
    blocks: int,
    share: float,
    generator: torch.Generator | None = None,
) -> Bool[Tensor, "batch rows columns"]:
    """Return which places of a map are hidden in each clip, for its whole length.

    The union of ``blocks`` rectangles, each of about ``share`` of the map and at least one place,
    of any place and an aspect between 2:3 and 3:2 (V-JEPA, Bardes et al. 2024, arXiv 2404.08471,
    hides blocks of 15 % and of 70 %). Hidden through time, because otherwise a place is told from
    its neighbours in time. At least one place of each clip stays visible.

    Args:
        batch: clips.
        rows: of the map.
        columns: of the map.
        blocks: rectangles in each clip; they may overlap.
        share: of the map that a rectangle covers.
        generator: random numbers of the CPU; None takes torch's current state.
    """
    drawn = torch.rand(3, batch, blocks, generator=generator)
    aspect = MOST_ELONGATED ** (2 * drawn[0] - 1)
    inside = [
        _interval(size, (size * (share * ratio) ** 0.5), where)
        for size, ratio, where in ((rows, aspect, drawn[1]), (columns, 1 / aspect, drawn[2]))
    ]
    hidden = (inside[0][..., :, None] & inside[1][..., None, :]).any(dim=1)
    full = hidden.flatten(1).all(dim=1)
    hidden[full, 0, 0] = False
    return hidden


def blank(
    clips: Float[Tensor, "batch eye time channel height width"],
    hidden: Bool[Tensor, "batch rows columns"],
) -> Float[Tensor, "batch eye time channel height width"]:
    """Return clips with the pixels of hidden places grey, in all eyes, frames and channels."""
    size = clips.shape[-2:]
    pixels = F.interpolate(hidden.unsqueeze(1).to(clips.dtype), size=size, mode="nearest-exact")
    return torch.where(pixels.view(-1, 1, 1, 1, *size) > 0, BLANK, clips)


def _interval(size: int, length: Tensor, where: Tensor) -> Tensor:
    """Return bool ``[.., size]``: what lies in an interval of some length at a place in [0, 1)."""
    length = length.round().clamp(1, size)
    first = (where * (size - length + 1)).floor()
    index = torch.arange(size)
    return (index >= first.unsqueeze(-1)) & (index < (first + length).unsqueeze(-1))
