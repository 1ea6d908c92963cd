"""Errors of predicted frames, and the floors they stand beside."""

from collections.abc import Iterable

from jaxtyping import Bool, Float
from torch import Tensor

from ..across_ranks import mean_across_ranks
from ..mean_over_clips import mean_over_clips
from ..objective import Batch


def mse_of_pairs(
    errors: Float[Tensor, "batch eye pairs channel height width"],
    pairs: Bool[Tensor, "batch pairs"],
) -> Float[Tensor, ""]:
    """Return the mean square of errors over the valid pairs of all ranks."""
    return mean_across_ranks(errors.transpose(1, 2)[pairs].square())


def mean_image(batches: Iterable[Batch]) -> Float[Tensor, "eye channel height width"]:
    """Return the mean frame of each eye."""
    return mean_over_clips(batches, lambda clips: clips.mean(dim=2))


def skill_of(error: float, floor: float) -> float:
    """Return ``1 - error / floor``, or NaN where the floor makes no error."""
    return 1 - error / floor if floor > 0 else float("nan")
