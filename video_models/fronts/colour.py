"""Grey and colour-opponent channels of pictures."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Colours = Literal["grey", "opponent"]

LUMA = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue in Rec. 709, taken on display values."""


def colour_count(colours: Colours) -> int:
    """Return the number of channels that ``colour_channels`` gives."""
    return 1 if colours == "grey" else 3


def colour_channels(
    frames: Float[Tensor, "frame channel height width"], colours: Colours
) -> Float[Tensor, "frame colour height width"]:
    """Return grey in [0, 1], and for ``opponent`` red-green and blue-yellow in [-0.5, 0.5].

    Red-green is ``(R - G) / 2`` and blue-yellow ``(B - (R + G) / 2) / 2``: axes of the display's
    primaries and not of cones.
    """
    if frames.shape[1] == 1:
        return frames
    red, green, blue = frames.unbind(1)
    grey = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    if colours == "grey":
        return grey.unsqueeze(1)
    return torch.stack([grey, (red - green) / 2, (blue - (red + green) / 2) / 2], dim=1)


def require_colours(image_channels: int, colours: Colours) -> None:
    """Refuse channels that are neither grey nor RGB, and opponency without colour."""
    allowed = (1, 3) if colours == "grey" else (3,)
    if image_channels not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise ValueError(
            f"expected {wanted} image channels for colours={colours!r}, got {image_channels}"
        )
