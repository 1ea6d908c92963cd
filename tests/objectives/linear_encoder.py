"""An encoder that an independent reference can follow: 8 linear readings of each frame."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn


class LinearEncoder(nn.Module):
    """Frames of 16 pixels or more in; 8 fixed random projections of their first 4 x 4 out."""

    eyes = 1
    causal = True

    def __init__(self):
        super().__init__()
        weights = np.random.default_rng(7).normal(size=(16, 8))
        self.register_buffer("weights", torch.from_numpy(weights).float())

    def forward(self, clips):
        pooled = clips[:, 0, :, 0, :4, :4].flatten(2).to(self.weights.dtype) @ self.weights
        return SimpleNamespace(maps={"all": pooled.transpose(1, 2)[..., None, None]}, pooled=pooled)


def noisy_walks(*, clips, frames):
    """Return float64 clips whose 16 pixels mix slow walks, each of its own speed, and noise."""
    rng = np.random.default_rng(8)
    speed = np.geomspace(0.05, 1, 16)
    walks = np.cumsum(rng.normal(size=(clips, frames, 16)) * speed, axis=1)
    walks = walks / walks.std(axis=(0, 1)) + 0.1 * rng.normal(size=walks.shape)
    mixed = walks @ rng.normal(size=(16, 16))
    return torch.from_numpy(mixed.reshape(clips, 1, frames, 1, 4, 4))
