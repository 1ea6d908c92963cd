"""Sums over the ranks of a data-parallel run, so that a loss is that of the joined batch.

Every rank holds a share of the clips. A rank that takes its means with these functions gets the
value that one process would get from all clips, the same on every rank, and the mean over ranks of
the gradients is the gradient of that value. Where there is one process, or inside ``alone``, each
function returns what plain torch would.

Sums carry a gradient of any order: the gradient of a sum over ranks is a sum over ranks. All ranks
must call the same functions in the same order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

_depth = 0


@contextmanager
def alone() -> Iterator[None]:
    """Leave the other ranks out, as one rank must that measures or draws by itself."""
    global _depth  # noqa: PLW0603 - like torch.no_grad, it holds for the whole process
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1


def is_shared() -> bool:
    """Return whether other ranks hold more clips of the same batch."""
    return ranks() > 1


def ranks() -> int:
    """Return over how many ranks the batch is spread; 1 inside ``alone``."""
    return dist.get_world_size() if dist.is_initialized() and not _depth else 1


def sum_across_ranks(values: Tensor) -> Tensor:
    """Return the sum over ranks of a tensor that has the same shape on all of them."""
    return _Sum.apply(values) if is_shared() else values  # type: ignore[return-value]


def mean_across_ranks(values: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Return the mean of all numbers of all ranks, however many each has."""
    if not is_shared():
        return values.mean()
    return sum_across_ranks(values.sum()) / count_across_ranks(values.numel(), values)


def mean_of_rows(values: Float[Tensor, " rows *rest"]) -> Float[Tensor, " *rest"]:
    """Return the mean over the rows of all ranks, however many each has."""
    if not is_shared():
        return values.mean(dim=0)
    return sum_across_ranks(values.sum(dim=0)) / count_across_ranks(len(values), values)


def second_moment(values: Float[Tensor, "rows channel"]) -> Float[Tensor, "channel channel"]:
    """Return the mean outer product of the rows of all ranks."""
    rows = count_across_ranks(len(values), values)
    return sum_across_ranks(values.T @ values) / rows


def count_across_ranks(count: int, like: Tensor) -> int | Tensor:
    """Return the sum over ranks of a count; a tensor of the kind of ``like`` if there are more."""
    if not is_shared():
        return count
    return sum_across_ranks(like.new_full((), count, dtype=torch.float64)).to(like.dtype)


def gather_across_ranks(values: Float[Tensor, " rows *rest"]) -> Float[Tensor, " all_rows *rest"]:
    """Return the rows of all ranks, in the order of ranks; each must have as many.

    Gradients come back to the rank that a row is from.
    """
    return _Gather.apply(values) if is_shared() else values  # type: ignore[return-value]


class _Sum(torch.autograd.Function):
    """All-reduce whose gradient is the all-reduce of gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ANN401 - torch's context
        total = values.detach().clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ANN401
        return _Sum.apply(grads[0])  # type: ignore[return-value]


class _Gather(torch.autograd.Function):
    """All-gather along the first axis; the gradient is this rank's part of their sum."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ANN401 - torch's context
        ctx.rows = len(values)
        own = values.detach().contiguous()
        parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, own)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ANN401
        total: Tensor = _Sum.apply(grads[0])  # type: ignore[assignment]
        first = dist.get_rank() * ctx.rows
        return total[first : first + ctx.rows]
