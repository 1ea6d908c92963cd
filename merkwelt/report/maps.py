"""Maps of attention and of saliency over their images."""

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex

from .blocks import ColourBar, GridCell, GridItem
from .encode import as_rgb
from .stereo import LUMA

MAP_COLOURS = "inferno"
_DIMMED = 0.72
_FADE = 0.75  # below 1, so that middle values are seen


def map_levels(values: np.ndarray) -> np.ndarray:
    """Return a map scaled for showing: 0 at its 1st percentile, 1 at its 99th, clipped.

    A constant map, which has nothing to show, becomes 0. Values that are not finite become 0.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape)
    low, high = np.percentile(values[finite], (1, 99))
    if high <= low:
        low, high = float(values[finite].min()), float(values[finite].max())
    if high <= low:
        return np.zeros(values.shape)
    levels = (np.where(finite, values, low).astype(np.float64) - low) / (high - low)
    return np.clip(levels, 0, 1)


def map_over_image(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return an image in grey with a map over it in colour, as uint8 ``[height, width, 3]``.

    The stronger the map, the more of its colour shows; where it is 0 the image is bare.

    Raises:
        ValueError: image and map differ in height or width.
    """
    picture = as_rgb(image).astype(np.float64)
    if picture.shape[:2] != values.shape:
        raise ValueError(
            f"expected a map as high and wide as its image, got map {values.shape} and image "
            f"{picture.shape[:2]}"
        )
    levels = map_levels(values)
    grey = (picture @ np.asarray(LUMA))[..., None] * _DIMMED
    hues = mpl.colormaps[MAP_COLOURS](0.25 + 0.7 * levels)[..., :3] * 255
    cover = 0.9 * (levels**_FADE)[..., None]
    return np.round(grey * (1 - cover) + hues * cover).astype(np.uint8)


def map_colour_bar() -> ColourBar:
    """Return the scale of ``map_over_image``."""
    shades = mpl.colormaps[MAP_COLOURS](0.25 + 0.7 * np.linspace(0, 1, 10))
    colours = tuple(to_hex(shade) for shade in shades)
    return ColourBar(colours=colours, ticks=((0.04, "weak"), (0.95, "strong")), unit="")


def map_item(
    title: str,
    image: np.ndarray,
    maps: dict[str, np.ndarray],
    *,
    values: dict[str, str] | None = None,
) -> GridItem:
    """Return an image and each map over it, side by side, for an ``ImageGrid``.

    Args:
        title: what the image shows.
        image: uint8 or float ``[height, width, 3]``.
        maps: name to map ``[height, width]``, in the order to show.
        values: name to the number written under that map.
    """
    texts = values or {}
    cells = [GridCell(name="image", image=image)]
    cells += [
        GridCell(name=name, image=map_over_image(image, shown), value=texts.get(name, ""))
        for name, shown in maps.items()
    ]
    return GridItem(title=title, cells=tuple(cells))
