"""What a model would predict that knows the mean alone."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from .objective import Batch


def mean_over_clips(batches: Iterable[Batch], of: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the mean over all clips of what ``of`` gives for each, its first axis the clip.

    Raises:
        ValueError: there is no batch.
    """
    total, count = torch.zeros(()), 0
    for clips, _ in batches:
        total = total.to(clips.device) + of(clips).sum(dim=0)
        count += len(clips)
    if not count:
        raise ValueError("expected at least one batch of training clips, got none")
    return total / count
