"""Random-dot stereograms of section 11 of the reference, and the numbers that go with them."""

import torch

WIDTH_PX, MARGIN_PX, HEIGHT_PX = 96, 8, 96


def random_dots(disparity_px, *, count=64, seed=0):
    """Return left and right pictures of dots +-0.5 with ``x_left - x_right = disparity_px``."""
    generator = torch.Generator().manual_seed(1000 * seed + disparity_px + 50)
    shape = (count, 1, HEIGHT_PX, WIDTH_PX + 2 * MARGIN_PX)
    base = torch.randint(0, 2, shape, generator=generator).float() - 0.5
    start = MARGIN_PX + disparity_px
    return base[..., MARGIN_PX : MARGIN_PX + WIDTH_PX], base[..., start : start + WIDTH_PX]


def as_clips(left, right):
    """Return pictures with values +-0.5 as clips of one grey frame in [0, 1]."""
    return torch.stack([left, right], dim=1).unsqueeze(2) + 0.5
