"""Representational similarity: do maps or features order pairs of images as human maps do?

Kriegeskorte, Mur & Bandettini 2008: distances between all pairs of images, and the rank correlation
of two such sets of distances. One number for a set of images, not one for each.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .bootstrap import LEVEL, Interval, percentile_interval
from .ranks import spearman, spearman_matrix

LEAST_IMAGES = 4
_RESAMPLES = 1000


def map_distances(maps: Float[Tensor, "image height width"]) -> Float[Tensor, "image image"]:
    """Return 1 minus Spearman's rho between the maps of all pairs of images (float64)."""
    flat = maps.flatten(1)
    return 1 - spearman_matrix(flat, flat)


def feature_distances(features: Float[Tensor, "image feature"]) -> Float[Tensor, "image image"]:
    """Return 1 minus Pearson's correlation between the features of all pairs of images."""
    centred = features.to(torch.float64)
    centred = centred - centred.mean(dim=1, keepdim=True)
    length = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
    unit = centred / torch.where(length > 0, length, torch.nan)
    return 1 - unit @ unit.T


def similarity(first: Float[Tensor, "image image"], second: Float[Tensor, "image image"]) -> float:
    """Return Spearman's rho of two sets of distances over all pairs of different images.

    Images with an undefined distance to all others are left out; NaN with fewer than 4 images.
    """
    kept = np.flatnonzero(_defined(first) & _defined(second))
    return _similarity(first.cpu().numpy(), second.cpu().numpy(), kept)


def similarity_interval(
    first: Float[Tensor, "image image"],
    second: Float[Tensor, "image image"],
    generator: np.random.Generator,
    *,
    resamples: int = _RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Return `similarity` with its bootstrap interval over images.

    Images are drawn with replacement; pairs of an image with itself are left out.
    """
    kept = np.flatnonzero(_defined(first) & _defined(second))
    one, other = first.cpu().numpy(), second.cpu().numpy()
    drawn = [
        _similarity(one, other, generator.choice(kept, len(kept)))
        for _ in range(resamples if len(kept) >= LEAST_IMAGES else 0)
    ]
    mean = _similarity(one, other, kept)
    return percentile_interval(mean, np.array(drawn), count=len(kept), level=level)


def _defined(distances: Tensor) -> np.ndarray:
    """Return which images have a defined distance to themselves: those with a usable map."""
    return ~distances.diagonal().isnan().cpu().numpy()


def _similarity(first: np.ndarray, second: np.ndarray, images: np.ndarray) -> float:
    if len(images) < LEAST_IMAGES:
        return float("nan")
    rows, columns = np.triu_indices(len(images), 1)
    rows, columns = images[rows], images[columns]
    different = rows != columns
    pairs = (rows[different], columns[different])
    one, other = (torch.from_numpy(each[pairs])[None] for each in (first, second))
    return spearman(one, other).item()
