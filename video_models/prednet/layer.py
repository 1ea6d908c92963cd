"""One layer of a PredNet."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class LayerState(NamedTuple):
    """What a layer remembers from frame to frame, each ``[batch, channel, height, width]``."""

    representation: Tensor
    """``R_l``, what the layer expects."""
    cell: Tensor
    """Memory of the convolutional LSTM."""
    error: Tensor
    """``E_l``: where the last prediction was too high, then where it was too low."""


class PredNetLayer(nn.Module):
    """A convolutional LSTM, the prediction that it makes, and the way up for its errors."""

    def __init__(self, *, target: int, representation: int, above: int, next_target: int) -> None:
        """Draw weights from torch's random state.

        Args:
            target: channels of ``A_l``, which is predicted.
            representation: channels of ``R_l``.
            above: channels of ``R_l+1``; 0 at the top.
            next_target: channels of ``A_l+1``; 0 at the top.
        """
        super().__init__()
        self.target_channels, self.channels = target, representation
        inputs = representation + 2 * target + above
        # Gates i, f, o and the candidate g of all channels, from one convolution.
        self.gates = _conv(inputs, 4 * representation, parts=4)
        self.predict = _conv(representation, target)
        self.ascend = _conv(2 * target, next_target) if next_target else None

    def silent(self, like: Tensor, height: int, width: int) -> LayerState:
        """Return the state before anything was seen: zeros."""
        size = (len(like), self.channels, height, width)
        zeros = like.new_zeros(size)
        return LayerState(
            zeros, zeros, like.new_zeros(size[0], 2 * self.target_channels, *size[2:])
        )

    def expect(
        self,
        state: LayerState,
        above: Float[Tensor, "batch above rows columns"] | None,
    ) -> LayerState:
        """Return the state with a new representation, given that of the layer above."""
        inputs = [state.representation, state.error]
        if above is not None:
            inputs.append(F.interpolate(above, scale_factor=2.0, mode="nearest"))
        gates = self.gates(torch.cat(inputs, dim=1))
        share, candidate = gates.split([3 * self.channels, self.channels], dim=1)
        put, keep, show = hard_sigmoid(share).chunk(3, dim=1)
        cell = keep * state.cell + put * torch.tanh(candidate)
        return LayerState(show * torch.tanh(cell), cell, state.error)

    def prediction(self, state: LayerState) -> Float[Tensor, "batch target height width"]:
        """Return ``Ahat_l``, which is never negative."""
        return F.relu(self.predict(state.representation))

    def target_above(
        self, error: Float[Tensor, "batch error height width"]
    ) -> Float[Tensor, "batch target rows columns"]:
        """Return ``A_l+1``: the errors, filtered, rectified and halved in size."""
        assert self.ascend is not None
        return F.max_pool2d(F.relu(self.ascend(error)), 2)


def hard_sigmoid(x: Tensor) -> Tensor:
    """Return ``clip(0.2 x + 0.5, 0, 1)``, Keras' hard sigmoid of the original network.

    ``torch.nn.Hardsigmoid`` has slope 1/6 instead, and no second derivative.
    """
    return (0.2 * x + 0.5).clamp(0, 1)


def signed_errors(
    prediction: Float[Tensor, "batch target height width"],
    target: Float[Tensor, "batch target height width"],
) -> Float[Tensor, "batch both height width"]:
    """Return ``[relu(prediction - target), relu(target - prediction)]``, along channels."""
    difference = prediction - target
    return F.relu(torch.cat([difference, -difference], dim=1))


def _conv(inputs: int, outputs: int, *, parts: int = 1) -> nn.Conv2d:
    """Return a 3 x 3 convolution whose ``parts`` start as convolutions of their own.

    Glorot-uniform weights and zero biases, Keras' defaults. Gates that share a convolution must not
    share its fan-out.
    """
    conv = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
    for part in conv.weight.detach().chunk(parts):
        nn.init.xavier_uniform_(part)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv
