"""Tie-averaged ranks and Spearman correlation of many maps at once.

Ranks and sums are float64 and positions int64, so maps of any size are safe. Human maps are mostly
zeros, so ties decide the result: equal values share the mean of the ranks they cover. A constant
map has no ranks to correlate; its correlation is NaN, never 0, and callers count and name it.

On a CPU, values of up to 32 bits are sorted together with their positions as 64-bit integers, which
numpy sorts with vector instructions, one map at a time while it is in the cache: the same ranks in
a fraction of the time.
"""

import numpy as np
import torch
from jaxtyping import Float, Real
from torch import Tensor

_EXACT_IN_FLOAT32 = frozenset(
    {torch.float32, torch.float16, torch.bfloat16, torch.uint8, torch.int8, torch.int16}
)
_LEAST_KEY, _LARGEST_KEY = np.uint32(0x007FFFFF), np.uint32(0xFF800000)
"""Of the sorted bits of minus and plus infinity; beyond them is NaN only."""
_ROWS_AT_ONCE = 32
"""Maps ranked together; bounds the working memory to a few maps of float64."""


def average_ranks(
    values: Real[Tensor, "map pixel"],
) -> Float[Tensor, "map pixel"]:
    """Return the ranks of each row, from 1, ties sharing their mean rank (float64).

    The same as ``scipy.stats.rankdata(method="average", axis=1)``; NaN in rows that hold
    NaN.
    """
    # Half-integers of this size are exact, so adding back the middle rank changes nothing.
    return _centred_ranks(values) + (values.shape[1] + 1) / 2


def unit_ranks(values: Real[Tensor, "map pixel"]) -> Float[Tensor, "map pixel"]:
    """Return centred ranks of length 1, so that Spearman's rho is a dot product (float64).

    Rows that are constant or hold NaN become NaN. Worth keeping where one set of maps is compared
    with many others.
    """
    unit = torch.empty(values.shape, dtype=torch.float64, device=values.device)
    for few, into in zip(_few(values), _few(unit), strict=True):
        into.copy_(_centred_ranks(few))
        into /= _length(into)[:, None]
    return unit


def spearman(first: Real[Tensor, "_ _"], second: Real[Tensor, "_ _"]) -> Float[Tensor, " map"]:
    """Return Spearman's rho of each row of ``first`` with the same row of ``second`` (float64).

    Equal to ``scipy.stats.spearmanr`` row by row; NaN where either row is constant or holds NaN.

    Example:
        >>> rho = spearman(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[10.0, 30.0, 20.0]]))
        >>> round(rho.item(), 6)
        0.5
    """
    _check_sizes(first, second)
    pairs = zip(_few(first), _few(second), strict=True)
    return _joined([_rho(few, unit_ranks(others)) for few, others in pairs])


def spearman_with_ranked(
    values: Real[Tensor, "_ _"], ranked: Float[Tensor, "_ _"]
) -> Float[Tensor, " map"]:
    """Return Spearman's rho of each row with rows that `unit_ranks` has ranked before (float64).

    Human maps are ranked once and kept, which halves the work for every further model; they take 8
    bytes for each pixel. Few rows are in work at once, whatever the number of maps.

    Args:
        values: Maps ``[map, pixel]``.
        ranked: As many rows of unit ranks.
    """
    _check_sizes(values, ranked)
    pairs = zip(_few(values), _few(ranked), strict=True)
    return _joined([_rho(few, kept) for few, kept in pairs])


def spearman_matrix(
    first: Real[Tensor, "map pixel"], second: Real[Tensor, "other pixel"]
) -> Float[Tensor, "map other"]:
    """Return Spearman's rho of every row of ``first`` with every row of ``second`` (float64)."""
    return unit_ranks(first) @ unit_ranks(second).T


def _rho(values: Tensor, ranked: Tensor) -> Tensor:
    centred = _centred_ranks(values)
    return torch.linalg.vecdot(centred, ranked) / _length(centred)


def _length(centred: Tensor) -> Tensor:
    """Return the length of centred ranks; NaN where no correlation is defined."""
    length = torch.linalg.vector_norm(centred, dim=1)
    # All ranks of a constant row are the mean rank exactly, so its length is exactly 0.
    return length.masked_fill(length == 0, torch.nan)


def _centred_ranks(values: Tensor) -> Tensor:
    """Return the ranks of each row minus the mean rank (float64); NaN in rows that hold NaN."""
    if not _sorts_packed(values):
        return _centred_ranks_by_scan(values)
    rows = values.detach().to(torch.float32).numpy()
    ranks = np.empty(rows.shape)
    for row, into in zip(rows, ranks, strict=True):
        _rank_row(row, into)
    return torch.from_numpy(ranks)


def _sorts_packed(values: Tensor) -> bool:
    exact = values.dtype in _EXACT_IN_FLOAT32 and values.shape[1] < 2**32
    return exact and values.device.type == "cpu"


def _few(values: Tensor) -> tuple[Tensor, ...]:
    """Return rows that are worked on together: single ones where each is sorted by itself."""
    on_cpu = values.device.type == "cpu"
    return values.split(1 if on_cpu else _ROWS_AT_ONCE) if len(values) else ()


def _rank_row(values: np.ndarray, ranks: np.ndarray) -> None:
    """Write the centred ranks of float32 values; NaN if one of them is."""
    count = len(values)
    # Adding 0 makes -0 equal to 0. Bits of floats sort as integers once negative ones are flipped.
    bits = (values + np.float32(0)).view(np.int32)
    key = (bits ^ ((bits >> 31) | np.int32(-(2**31)))).view(np.uint32)
    packed = key.astype(np.uint64)
    packed <<= np.uint64(32)
    packed |= np.arange(count, dtype=np.uint64)
    packed.sort()
    key = (packed >> np.uint64(32)).astype(np.uint32)
    if count and (key[0] < _LEAST_KEY or key[-1] > _LARGEST_KEY):
        ranks[:] = np.nan
        return
    order = packed.astype(np.uint32).astype(np.int64)
    changes = np.flatnonzero(key[1:] != key[:-1]) + 1
    edges = np.concatenate([[0], changes, [count]])
    ranks[order] = np.repeat((edges[:-1] + edges[1:] - count) / 2, np.diff(edges))


def _centred_ranks_by_scan(values: Tensor) -> Tensor:
    """Return centred ranks of values of any type on any device."""
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
    ranks.scatter_(1, order, (first + last - beyond).to(torch.float64) / 2)
    if values.is_floating_point():
        ranks.masked_fill_(values.isnan().any(dim=1, keepdim=True), torch.nan)
    return ranks


def _check_sizes(first: Tensor, second: Tensor) -> None:
    if first.shape != second.shape:
        raise ValueError(
            f"expected as many maps of one size on both sides, got {tuple(first.shape)} and "
            f"{tuple(second.shape)}"
        )


def _joined(rho: list[Tensor]) -> Tensor:
    return torch.cat(rho) if rho else torch.empty(0, dtype=torch.float64)
