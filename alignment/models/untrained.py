"""A network as it was before it learned anything: the floor of what training added."""

import copy

import torch
from torch import nn


def untrained_copy(network: nn.Module, *, seed: int) -> nn.Module | None:
    """Return a copy whose weights are drawn anew, or None if some of them could not be.

    Every part that has ``reset_parameters`` is drawn anew as its own class draws it. A network that
    holds parameters elsewhere (a position embedding, a class token) would keep what it learned, so
    there is no copy of it; build the same architecture anew and give that.

    Args:
        network: Any module.
        seed: Of the new weights; torch's own random state stays as it is.
    """
    fresh = copy.deepcopy(network)
    drawn: set[int] = set()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in fresh.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
                drawn |= {id(each) for each in part.parameters(recurse=False)}
    if any(id(each) not in drawn for each in fresh.parameters()):
        return None
    return fresh
