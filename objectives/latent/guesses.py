"""What was predicted, beside what is true and what is known for nothing."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..across_ranks import sum_across_ranks


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """Predicted maps of some clips and steps, with their floors."""

    predicted: Float[Tensor, "entry channel rows columns"]
    target: Float[Tensor, "entry channel rows columns"]
    floor: Float[Tensor, "entry channel rows columns"]
    """What is known without learning: no change, or the mean of what is visible."""
    weight: Float[Tensor, "entry rows columns"]
    """1 where the prediction counts, else 0."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the encoder that learns has made of the clips."""

    places: Float[Tensor, "samples channel"]
    """Features of every place, step and clip, normalised over channels."""
    pooled: Float[Tensor, "steps pooled"]
    """Pooled vectors of every step and clip."""


def mean_error(
    guess: Float[Tensor, "#entry channel rows columns"],
    target: Float[Tensor, "entry channel rows columns"],
    weight: Float[Tensor, "entry rows columns"],
) -> Float[Tensor, ""]:
    """Return the mean absolute error where the weight is 1; 0 where it is 0 everywhere.

    In a data-parallel run the mean is over all ranks.
    """
    errors = (guess - target).abs().mean(dim=1) * weight
    return sum_across_ranks(errors.sum()) / sum_across_ranks(weight.sum()).clamp_min(1)


def joined(parts: list[Guesses]) -> Guesses:
    """Return all of them as one."""
    return Guesses(
        predicted=torch.cat([each.predicted for each in parts]),
        target=torch.cat([each.target for each in parts]),
        floor=torch.cat([each.floor for each in parts]),
        weight=torch.cat([each.weight for each in parts]),
    )
