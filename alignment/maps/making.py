"""From trials to a map: count where people clicked, average over people, blur, crop.

Everything after counting is linear, so that maps of single people may be blurred once and averaged
in any groups afterwards; ceilings rest on that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor

from ..blur import DISC_DIAMETER_PX, disc_blur_twice
from .gaussian import gaussian_blur, gaussian_kernel
from .trials import Trial

LARGEST_COUNT = 255
"""Counts are bytes in the published processing, and stay at the largest."""


@dataclass(frozen=True, kw_only=True)
class DiscBlur:
    """A flat disc, twice (ClickMe 2.0)."""

    diameter_px: int = DISC_DIAMETER_PX

    def __post_init__(self) -> None:
        """Refuse discs without a middle."""
        if self.diameter_px < 1 or self.diameter_px % 2 == 0:
            raise ValueError(f"expected an odd disc of at least 1 px, got {self.diameter_px}")

    @property
    def name(self) -> str:
        """The blur in words."""
        return f"disc {self.diameter_px} px twice"


@dataclass(frozen=True, kw_only=True)
class GaussianBlur:
    """One Gaussian; an even kernel is the published one of Fel et al. 2022 (10 px, SD 10 px)."""

    sd_px: float
    kernel_px: int | None = None
    """Side of the kernel; None takes three standard deviations to each side."""

    def __post_init__(self) -> None:
        """Refuse blurs that are none."""
        if not self.sd_px > 0 or (self.kernel_px is not None and self.kernel_px < 1):
            raise ValueError(
                f"expected a standard deviation above 0 and a kernel of at least 1 px, got {self}"
            )

    @property
    def name(self) -> str:
        """The blur in words."""
        kernel = "" if self.kernel_px is None else f", kernel {self.kernel_px} px"
        return f"Gaussian SD {self.sd_px:g} px{kernel}"


Blur = DiscBlur | GaussianBlur


@dataclass(frozen=True, kw_only=True)
class MapRecipe:
    """How a map is made of trials."""

    name: str
    grid_px: int = 256
    """Side of the square grid that whole images are counted on."""
    outside: Literal["ignored", "clipped"] = "ignored"
    """What becomes of points beside the image."""
    blurred_at_px: int | None = None
    """Side to which averaged counts are resized (bilinearly) before the blur; None: the grid's."""
    blur: Blur | None = DiscBlur()
    crop_px: int | None = 224
    """Side of the centre crop of the grid; None keeps all of it."""
    size_px: int | None = None
    """Side of the finished map, if it is resized (bilinearly) at the end."""

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit into each other."""
        if self.grid_px < 1 or (self.crop_px is not None and not 1 <= self.crop_px <= self.grid_px):
            raise ValueError(
                f"expected a grid of at least 1 px and a crop within it, got a grid of "
                f"{self.grid_px} px and a crop of {self.crop_px} px"
            )
        if self.crop_px is not None and self.blurred_at_px is not None:
            raise ValueError("expected a crop of the grid, or a blur at another size, not both")

    @property
    def side_px(self) -> int:
        """Side of finished maps."""
        return self.size_px or self.crop_px or self.blurred_at_px or self.grid_px


def co3d2025(*, outside: Literal["ignored", "clipped"] = "ignored") -> MapRecipe:
    """Return the recipe of ClickMe 2.0: 256 px, disc of 21 px twice, centre crop of 224 px."""
    return MapRecipe(name="co3d2025", outside=outside)


def fel2022() -> MapRecipe:
    """Return the recipe of Fel et al. 2022: resized to 64 px, blurred there, resized to 224 px."""
    return MapRecipe(
        name="fel2022",
        blurred_at_px=64,
        blur=GaussianBlur(sd_px=10.0, kernel_px=10),
        crop_px=None,
        size_px=224,
    )


def gaussian(sd_px: float) -> MapRecipe:
    """Return the recipe of ClickMe 2.0 with a Gaussian in place of the disc."""
    return MapRecipe(name=f"gaussian{sd_px:g}", blur=GaussianBlur(sd_px=sd_px))


def count_map(
    trial: Trial, image_size_px: tuple[int, int], recipe: MapRecipe
) -> UInt8[np.ndarray, "grid grid"]:
    """Return how often each cell of the grid was clicked, 255 at most.

    Coordinates are scaled from the image to the grid and truncated, as published.
    """
    grid = recipe.grid_px
    # Division first: points on a border between cells then stay exactly there.
    cells = np.floor(trial.points_px / np.asarray(image_size_px, dtype=np.float64) * grid)
    if recipe.outside == "clipped":
        cells = cells.clip(0, grid - 1)
    inside = ((cells >= 0) & (cells < grid)).all(axis=1)
    columns, rows = cells[inside].astype(np.int64).T
    counts = np.bincount(rows * grid + columns, minlength=grid * grid)
    return counts.clip(max=LARGEST_COUNT).astype(np.uint8).reshape(grid, grid)


def subject_maps(
    trials: Sequence[Trial], image_size_px: tuple[int, int], recipe: MapRecipe
) -> Float[Tensor, "trial height width"]:
    """Return one finished map for each trial; their mean is the map of all of them (float32)."""
    if not trials:
        raise ValueError("expected at least one trial to make a map of, got none")
    counts = np.stack([count_map(trial, image_size_px, recipe) for trial in trials])
    return finish_maps(torch.from_numpy(counts).to(torch.float32), recipe)


def mean_map(
    trials: Sequence[Trial], image_size_px: tuple[int, int], recipe: MapRecipe
) -> Float[Tensor, "height width"]:
    """Return the map of several people: mean of their counts, blurred and cropped."""
    if not trials:
        raise ValueError("expected at least one trial to make a map of, got none")
    counts = np.stack([count_map(trial, image_size_px, recipe) for trial in trials])
    mean = torch.from_numpy(counts.mean(axis=0, dtype=np.float64)).to(torch.float32)
    return finish_maps(mean[None], recipe)[0]


def finish_maps(
    counts: Float[Tensor, "map grid grid"], recipe: MapRecipe
) -> Float[Tensor, "map height width"]:
    """Return counts, or averages of counts, blurred, cropped and resized."""
    maps = counts
    if recipe.blurred_at_px is not None:
        maps = _resized(maps, recipe.blurred_at_px)
    maps = _blurred(maps, recipe.blur)
    if recipe.crop_px is not None:
        maps = centre_crop(maps, recipe.crop_px)
    if recipe.size_px is not None:
        maps = _resized(maps, recipe.size_px)
    return maps


def centre_crop(
    maps: Shaped[Tensor, "map height width"], side_px: int
) -> Shaped[Tensor, "map side side"]:
    """Return the centre square of square maps."""
    start = (maps.shape[-1] - side_px) // 2
    return maps[:, start : start + side_px, start : start + side_px]


def _blurred(maps: Tensor, blur: Blur | None) -> Tensor:
    if blur is None:
        return maps
    if isinstance(blur, DiscBlur):
        return disc_blur_twice(maps, blur.diameter_px)
    return gaussian_blur(maps, gaussian_kernel(blur.sd_px, blur.kernel_px))


def _resized(maps: Tensor, side_px: int) -> Tensor:
    """Return maps resized bilinearly with half-pixel centres and no antialiasing, as published."""
    return torch.nn.functional.interpolate(
        maps[:, None], size=(side_px, side_px), mode="bilinear", align_corners=False
    )[:, 0]
