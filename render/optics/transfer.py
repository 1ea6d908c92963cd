"""Between the numbers of a picture and the light that they stand for (sRGB, IEC 61966-2-1)."""

import torch
from torch import Tensor

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Luminance of linear red, green and blue (ITU-R BT.709, the primaries of sRGB)."""


def light_from_srgb(colour: Tensor) -> Tensor:
    """Return linear light in [0, 1] of sRGB values in [0, 1], of any shape."""
    return torch.where(
        colour <= 0.04045, colour / 12.92, ((colour.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    )


def srgb_from_light(light: Tensor) -> Tensor:
    """Return the sRGB values in [0, 1] of linear light in [0, 1], of any shape."""
    return torch.where(
        light <= 0.0031308, light * 12.92, 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    )


def luminance(light: Tensor) -> Tensor:
    """Return the luminance ``[...]`` of linear light ``[..., 3]``."""
    return light @ torch.tensor(LUMINANCE, dtype=light.dtype, device=light.device)
