"""PredNet as its equations read: a convolution for each gate, and a number read back each frame.

The peer that `prednet.py` measures speed against. It takes the weights of a `PredNet` and must
give the same predictions.
"""

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from merkwelt.video_models import PredNet
from torch import Tensor, nn


class NaivePredNet(nn.Module):
    """The same network, gate by gate."""

    def __init__(self, whole: PredNet) -> None:
        """Take apart a network's weights."""
        super().__init__()
        self.eyes, self.layers = whole.eyes, nn.ModuleList()
        for name, layer in whole.layers.named_children():
            gates = whole.get_submodule(f"layers.{name}.gates")
            kernels, biases = _parts(gates, "weight"), _parts(gates, "bias")
            convs = {
                gate: _conv(kernel, bias)
                for gate, kernel, bias in zip("ifog", kernels, biases, strict=True)
            }
            convs |= {
                part: _conv(conv.weight.detach(), conv.bias.detach())
                for part, conv in layer.named_children()
                if part != "gates" and isinstance(conv, nn.Conv2d) and conv.bias is not None
            }
            self.layers.append(nn.ModuleDict(convs))

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor, list[float]]:
        """Return predictions, mean pixel errors at each frame, and the same as numbers."""
        r, c, e = self._zeros(clips)
        predictions, losses, told = [], [], []
        for frame in clips.unbind(2):
            for i in reversed(range(len(self.layers))):
                r[i], c[i] = self._lstm(i, r, c, e)
            target = frame.flatten(1, 2)
            for i in range(len(self.layers)):
                prediction = F.relu(self._run(i, "predict", r[i]))
                if i == 0:
                    prediction = torch.minimum(prediction, torch.ones_like(prediction))
                    predictions.append(prediction)
                e[i] = torch.cat([F.relu(prediction - target), F.relu(target - prediction)], dim=1)
                if i + 1 < len(self.layers):
                    target = F.max_pool2d(F.relu(self._run(i, "ascend", e[i])), 2)
            losses.append(e[0].mean())
            told.append(float(losses[-1].detach()))
        frames = torch.stack(predictions, dim=1).unflatten(2, (self.eyes, -1)).transpose(1, 2)
        return frames, torch.stack(losses), told

    def _lstm(
        self, i: int, r: list[Tensor], c: list[Tensor], e: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        parts = [r[i], e[i]]
        if i + 1 < len(self.layers):
            parts.append(F.interpolate(r[i + 1], scale_factor=2.0, mode="nearest"))
        inputs = torch.cat(parts, dim=1)
        put, keep, show = (
            (0.2 * self._run(i, gate, inputs) + 0.5).clamp(0, 1) for gate in ("i", "f", "o")
        )
        cell = keep * c[i] + put * torch.tanh(self._run(i, "g", inputs))
        return show * torch.tanh(cell), cell

    def _run(self, i: int, name: str, inputs: Tensor) -> Tensor:
        return self.get_submodule(f"layers.{i}.{name}")(inputs)

    def _zeros(self, clips: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        height, width = clips.shape[-2:]
        r, e = [], []
        for i in range(len(self.layers)):
            size = (height >> i, width >> i)
            channels = self.get_parameter(f"layers.{i}.i.weight").shape[0]
            targets = self.get_parameter(f"layers.{i}.predict.weight").shape[0]
            r.append(clips.new_zeros(len(clips), channels, *size))
            e.append(clips.new_zeros(len(clips), 2 * targets, *size))
        return r, list(r), e


def forward(network: PredNet | NaivePredNet, clips: Tensor) -> None:
    """Predict."""
    with torch.no_grad():
        network(clips)


def step(network: PredNet | NaivePredNet, clips: Tensor) -> None:
    """Learn, but for the optimiser."""
    seen = network(clips)
    error = seen[1] if isinstance(seen, tuple) else seen.layer_errors[..., 0].mean(dim=0)
    network.zero_grad()
    error[1:].mean().backward()


def seconds(work: Callable[[], None], device: str) -> float:
    """Return how long some work takes on a device."""
    start = time.perf_counter()
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _parts(gates: nn.Module, name: str) -> tuple[Tensor, ...]:
    return gates.get_parameter(name).detach().chunk(4)


def _conv(kernel: Tensor, bias: Tensor) -> nn.Conv2d:
    conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel_size=3, padding=1)
    with torch.no_grad():
        conv.weight.copy_(kernel)
        assert conv.bias is not None
        conv.bias.copy_(bias)
    return conv
