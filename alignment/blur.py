"""The blur of ClickMe 2.0: a flat disc, applied twice.

Source: serre-lab/human_clickme_data_processing@e6f9a76 (a disc of diameter 21 px on images whose
short side is 256, sum 1, zero padding, twice).
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

DISC_DIAMETER_PX = 21
DISC_IMAGE_SIZE_PX = 224
"""Side of the model input at which the disc has its published diameter (224 cropped from 256)."""


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
    """Return maps blurred twice by a flat disc, zero beyond the border."""
    kernel = disc_kernel(diameter_px).to(maps)[None, None]
    blurred = maps[:, None]
    for _ in range(2):
        blurred = functional.conv2d(blurred, kernel, padding=diameter_px // 2)
    return blurred[:, 0]
