"""The blur of ClickMe 2.0: a flat disc, applied twice.

Source: serre-lab/human_clickme_data_processing@e6f9a76 (a disc of diameter 21 px on images whose
short side is 256, sum 1, zero padding, twice).

A disc is a stack of horizontal runs, and the sum over a run is a difference of two cumulative sums.
So 317 products for each pixel become about 30 additions.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

DISC_DIAMETER_PX = 21
DISC_IMAGE_SIZE_PX = 224
"""Side of the model input at which the disc has its published diameter (224 cropped from 256)."""
_MAPS_AT_ONCE = 4
"""Few enough that the working memory stays in the processor's cache."""


def disc_kernel(diameter_px: int) -> Float[Tensor, "diameter diameter"]:
    """Return a flat disc of odd diameter that sums to 1."""
    if diameter_px < 1 or diameter_px % 2 == 0:
        raise ValueError(f"expected an odd disc diameter of at least 1 px, got {diameter_px}")
    offset = torch.arange(diameter_px) - diameter_px // 2
    inside = offset[:, None] ** 2 + offset[None, :] ** 2 <= (diameter_px // 2) ** 2
    return inside.to(torch.float32) / inside.sum()


def disc_diameter_for(size_px: int) -> int:
    """Return the odd disc diameter that matches the published one on inputs of another size."""
    diameter = round(DISC_DIAMETER_PX * size_px / DISC_IMAGE_SIZE_PX)
    return max(1, diameter + 1 - diameter % 2)


def disc_blur_twice(
    maps: Float[Tensor, "map height width"], diameter_px: int
) -> Float[Tensor, "map height width"]:
    """Return maps blurred twice by a flat disc, zero beyond the border.

    Sums are float64, so that a pixel with nothing around it stays exactly 0 and ties with the
    others. NaN or infinity in a map spoils more of it than the disc covers.
    """
    runs = _runs(diameter_px)
    blurred = [_twice(few.to(torch.float64), runs) for few in maps.split(_MAPS_AT_ONCE)]
    return torch.cat(blurred).to(maps) if blurred else maps


def _runs(diameter_px: int) -> dict[int, list[int]]:
    """Return half the length of each horizontal run of the disc, and the rows that have it."""
    radius = diameter_px // 2
    lengths = (disc_kernel(diameter_px) > 0).sum(dim=1).tolist()
    runs: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        runs.setdefault(length // 2, []).append(row - radius)
    return runs


def _twice(maps: Tensor, runs: dict[int, list[int]]) -> Tensor:
    area = sum((2 * half + 1) * len(rows) for half, rows in runs.items())
    return _disc_sum(_disc_sum(maps, runs), runs) / area**2


def _disc_sum(maps: Tensor, runs: dict[int, list[int]]) -> Tensor:
    """Return the sum over the disc around each pixel."""
    height, width = maps.shape[-2:]
    radius = max(runs)
    upto = functional.pad(maps, (radius + 1, radius)).cumsum(dim=-1)
    total = torch.zeros_like(maps)
    for half, rows in runs.items():
        last, before = radius + 1 + half, radius - half
        along = upto[..., last : last + width] - upto[..., before : before + width]
        for row in rows:
            start, stop = max(0, -row), min(height, height - row)
            if start < stop:
                total[..., start:stop, :] += along[..., start + row : stop + row, :]
    return total
