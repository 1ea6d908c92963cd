"""Spearman's rank correlation of maps, tie-averaged, without what lies above this package."""

import torch
from jaxtyping import Float
from torch import Tensor


def spearman(
    first: Float[Tensor, "map height width"], second: Float[Tensor, "map height width"]
) -> Float[Tensor, " map"]:
    """Return Spearman's rho of each map with the map at the same place (float64).

    NaN where either is constant or not finite: then there is nothing to rank.
    """
    return (unit_ranks(first) * unit_ranks(second)).sum(dim=1)


def unit_ranks(maps: Float[Tensor, "map height width"]) -> Float[Tensor, "map pixel"]:
    """Return centred ranks of length 1, whose dot products are Spearman's rho (float64).

    Equal values share the mean of the ranks they cover.
    """
    return torch.stack([_unit_ranks(values) for values in maps.flatten(1)])


def _unit_ranks(values: Float[Tensor, " pixel"]) -> Float[Tensor, " pixel"]:
    if not bool(values.isfinite().all()):
        return torch.full_like(values, torch.nan, dtype=torch.float64)
    _, place, counts = values.unique(return_inverse=True, return_counts=True)
    ranks = (counts.cumsum(0).double() - (counts - 1) / 2)[place]
    centred = ranks - (len(values) + 1) / 2
    length = torch.linalg.vector_norm(centred)
    return centred / torch.where(length > 0, length, torch.nan)
