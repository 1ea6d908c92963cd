"""Images and human maps brought to the size a model sees.

The published preparation (ImageNet practice, and the one behind the figures of the 29 CO3D maps):
the centre square of ``int(224 / 256 * short side)`` pixels, images resized bicubically and maps
bilinearly. Pixel centres are at half-integers, and shrinking is antialiased.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from .maps.human_maps import HumanMaps

CENTRE_CROP = 224 / 256
"""Share of the short side that the published preparation keeps."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Square images and maps at a model's input size."""

    images: Float[Tensor, "image 3 size size"]
    """In [0, 1]."""
    maps: Float[Tensor, "image size size"]


def prepare(human_maps: HumanMaps, size: int, *, crop_share: float = CENTRE_CROP) -> Prepared:
    """Return images in [0, 1] and maps, both cropped to the centre and resized to ``size``.

    Args:
        human_maps: Images and their maps.
        size: Side of the square result in pixels.
        crop_share: Share of the short side kept by the centre crop; 1 keeps the largest square.
    """
    if size < 1 or not 0 < crop_share <= 1:
        raise ValueError(
            f"expected a size of at least 1 and a crop share in (0, 1], got size {size} and "
            f"crop share {crop_share}; 224 and 0.875 are the published values"
        )
    side = max(1, int(crop_share * min(human_maps.maps.shape[1:])))
    images = torch.from_numpy(centre_square(human_maps.images, side)).permute(0, 3, 1, 2)
    maps = torch.from_numpy(centre_square(human_maps.maps, side))[:, None]
    images = _resize(images.to(torch.float32) / 255, size, "bicubic").clamp(0, 1)
    maps = _resize(maps.to(torch.float32), size, "bilinear")[:, 0]
    return Prepared(images=images.contiguous(), maps=maps.contiguous())


def centre_square(arrays: np.ndarray, side: int) -> np.ndarray:
    """Return the centre square of each ``[height, width, ...]`` along the first axis, as a copy."""
    top = (arrays.shape[1] - side) // 2
    left = (arrays.shape[2] - side) // 2
    return arrays[:, top : top + side, left : left + side].copy()


def _resize(pictures: Tensor, size: int, mode: str) -> Tensor:
    if pictures.shape[-2:] == (size, size):
        return pictures
    return functional.interpolate(pictures, size=(size, size), mode=mode, antialias=True)
