"""Errors of predicted frames, and the floors they stand beside."""

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..across_ranks import mean_across_ranks
from ..objective import Batch


def mse_of_pairs(
    errors: Float[Tensor, "batch eye pairs channel height width"],
    pairs: Bool[Tensor, "batch pairs"],
) -> Float[Tensor, ""]:
    """Return the mean square of errors over the valid pairs of all ranks."""
    return mean_across_ranks(errors.transpose(1, 2)[pairs].square())


def mean_image(batches: Iterable[Batch]) -> Float[Tensor, "eye channel height width"]:
    """Return the mean frame of each eye."""
    total, count = torch.zeros(()), 0
    for clips, _ in batches:
        total = total.to(clips) + clips.mean(dim=2).sum(dim=0)
        count += len(clips)
    if not count:
        raise ValueError("expected at least one batch of training clips, got none")
    return total / count


def skill_of(error: float, floor: float) -> float:
    """Return ``1 - error / floor``, or NaN where the floor makes no error."""
    return 1 - error / floor if floor > 0 else float("nan")
