"""Tie-averaged ranks and Spearman correlation of many maps at once.

Ranks and sums are float64 and positions int64, so maps of any size are safe. Human maps are mostly
zeros, so ties decide the result: equal values share the mean of the ranks they cover. A constant
map has no ranks to correlate; its correlation is NaN, never 0, and callers count and name it.
"""

import torch
from jaxtyping import Float, Real
from torch import Tensor

_ROWS_AT_ONCE = 32
"""Maps ranked together; bounds the working memory to a few maps of float64."""


def average_ranks(
    values: Real[Tensor, "map pixel"],
) -> Float[Tensor, "map pixel"]:
    """Return the ranks of each row, from 1, ties sharing their mean rank (float64).

    The same as ``scipy.stats.rankdata(method="average", axis=1)``. Rows must be free of NaN.
    """
    ordered, order = values.sort(dim=1)
    position = torch.arange(1, values.shape[1] + 1, device=values.device).expand_as(order)
    changes = ordered[:, 1:] != ordered[:, :-1]
    edge = torch.ones_like(order[:, :1], dtype=torch.bool)
    is_first = torch.cat([edge, changes], dim=1)
    is_last = torch.cat([changes, edge], dim=1)
    first = torch.where(is_first, position, 0).cummax(dim=1).values
    beyond = values.shape[1] + 1
    last = torch.where(is_last, position, beyond).flip(1).cummin(dim=1).values.flip(1)
    ranks = torch.empty(values.shape, dtype=torch.float64, device=values.device)
    return ranks.scatter_(1, order, (first + last).to(torch.float64) / 2)


def unit_ranks(values: Real[Tensor, "map pixel"]) -> Float[Tensor, "map pixel"]:
    """Return centred ranks of length 1, so that Spearman's rho is a dot product (float64).

    Rows that are constant or hold NaN become NaN. Worth keeping where one set of maps is compared
    with many others.
    """
    rows = [_unit_ranks_of_chunk(chunk) for chunk in values.split(_ROWS_AT_ONCE)]
    if not rows:
        return values.new_empty(values.shape, dtype=torch.float64)
    return torch.cat(rows)


def spearman(
    first: Real[Tensor, "map pixel"], second: Real[Tensor, "map pixel"]
) -> Float[Tensor, " map"]:
    """Return Spearman's rho of each row of ``first`` with the same row of ``second`` (float64).

    Equal to ``scipy.stats.spearmanr`` row by row; NaN where either row is constant or holds NaN.

    Example:
        >>> rho = spearman(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[10.0, 30.0, 20.0]]))
        >>> round(rho.item(), 6)
        0.5
    """
    return (unit_ranks(first) * unit_ranks(second)).sum(dim=1)


def spearman_matrix(
    first: Real[Tensor, "map pixel"], second: Real[Tensor, "other pixel"]
) -> Float[Tensor, "map other"]:
    """Return Spearman's rho of every row of ``first`` with every row of ``second`` (float64)."""
    return unit_ranks(first) @ unit_ranks(second).T


def _unit_ranks_of_chunk(values: Tensor) -> Tensor:
    undefined = values.isnan().any(dim=1) if values.is_floating_point() else None
    ranks = average_ranks(values)
    centred = ranks - (values.shape[1] + 1) / 2
    length = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
    # All ranks of a constant row are the mean rank exactly, so its length is exactly 0.
    unit = centred / torch.where(length > 0, length, torch.nan)
    if undefined is not None:
        unit[undefined] = torch.nan
    return unit
