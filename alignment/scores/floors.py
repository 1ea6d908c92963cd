"""Maps that know nothing about the model: what any alignment score must beat.

On the 29 CO3D maps a centred Gaussian scores higher than the plain gradient of any network, so no
score is printed without these beside it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .metrics import AnyMetric, own_scores, pair_scores

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


def own_and_others(
    metric: AnyMetric,
    maps: Float[Tensor, "image height width"],
    targets: Float[Tensor, "image height width"],
    *,
    partners: int | None = None,
    seed: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores of each map with its own target, and of other images' maps with that target.

    Args:
        metric: The score.
        maps: One for each image.
        targets: One for each image.
        partners: Other images for each target, drawn at random; None takes all others, which needs
            all maps against all targets.
        seed: Of the draw.

    Returns:
        Both float64 ``[n]``, the second the mean over what is defined.
    """
    if partners is None:
        pairs = pair_scores(metric, maps, targets)
        return pairs.diagonal().numpy(), mean_over_others(pairs)
    others = [
        own_scores(metric, maps[other], targets).numpy()
        for other in _partners(len(maps), partners, np.random.default_rng(seed))
    ]
    own = own_scores(metric, maps, targets).numpy()
    return own, mean_of_defined(np.array(others).reshape(-1, len(maps)))


def mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is defined; NaN where nothing is."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _partners(images: int, count: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Return, ``count`` times at most, another image for each image; all differ."""
    order = generator.permutation(images)
    place = np.argsort(order)
    shifts = 1 + generator.permutation(max(0, images - 1))[:count]
    return [order[(place + shift) % images] for shift in shifts]
