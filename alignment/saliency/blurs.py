"""Blurs of saliency maps, by name.

Fel et al. (2022) compare saliency as it is; ClickMe 2.0 blurs it as it blurs clicks. Which of the
two decides more about a score than most networks do.
"""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ..blur import DISC_IMAGE_SIZE_PX, disc_blur_twice, disc_diameter_for
from ..maps.gaussian import gaussian_blur, gaussian_kernel

FEL_SIZE_PX = 64
FEL_KERNEL_PX = 10
FEL_SD_PX = 10.0

BlurName = Literal["no blur", "disc blur twice", "Gaussian of Fel 2022"]


@dataclass(frozen=True, kw_only=True)
class SaliencyGaussian:
    """One Gaussian of any width, zero beyond the border."""

    sd_px: float
    """Standard deviation in pixels of an input of 224 px; it scales with the input's side."""

    def __post_init__(self) -> None:
        """Refuse a width that blurs nothing."""
        if not self.sd_px > 0:
            raise ValueError(f"expected a standard deviation above 0 px, got {self.sd_px}")

    @property
    def name(self) -> str:
        """The blur in words."""
        return f"Gaussian blur SD {self.sd_px:g} px at {DISC_IMAGE_SIZE_PX} px"


BlurRule = BlurName | SaliencyGaussian
"""``disc blur twice`` is the disc of ClickMe 2.0, scaled with the input. ``Gaussian of Fel 2022``
is what the human maps of Fel et al. went through: 64 px, the even kernel, and back."""


def blur_name(rule: BlurRule) -> str:
    """Return the blur in words, as part of a recipe's name."""
    return rule if isinstance(rule, str) else rule.name


def blurred(
    maps: Float[Tensor, "map height width"], rule: BlurRule
) -> Float[Tensor, "map height width"]:
    """Return maps blurred by a rule; widths follow the shorter side."""
    if isinstance(rule, SaliencyGaussian):
        return _gaussian(maps, rule.sd_px * min(maps.shape[-2:]) / DISC_IMAGE_SIZE_PX)
    if rule == "disc blur twice":
        return disc_blur_twice(maps, disc_diameter_for(min(maps.shape[-2:])))
    if rule == "Gaussian of Fel 2022":
        return _gaussian_of_fel(maps)
    return maps


def _gaussian(maps: Tensor, sd_px: float) -> Tensor:
    """Return maps blurred along columns, then along rows, which is the same and far cheaper."""
    profile = gaussian_kernel(sd_px).sum(dim=0).to(maps)
    half = len(profile) // 2
    along_columns = functional.conv2d(maps[:, None], profile.view(1, 1, -1, 1), padding=(half, 0))
    return functional.conv2d(along_columns, profile.view(1, 1, 1, -1), padding=(0, half))[:, 0]


def _gaussian_of_fel(maps: Tensor) -> Tensor:
    small = _resized(maps, (FEL_SIZE_PX, FEL_SIZE_PX))
    small = gaussian_blur(small, gaussian_kernel(FEL_SD_PX, FEL_KERNEL_PX))
    return _resized(small, (maps.shape[-2], maps.shape[-1]))


def _resized(maps: Tensor, size_px: tuple[int, int]) -> Tensor:
    """Return maps resized bilinearly with half-pixel centres and no antialiasing, as published."""
    return functional.interpolate(
        maps[:, None], size=size_px, mode="bilinear", align_corners=False
    )[:, 0]
