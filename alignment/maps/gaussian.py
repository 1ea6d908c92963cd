"""Gaussian blur of maps, with the even kernel of Fel et al. 2022 as published."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def gaussian_kernel(sd_px: float, kernel_px: int | None = None) -> Float[Tensor, "side side"]:
    """Return a Gaussian that sums to 1.

    An even kernel has no centre: as in the published processing (serre-lab/Harmonization@ffe1c49)
    its column offsets run from ``-n/2`` to ``n/2 - 1`` and its row offsets from ``n/2 - 1`` down to
    ``-n/2``.

    Args:
        sd_px: standard deviation.
        kernel_px: side; None takes three standard deviations to each side.
    """
    if sd_px <= 0 or (kernel_px is not None and kernel_px < 1):
        raise ValueError(
            f"expected a standard deviation above 0 and a kernel of at least 1 px, got {sd_px} and "
            f"{kernel_px}"
        )
    side = 2 * math.ceil(3 * sd_px) + 1 if kernel_px is None else kernel_px
    offsets = torch.arange(side, dtype=torch.float64) - side // 2
    profile = torch.exp(-(offsets**2) / (2 * sd_px**2))
    rows = profile.flip(0) if side % 2 == 0 else profile
    kernel = torch.outer(rows, profile)
    return (kernel / kernel.sum()).to(torch.float32)


def gaussian_blur(
    maps: Float[Tensor, "map height width"], kernel: Float[Tensor, "side side"]
) -> Float[Tensor, "map height width"]:
    """Return maps correlated with a kernel, zero beyond the border, of the same size.

    Even kernels are padded by one less before than after, as TensorFlow's SAME does.
    """
    side = kernel.shape[0]
    before, after = (side - 1) // 2, side // 2
    padded = functional.pad(maps[:, None], (before, after, before, after))
    # A kernel that is a product of rows and columns is applied to one after the other.
    down, across = kernel.sum(dim=1).to(maps), kernel.sum(dim=0).to(maps)
    if torch.allclose(torch.outer(down, across), kernel.to(maps), rtol=1e-4, atol=0):
        rows = functional.conv2d(padded, down[None, None, :, None])
        return functional.conv2d(rows, across[None, None, None, :])[:, 0]
    return functional.conv2d(padded, kernel.to(maps)[None, None])[:, 0]
