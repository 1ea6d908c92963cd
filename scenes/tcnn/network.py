"""The small network as tiny-cuda-nn lays it out: no biases, sizes padded to sixteen."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

PADDED_TO = 16
WIDTHS = (16, 32, 64, 128)
"""Hidden widths of the fully fused network; others are computed by another one."""


@dataclass(frozen=True, kw_only=True)
class TcnnNetworkConfig:
    """Shape of one network with ReLU between its layers."""

    inputs: int
    outputs: int
    width: int
    hidden_layers: int
    padding: float
    """Value of the inputs added to make their number a multiple of sixteen: 0 behind a grid that
    belongs to the network, 1 for a network by itself."""

    def __post_init__(self) -> None:
        """Refuse networks that are computed otherwise."""
        if self.width not in WIDTHS:
            raise ValueError(
                f"expected a tiny-cuda-nn network of width {', '.join(map(str, WIDTHS))} (fully "
                f"fused), found width {self.width}, which is not supported"
            )
        if min(self.inputs, self.outputs, self.hidden_layers) < 1:
            raise ValueError(f"expected at least one input, output and hidden layer, got {self}")

    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Return the shape ``[out, in]`` of each layer's weights, in their order."""
        hidden = [(self.width, self.width)] * (self.hidden_layers - 1)
        first, last = (self.width, padded(self.inputs)), (padded(self.outputs), self.width)
        return (first, *hidden, last)

    @property
    def parameters(self) -> int:
        """Numbers in all layers together."""
        return sum(rows * columns for rows, columns in self.shapes())

    def split(self, flat: Tensor) -> list[Tensor]:
        """Return each layer's weights from all of them one after the other, row by row."""
        sizes = [rows * columns for rows, columns in self.shapes()]
        parts = flat.split(sizes)
        return [part.view(shape) for part, shape in zip(parts, self.shapes(), strict=True)]

    def apply(self, layers: Sequence[Tensor], values: Tensor) -> Tensor:
        """Return ``[n, outputs]`` of inputs ``[n, inputs]``; no activation after the last layer."""
        added = padded(self.inputs) - self.inputs
        values = torch.cat([values, values.new_full((len(values), added), self.padding)], dim=-1)
        for layer in layers[:-1]:
            values = torch.relu_(values @ layer.T)
        return values @ layers[-1][: self.outputs].T


def padded(size: int) -> int:
    """Return a size rounded up to a multiple of sixteen."""
    return -(-size // PADDED_TO) * PADDED_TO
