"""A slow copy of an encoder, whose features are to be predicted."""

import copy
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..precision import at_least_float32


def slow_copy(encoder: nn.Module) -> nn.Module:
    """Return a copy that no gradient and no optimiser reaches."""
    return copy.deepcopy(encoder).requires_grad_(requires_grad=False).eval()


@torch.no_grad()
def follow_slowly(target: nn.Module, encoder: nn.Module, *, momentum: float) -> None:
    """Move a copy towards its encoder: ``target = momentum target + (1 - momentum) encoder``.

    Buffers, such as the running statistics of a batch norm, are taken as they are.
    """
    own, others = _parameters(target), _parameters(encoder)
    _check_same([*own, *target.buffers()], [*others, *encoder.buffers()])
    for mine, new in zip(own, others, strict=True):
        mine.lerp_(new, 1 - momentum)
    for mine, new in zip(target.buffers(), encoder.buffers(), strict=True):
        mine.copy_(new)


@torch.no_grad()
def lag_of(target: nn.Module, encoder: nn.Module) -> Float[Tensor, ""]:
    """Return how far a copy is behind: the length of the difference over that of the weights."""
    own, others = _parameters(target), _parameters(encoder)
    apart = [mine - new for mine, new in zip(own, others, strict=True)]
    return _length(apart) / _length(others).clamp_min(1e-12)


def _parameters(module: nn.Module) -> list[Tensor]:
    return [each.detach() for each in module.parameters()]


def _length(tensors: Iterable[Tensor]) -> Tensor:
    return torch.stack([at_least_float32(each).square().sum() for each in tensors]).sum().sqrt()


def _check_same(own: list[Tensor], others: list[Tensor]) -> None:
    here, there = [tuple(p.shape) for p in own], [tuple(p.shape) for p in others]
    if here != there:
        raise ValueError(
            f"expected the encoder that was followed from the start, with {len(here)} parameters "
            f"and buffers, got another one with {len(there)}"
        )
