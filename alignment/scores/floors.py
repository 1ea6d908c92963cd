"""Maps that know nothing about the model: what any alignment score must beat.

On the 29 CO3D maps a centred Gaussian scores higher than the plain gradient of any network, so no
score is printed without these beside it.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

CENTRED_GAUSSIAN = "centred Gaussian"
EDGES = "image edges"
LUMINANCE = "luminance"
OTHER_HUMAN_MAPS = "other images' human maps"
OTHER_SALIENCY = "saliency of other images"
RANDOM_NETWORK = "random-init network"

_LUMA_OF_RGB = (0.299, 0.587, 0.114)
"""Weights of R'G'B' in luma, ITU-R BT.601-7 section 2.5.1."""


def centred_gaussian(size_px: int) -> Float[Tensor, "size size"]:
    """Return a Gaussian at the image centre with a standard deviation of a third of the side."""
    offset = torch.arange(size_px, dtype=torch.float64) + 0.5 - size_px / 2
    profile = torch.exp(-(offset**2) / (2 * (size_px / 3) ** 2))
    return torch.outer(profile, profile)


def edge_energy(
    images: Float[Tensor, "image 3 height width"],
) -> Float[Tensor, "image height width"]:
    """Return absolute x plus absolute y differences of the channel mean.

    Each pixel is compared with its left and its upper neighbour; the first column and row have
    none and add nothing.
    """
    grey = images.mean(dim=1)
    energy = torch.zeros_like(grey)
    energy[:, :, 1:] += (grey[:, :, 1:] - grey[:, :, :-1]).abs()
    energy[:, 1:, :] += (grey[:, 1:, :] - grey[:, :-1, :]).abs()
    return energy


def luminance(
    images: Float[Tensor, "image 3 height width"],
) -> Float[Tensor, "image height width"]:
    """Return the luma of each pixel."""
    weights = images.new_tensor(_LUMA_OF_RGB)
    return torch.einsum("ichw,c->ihw", images, weights)


def floor_maps(
    images: Float[Tensor, "image 3 size size"],
) -> dict[str, Float[Tensor, "image size size"]]:
    """Return the maps, by name, that need no network: centre, edges, luminance."""
    centre = centred_gaussian(images.shape[-1]).to(images)
    return {
        CENTRED_GAUSSIAN: centre.expand(len(images), -1, -1),
        EDGES: edge_energy(images),
        LUMINANCE: luminance(images),
    }


def mean_over_others(pair_scores: Float[Tensor, "image image"]) -> np.ndarray:
    """Return, for each column, the mean over all other rows (float64 ``[n]``).

    Row i, column j holds the score of map i against the human map of image j, so the result is
    the score of a map that belongs to another image. NaN pairs are left out; a column with
    nothing left is NaN.
    """
    scores = pair_scores.to(torch.float64).clone()
    scores.fill_diagonal_(torch.nan)
    return torch.nanmean(scores, dim=0).cpu().numpy()
