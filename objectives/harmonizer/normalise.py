"""Maps brought to a common scale before they are compared."""

import torch
from jaxtyping import Float
from torch import Tensor

PEAK_EPSILON = 1e-6
_PIXELS = (-2, -1)


def standardise_cut(
    maps: Float[Tensor, "map height width"], *, epsilon: float = 1e-5, unbiased: bool = False
) -> Float[Tensor, "map height width"]:
    """Return ``relu((h - mean) / (std + epsilon))`` over the pixels of each map.

    A constant map gives zeros, and no gradient (the reference gives NaN there).
    """
    mean = maps.mean(dim=_PIXELS, keepdim=True)
    variance = maps.var(dim=_PIXELS, keepdim=True, correction=int(unbiased))
    varies = variance > 0
    std = torch.where(varies, torch.where(varies, variance, 1).sqrt(), 0)
    return torch.relu((maps - mean) / (std + epsilon))


def scale_to_peak(
    maps: Float[Tensor, "map height width"],
    saliency: Float[Tensor, "map height width"],
    *,
    detach: bool = True,
) -> Float[Tensor, "map height width"]:
    """Return ``h / (max h + 1e-6) * (max s + 1e-6)``, with no gradient to s if ``detach``."""
    peak = saliency.amax(dim=_PIXELS, keepdim=True)
    peak = peak.detach() if detach else peak
    own = maps.amax(dim=_PIXELS, keepdim=True)
    return maps / (own + PEAK_EPSILON) * (peak + PEAK_EPSILON)


def min_max(maps: Float[Tensor, "map height width"]) -> Float[Tensor, "map height width"]:
    """Return ``(h - min) / (max - min)``; zeros where a map is constant."""
    low = maps.amin(dim=_PIXELS, keepdim=True)
    span = maps.amax(dim=_PIXELS, keepdim=True) - low
    return (maps - low) / torch.where(span > 0, span, 1)
