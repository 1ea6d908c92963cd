"""Images and human maps brought to the size a model sees.

The published preparation (ImageNet practice, and the one behind the figures of the 29 CO3D maps):
the centre square of ``int(224 / 256 * short side)`` pixels, images resized bicubically and maps
bilinearly. Pixel centres are at half-integers, and shrinking is antialiased.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from .maps.human_maps import HumanMaps

Interpolation = Literal["bicubic", "bilinear"]
CENTRE_CROP = 224 / 256
"""Share of the short side that the published preparation keeps."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Square images and maps at a model's input size."""

    images: Float[Tensor, "image 3 size size"]
    """In [0, 1]."""
    maps: Float[Tensor, "image size size"]


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How images and maps are brought to a model's size."""

    size: int = 224
    """Side of the square result in pixels."""
    crop_share: float = CENTRE_CROP
    """Share of the short side kept by the centre crop; 1 keeps the largest square."""
    whole_image: bool = False
    """Resize the whole image instead, whatever its shape (ClickMe 1.0)."""
    interpolation: Interpolation = "bicubic"
    """Of images; maps are always resized bilinearly."""
    antialias: bool = True

    def __post_init__(self) -> None:
        """Refuse empty results."""
        if self.size < 1 or not 0 < self.crop_share <= 1:
            raise ValueError(
                f"expected a size of at least 1 and a crop share in (0, 1], got size {self.size} "
                f"and crop share {self.crop_share}; 224 and 0.875 are the published values"
            )


def prepare(human_maps: HumanMaps, size: int, *, crop_share: float = CENTRE_CROP) -> Prepared:
    """Return images in [0, 1] and maps, both cropped to the centre and resized to ``size``.

    Args:
        human_maps: Images and their maps.
        size: Side of the square result in pixels.
        crop_share: Share of the short side kept by the centre crop; 1 keeps the largest square.
    """
    return prepare_by(human_maps, Preparation(size=size, crop_share=crop_share))


def prepare_by(human_maps: HumanMaps, preparation: Preparation) -> Prepared:
    """Return images in [0, 1] and maps as a preparation wants them."""
    maps = prepare_maps(torch.from_numpy(human_maps.maps), preparation)
    return Prepared(images=prepare_images(human_maps.images, preparation), maps=maps)


def prepare_images(
    images: UInt8[np.ndarray, "image height width 3"], preparation: Preparation
) -> Float[Tensor, "image 3 size size"]:
    """Return pictures in [0, 1], cropped and resized."""
    framed = torch.from_numpy(_framed(images, preparation)).permute(0, 3, 1, 2)
    resized = _resize(framed.to(torch.float32) / 255, preparation, preparation.interpolation)
    return resized.clamp(0, 1).contiguous()


def prepare_maps(
    maps: Float[Tensor, "map height width"], preparation: Preparation
) -> Float[Tensor, "map size size"]:
    """Return maps cropped and resized as the images are."""
    framed = torch.from_numpy(_framed(maps.numpy(), preparation))[:, None]
    return _resize(framed.to(torch.float32), preparation, "bilinear")[:, 0].contiguous()


def centre_square(arrays: np.ndarray, side: int) -> np.ndarray:
    """Return the centre square of each ``[height, width, ...]`` along the first axis, as a copy."""
    top = (arrays.shape[1] - side) // 2
    left = (arrays.shape[2] - side) // 2
    return arrays[:, top : top + side, left : left + side].copy()


def _framed(arrays: np.ndarray, preparation: Preparation) -> np.ndarray:
    if preparation.whole_image:
        return arrays.copy()
    side = max(1, int(preparation.crop_share * min(arrays.shape[1:3])))
    return centre_square(arrays, side)


def _resize(pictures: Tensor, preparation: Preparation, mode: Interpolation) -> Tensor:
    size = (preparation.size, preparation.size)
    if pictures.shape[-2:] == size:
        return pictures
    return functional.interpolate(pictures, size=size, mode=mode, antialias=preparation.antialias)
