"""A TensorFlow Lite network as a differentiable module in floating point.

Weights are de-quantised, ``(q - zero_point) * scale``; activations are not quantised at all, so
gradients exist everywhere. Quantisation may also hide an activation: where none is stated and an
output's integers can stand for no negative number, their range is the activation (ReLU6 was folded
into it), and it is clamped to.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .tflite_file import Clamp, Operation, QuantizedTensor, TFLiteFile

LARGEST_PX = 4096
"""Side of the largest input that is believed."""
_PASSED_OVER = ("RESHAPE", "SOFTMAX", "QUANTIZE", "DEQUANTIZE")
"""Nothing to do: pooled outputs are flattened at the end, and logits are wanted."""


class TFLiteNetwork(nn.Module):
    """Images ``[batch, 3, height, width]`` as the file's input expects them, to logits.

    Where the file has one output more than a round thousand, the first is its "background" and is
    left out (``offset`` says so).
    """

    def __init__(self, file: TFLiteFile) -> None:
        """Build the network.

        Raises:
            ValueError: a network that is not a chain of understood operations from one image to one
                vector, or whose weights do not fit.
        """
        super().__init__()
        if len(file.inputs) != 1 or len(file.outputs) != 1:
            raise ValueError(
                f"expected a network with one input and one output, got {file.name} with "
                f"{len(file.inputs)} and {len(file.outputs)}"
            )
        shape = file.tensors[file.inputs[0]].shape
        if (
            len(shape) != 4
            or shape[1] != shape[2]
            or not 1 <= shape[1] <= LARGEST_PX
            or shape[3] != 3
        ):
            raise ValueError(
                f"expected a network of square colour images [1, size, size, 3] of at most "
                f"{LARGEST_PX} px, got {file.name} with input {list(shape)}"
            )
        self.size = shape[1]
        outputs = file.tensors[file.outputs[0]].shape[-1]
        self.offset = int(outputs > 1 and outputs % 1000 == 1)
        self.source, self.sink = file.inputs[0], file.outputs[0]
        self.steps = nn.ModuleList(_step(each, file) for each in file.operations)

    @property
    def classes(self) -> int:
        """How many logits come out."""
        last = [step for step in self.steps if isinstance(step, _Convolution)][-1]
        return len(last.weight) - self.offset

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch classes"]:
        """Return the logits."""
        known = {self.source: images}
        for step in self.steps:
            assert isinstance(step, _Step)
            try:
                inputs = [known[number] for number in step.reads]
            except KeyError as error:
                raise ValueError(f"an operation reads tensor {error} before it is made") from error
            known[step.writes] = step(*inputs)
        return known[self.sink].flatten(1)[:, self.offset :]


class _Step(nn.Module):
    """One operation: which tensors it reads and writes, and the range that it clamps to."""

    def __init__(self, operation: Operation, clamp: Clamp | None) -> None:
        super().__init__()
        self.reads = operation.inputs[:1]
        self.writes = operation.outputs[0]
        self.clamp = clamp

    def clamped(self, values: Tensor) -> Tensor:
        return values if self.clamp is None else values.clamp(self.clamp[0], self.clamp[1])

    def forward(self, *values: Tensor) -> Tensor:
        """Pass the first of the values on."""
        return values[0]


class _Sum(_Step):
    def __init__(self, operation: Operation, clamp: Clamp | None) -> None:
        super().__init__(operation, clamp)
        self.reads = operation.inputs[:2]

    def forward(self, *values: Tensor) -> Tensor:
        """Return the sum of two maps."""
        first, second = values
        return self.clamped(first + second)


class _GlobalMean(_Step):
    def forward(self, *values: Tensor) -> Tensor:
        """Return the mean over space, which stays a map of one pixel."""
        return self.clamped(values[0].mean(dim=(-2, -1), keepdim=True))


class _Convolution(_Step):
    def __init__(
        self, operation: Operation, clamp: Clamp | None, weight: np.ndarray, bias: np.ndarray
    ) -> None:
        super().__init__(operation, clamp)
        depthwise = operation.name == "DEPTHWISE_CONV_2D"
        # OHWI, or 1HWO where each channel has its own filter, to torch's OIHW.
        order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
        self.weight = nn.Parameter(torch.from_numpy(weight.transpose(order).copy()))
        self.bias = nn.Parameter(torch.from_numpy(bias.copy()))
        self.depthwise = depthwise
        self.stride, self.dilation = operation.stride, operation.dilation
        self.same = operation.padding == "SAME"

    def forward(self, *values: Tensor) -> Tensor:
        """Return the convolution, padded as TensorFlow does, and clamped."""
        maps = values[0]
        if self.same:
            maps = same_padded(maps, self.weight.shape[-2:], self.stride, self.dilation)
        groups = maps.shape[1] if self.depthwise else 1
        return self.clamped(
            functional.conv2d(maps, self.weight, self.bias, self.stride, 0, self.dilation, groups)
        )

    def reset_parameters(self) -> None:
        """Draw weights as for a network that never learned (He et al. 2015), and no bias."""
        nn.init.kaiming_normal_(self.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(self.bias)


def same_padded(
    values: Float[Tensor, "batch channel height width"],
    kernel: tuple[int, ...] | torch.Size,
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> Float[Tensor, "batch channel padded_height padded_width"]:
    """Return maps padded with zeros as TensorFlow's SAME: half before, and what is left after."""
    pads: list[int] = []
    for side, taps, step, gap in zip(values.shape[-2:], kernel, stride, dilation, strict=True):
        reach = (taps - 1) * gap + 1
        total = max((-(-side // step) - 1) * step + reach - side, 0)
        pads = [total // 2, total - total // 2, *pads]
    return functional.pad(values, pads)


def _step(operation: Operation, file: TFLiteFile) -> _Step:
    needed = 2 if operation.name in ("ADD", "MEAN", "CONV_2D", "DEPTHWISE_CONV_2D") else 1
    ends = (*operation.inputs[:needed], *operation.outputs)
    if len(operation.inputs) < needed or len(operation.outputs) != 1 or min(ends) < 0:
        raise ValueError(
            f"expected {operation.name} in {file.name} to have {needed} inputs or more and one "
            f"output, got tensors {list(operation.inputs)} and {list(operation.outputs)}"
        )
    clamp = operation.clamp or _folded_clamp(operation, file.tensors[operation.outputs[0]])
    if operation.name == "ADD":
        return _Sum(operation, clamp)
    if operation.name in _PASSED_OVER:
        return _Step(operation, None)
    incoming = file.tensors[operation.inputs[0]]
    if operation.name == "MEAN":
        axes = file.tensors[operation.inputs[1]].values
        if axes is None or sorted(axes.flatten().tolist()) != [1, 2]:
            raise ValueError(f"expected a mean over the whole map in {file.name}, got axes {axes}")
        return _GlobalMean(operation, None)
    if operation.name == "AVERAGE_POOL_2D":
        if operation.window != incoming.shape[1:3]:
            raise ValueError(
                f"expected a pool over the whole map, got one of {operation.window} over "
                f"{incoming.shape[1:3]} in {file.name}; no other is understood"
            )
        return _GlobalMean(operation, clamp)
    return _convolution(operation, clamp, file)


def _convolution(operation: Operation, clamp: Clamp | None, file: TFLiteFile) -> _Convolution:
    incoming = file.tensors[operation.inputs[0]]
    weight = file.tensors[operation.inputs[1]].real()
    if weight.ndim != 4 or len(incoming.shape) != 4:
        raise ValueError(f"expected a filter of four axes in {file.name}, got {weight.shape}")
    depthwise = operation.name == "DEPTHWISE_CONV_2D"
    channels = weight.shape[3]
    outputs = channels if depthwise else weight.shape[0]
    fits = channels % incoming.shape[3] == 0 if depthwise else channels == incoming.shape[3]
    biases = [file.tensors[each].real() for each in operation.inputs[2:3] if each >= 0]
    bias = biases[0] if biases else np.zeros(outputs, np.float32)
    if not fits or bias.shape != (outputs,) or (depthwise and weight.shape[0] != 1):
        raise ValueError(
            f"expected filters that fit maps of {incoming.shape[3]} channels in {file.name}, got "
            f"{operation.name} with filters {weight.shape} and bias {bias.shape}"
        )
    return _Convolution(operation, clamp, weight, bias)


def _folded_clamp(operation: Operation, output: QuantizedTensor) -> Clamp | None:
    """Return the activation that was folded into the range of an output's integers, if any."""
    limits = output.real_range
    if operation.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD") or limits is None:
        return None
    return limits if limits[0] >= 0 else None
