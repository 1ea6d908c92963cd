"""Telling the true future from all other candidates of a batch.

Candidates are the features of B clips x P predicted blocks x S places, K of them, flattened in this
order, and so are the predictions: the right answer of prediction i is candidate i.
"""

from enum import IntEnum

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ..across_ranks import mean_across_ranks
from ..precision import at_least_float32


class Kind(IntEnum):
    """What a candidate is to a prediction (Han et al. 2019, section 3.3)."""

    POSITIVE = 0
    """The right answer."""
    TEMPORAL = 1
    """The same place of the same clip at another time."""
    SPATIAL = 2
    """Another place of the same clip, at any time."""
    EASY = 3
    """Another clip."""


def scores_of(
    predicted: Float[Tensor, "batch step cell channel"],
    candidates: Float[Tensor, "others step cell channel"],
) -> Float[Tensor, "prediction candidate"]:
    """Return the dot product of every prediction with every candidate, in float32 or more.

    Raw, as in dense predictive coding: no temperature, no unit length.
    """
    with torch.autocast(predicted.device.type, enabled=False):
        mine, others = at_least_float32(predicted), at_least_float32(candidates)
        return mine.flatten(0, 2) @ others.flatten(0, 2).T


def right_answers(
    batch: int, steps: int, cells: int, *, first_clip: int = 0, device: torch.device | None = None
) -> Int[Tensor, " prediction"]:
    """Return the candidate that each prediction should have chosen.

    Args:
        batch: clips that were predicted.
        steps: predicted blocks of each.
        cells: places of each block.
        first_clip: how many clips of the candidates come before them.
        device: where to put the answer.
    """
    first = first_clip * steps * cells
    return torch.arange(first, first + batch * steps * cells, device=device)


def info_nce(
    scores: Float[Tensor, "prediction candidate"], answers: Int[Tensor, " prediction"]
) -> Float[Tensor, ""]:
    """Return the cross-entropy of the right answers (van den Oord et al. 2018, eq. 4).

    ``log K`` where all candidates look the same; ``log K - loss`` is a lower bound of the
    information between context and future, in nats, so a batch cannot show more than ``log K``.
    """
    return mean_across_ranks(F.cross_entropy(scores, answers, reduction="none"))


def accuracy(
    scores: Float[Tensor, "prediction candidate"], answers: Int[Tensor, " prediction"], *, top: int
) -> Float[Tensor, ""]:
    """Return how often the right answer is among the ``top`` best scores.

    A candidate of the same score counts as better: constant features are never right.
    """
    right = scores.gather(1, answers.unsqueeze(1))
    as_good = (scores >= right).sum(dim=1) - 1
    return mean_across_ranks((as_good < top).float())


def candidate_kinds(
    batch: int, steps: int, cells: int, device: torch.device | None = None
) -> Int[Tensor, "prediction candidate"]:
    """Return the ``Kind`` of every candidate to every prediction of the same clips."""
    index = torch.arange(batch * steps * cells, device=device)
    clip, place = index // (steps * cells), index % cells
    same_clip = clip[:, None] == clip
    same_place = place[:, None] == place
    kinds = torch.full(same_clip.shape, int(Kind.EASY), device=device)
    kinds[same_clip] = int(Kind.SPATIAL)
    kinds[same_clip & same_place] = int(Kind.TEMPORAL)
    kinds.fill_diagonal_(int(Kind.POSITIVE))
    return kinds


def accuracy_among(
    scores: Float[Tensor, "prediction prediction"],
    kinds: Int[Tensor, "prediction prediction"],
    kind: Kind,
) -> Float[Tensor, ""]:
    """Return how often the right answer beats all candidates of one kind."""
    others = scores.masked_fill(kinds != int(kind), -torch.inf).amax(dim=1)
    return (scores.diagonal() > others).float().mean()
