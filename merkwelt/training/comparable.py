"""Whether frames may be compared at all: saccades and blinks may lie between all of them."""

from collections.abc import Sequence

from torch import nn

from ..objectives.objective import Batch, Truth, pairs_of_steps


def teaches(truth: Truth, objective: nn.Module) -> bool:
    """Return whether an objective finds two time steps to compare in a batch."""
    pairs = truth.get("valid_pairs")
    if pairs is None:
        return True
    return bool(pairs_of_steps(pairs, getattr(objective, "frames_per_step", 1)).any())


def comparable(batches: Sequence[Batch], which: str) -> list[Batch]:
    """Return the batches in which some frames may be compared: the others measure nothing.

    Raises:
        ValueError: there is none.
    """
    kept = [
        (clips, truth)
        for clips, truth in batches
        if "valid_pairs" not in truth or bool(truth["valid_pairs"].any())
    ]
    if batches and not kept:
        count = sum(len(clips) for clips, _ in batches)
        raise ValueError(
            f"expected {which} clips in which two neighbouring frames may be compared, found none "
            f"in {count}: a saccade or a blink lies between all of them; take more or longer "
            "clips, a higher frame rate, or no masking (--set mask_saccades=false)"
        )
    return kept
