"""Finding the right eye's feature among all of its row."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ..precision import at_least_float32


def row_scores(
    predicted: Float[Tensor, "batch channel step rows columns"],
    candidates: Float[Tensor, "others channel step rows columns"],
) -> Float[Tensor, "step rows prediction candidate"]:
    """Return the cosine of each prediction with every candidate, in float32 or more.

    Candidates of a place are all features of its row, at its time, in all clips. The row alone
    would not do: which column it is can be told from the border, without any content.
    """
    with torch.autocast(predicted.device.type, enabled=False):
        mine, others = _by_row(predicted), _by_row(candidates)
        return mine @ others.transpose(-1, -2)


def own_columns(
    batch: int, columns: int, *, first_clip: int = 0, device: torch.device | None = None
) -> Int[Tensor, " prediction"]:
    """Return the candidate of each prediction: its own clip and column.

    Args:
        batch: clips that were predicted.
        columns: of the map.
        first_clip: how many clips of the candidates come before them.
        device: where to put the answer.
    """
    first = first_clip * columns
    return torch.arange(first, first + batch * columns, device=device)


def hits(
    scores: Float[Tensor, "step rows prediction candidate"], answers: Int[Tensor, " prediction"]
) -> Float[Tensor, "step rows prediction"]:
    """Return 1 where the right answer has the best score, alone; else 0."""
    right = scores.gather(3, answers.view(1, 1, -1, 1).expand(*scores.shape[:3], 1))
    return ((scores >= right).sum(dim=3) == 1).float()


def _by_row(
    maps: Float[Tensor, "batch channel step rows columns"],
) -> Float[Tensor, "step rows entry channel"]:
    """Return features of unit length, those of one row and time together."""
    return F.normalize(at_least_float32(maps), dim=1).permute(2, 3, 0, 4, 1).flatten(2, 3)
