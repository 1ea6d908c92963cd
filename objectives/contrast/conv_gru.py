"""A gated recurrent unit whose state is a map."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ConvGRU(nn.Module):
    """One step of a GRU at every place of a map, each by itself: kernels of 1 x 1.

    ``h' = (1 - z) h + z tanh(W [x, r h])`` with update and reset gates ``z`` and ``r`` from
    ``[x, h]`` (Ballas et al. 2016, arXiv 1511.06432). Weights start orthogonal, biases at zero, as
    in dense predictive coding (Han et al. 2019).
    """

    def __init__(self, inputs: int, state: int) -> None:
        """Draw the weights from torch's random state."""
        super().__init__()
        self.state_channels = state
        self.update = nn.Conv2d(inputs + state, state, kernel_size=1)
        self.reset = nn.Conv2d(inputs + state, state, kernel_size=1)
        self.candidate = nn.Conv2d(inputs + state, state, kernel_size=1)
        for layer in (self.update, self.reset, self.candidate):
            start_orthogonal(layer)

    def forward(
        self,
        seen: Float[Tensor, "batch input rows columns"],
        state: Float[Tensor, "batch state rows columns"],
    ) -> Float[Tensor, "batch state rows columns"]:
        """Return the next state."""
        both = torch.cat([seen, state], dim=1)
        update, reset = self.update(both).sigmoid(), self.reset(both).sigmoid()
        candidate = self.candidate(torch.cat([seen, reset * state], dim=1)).tanh()
        return torch.lerp(state, candidate, update)

    def start(
        self, seen: Float[Tensor, "batch input rows columns"]
    ) -> Float[Tensor, "batch state rows columns"]:
        """Return the state before anything was seen: zero."""
        return seen.new_zeros(seen.shape[0], self.state_channels, *seen.shape[2:])


def start_orthogonal(layer: nn.Conv2d, gain: float = 1.0) -> None:
    """Draw a layer's weights orthogonal, and set its bias to zero."""
    nn.init.orthogonal_(layer.weight, gain)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
