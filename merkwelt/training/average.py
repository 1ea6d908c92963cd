"""A running average of weights beside the weights themselves (Polyak & Juditsky 1992)."""

import copy

import torch
from torch import nn


class AverageWeights:
    """Copies of encoder and objective whose trained weights are exponential moving averages.

    The share kept at step n is ``min(decay, (1 + n) / (10 + n))``, so that the first weights are
    soon forgotten. What is not trained, such as running moments, is copied as it is.
    """

    def __init__(self, encoder: nn.Module, objective: nn.Module, decay: float) -> None:
        """Start from the weights as they are."""
        self.decay = decay
        # In one go: what both share, their copies share.
        self.encoder, self.objective = copy.deepcopy((encoder, objective))
        for module in (self.encoder, self.objective):
            module.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def update(self, encoder: nn.Module, objective: nn.Module, step: int) -> None:
        """Follow the weights after a step; steps count from 0."""
        kept = min(self.decay, (1 + step) / (10 + step))
        for average, module in ((self.encoder, encoder), (self.objective, objective)):
            trained = {name for name, each in module.named_parameters() if each.requires_grad}
            now = module.state_dict()
            for name, mean in average.state_dict().items():
                if name in trained:
                    mean.lerp_(now[name], 1 - kept)
                else:
                    mean.copy_(now[name])
