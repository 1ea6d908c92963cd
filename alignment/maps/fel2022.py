"""Images and maps of ClickMe 1.0 as Fel et al. 2022 prepare them, before a model sees them."""

import torch
from torch.nn import functional

from ..prepare import Prepared
from .human_maps import HumanMaps
from .making import fel2022, finish_maps

SIZE_PX = 224


def prepare_fel2022(maps: HumanMaps) -> Prepared:
    """Return images in [0, 1] and maps at 224 px, as serre-lab/Harmonization@ffe1c49 does.

    Whole images, resized bilinearly with half-pixel centres and no antialiasing; maps brought to
    64 px, blurred once by the even Gaussian kernel (10 px, SD 10 px, zeros beyond the border), and
    brought to 224 px.

    Raises:
        ValueError: images are not square.
    """
    height, width = maps.maps.shape[1:]
    if height != width:
        raise ValueError(f"expected square images for fel2022, got {height} x {width}; resize them")
    pictures = torch.from_numpy(maps.images).permute(0, 3, 1, 2).to(torch.float32)
    images = functional.interpolate(
        pictures, size=(SIZE_PX, SIZE_PX), mode="bilinear", align_corners=False
    )
    return Prepared(
        images=(images / 255).contiguous(),
        maps=finish_maps(torch.from_numpy(maps.maps), fel2022()),
    )
