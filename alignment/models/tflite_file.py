"""The content of a ``.tflite`` file: tensors and operations, as plain data.

Field numbers are those of TensorFlow Lite's schema, version 3 (``schema.fbs``, Apache-2.0).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .flatbuffer import DamagedFile, Table, root_table

OPERATIONS = {
    0: "ADD",
    1: "AVERAGE_POOL_2D",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    22: "RESHAPE",
    25: "SOFTMAX",
    40: "MEAN",
    114: "QUANTIZE",
}
"""Codes of the operations that are understood."""
DTYPES = {0: "f4", 2: "i4", 3: "u1", 4: "i8", 9: "i1"}
"""numpy's names of TensorFlow Lite's types: float32, int32, uint8, int64, int8."""
PADDINGS = {0: "SAME", 1: "VALID"}
ACTIVATIONS = {0: None, 1: (0.0, None), 3: (0.0, 6.0)}
"""Fused activations as the range that they clamp to: none, ReLU, ReLU6."""

Clamp = tuple[float, float | None]


@dataclass(frozen=True, kw_only=True)
class QuantizedTensor:
    """A tensor: its shape, how its integers stand for numbers, and its constant content."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: np.ndarray
    """float64: one, or one per channel; empty if the tensor is not quantised."""
    zero_point: np.ndarray
    """int64, as long as ``scale``."""
    channel_axis: int
    values: np.ndarray | None
    """The integers of a constant; None for what the network computes."""

    def real(self) -> np.ndarray:
        """Return a constant's numbers ``(q - zero_point) * scale`` as float32."""
        if self.values is None:
            raise DamagedFile(f"tensor '{self.name}' has no content, and an operation needs it")
        if not len(self.scale):
            return self.values.astype(np.float32)
        along = [1] * len(self.shape)
        if len(self.scale) > 1:
            along[self.channel_axis] = -1
        shifted = self.values.astype(np.float64) - self.zero_point.reshape(along)
        return (shifted * self.scale.reshape(along)).astype(np.float32)

    @property
    def real_range(self) -> tuple[float, float] | None:
        """The least and greatest number that the integers can stand for."""
        if len(self.scale) != 1 or self.dtype not in ("u1", "i1"):
            return None
        limits = np.iinfo(self.dtype)
        low, high = (
            float((end - self.zero_point[0]) * self.scale[0]) for end in (limits.min, limits.max)
        )
        return low, high


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step of a network: an operation's name, its tensors and its options."""

    name: str
    inputs: tuple[int, ...]
    """Numbers of tensors; -1 where an optional one is missing."""
    outputs: tuple[int, ...]
    padding: str = "VALID"
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    window: tuple[int, int] = (1, 1)
    """Height and width of a pool."""
    clamp: Clamp | None = None
    """The range of the fused activation."""


@dataclass(frozen=True, kw_only=True)
class TFLiteFile:
    """A network: tensors, operations in order, and which tensors go in and come out."""

    name: str
    tensors: tuple[QuantizedTensor, ...]
    operations: tuple[Operation, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite(path: Path) -> TFLiteFile:
    """Return the content of a ``.tflite`` file; nothing in it is executed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another kind of file, a damaged one, or a network with operations that are not
            understood; names the file and what was found.
    """
    if not path.is_file():
        raise FileNotFoundError(f"expected a .tflite file at {path}, found none")
    try:
        return _network(root_table(path.read_bytes(), b"TFL3"), path.stem)
    except (DamagedFile, KeyError, IndexError) as error:
        reason = f"unknown code {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"expected a whole TensorFlow Lite file, got {path.name}: {reason}; fetch it again"
        ) from error


def _network(model: Table, name: str) -> TFLiteFile:
    graphs = model.tables(2)
    if len(graphs) != 1:
        raise DamagedFile(f"expected one graph, found {len(graphs)}")
    graph, buffers = graphs[0], model.tables(4)
    codes = [max(code.number(3, "i"), code.number(0, "b")) for code in model.tables(1)]
    tensors = tuple(_tensor(each, buffers) for each in graph.tables(0))
    operations = tuple(_operation(each, codes) for each in graph.tables(3))
    network = TFLiteFile(
        name=name,
        tensors=tensors,
        operations=operations,
        inputs=_numbers(graph, 1),
        outputs=_numbers(graph, 2),
    )
    used = [n for each in operations for n in (*each.inputs, *each.outputs)]
    if any(not -1 <= n < len(tensors) for n in (*used, *network.inputs, *network.outputs)):
        raise DamagedFile(f"an operation uses a tensor that is not among the {len(tensors)}")
    return network


def _numbers(table: Table, field: int) -> tuple[int, ...]:
    return tuple(table.array(field, "i4").tolist())


def _tensor(table: Table, buffers: list[Table]) -> QuantizedTensor:
    shape = _numbers(table, 0)
    name = table.text(3)
    code = table.number(1, "b")
    if code not in DTYPES:
        raise DamagedFile(f"tensor '{name}' has numbers of unknown type {code}")
    dtype = DTYPES[code]
    quantization = table.table(4)
    scale = np.zeros(0) if quantization is None else quantization.array(2, "f4").astype(np.float64)
    zero = np.zeros(0, np.int64) if quantization is None else quantization.array(3, "i8")
    axis = 0 if quantization is None else quantization.number(6, "i")
    if len(zero) == 0:
        zero = np.zeros(len(scale), np.int64)
    channels = shape[axis] if shape and 0 <= axis < len(shape) else 1
    if len(scale) != len(zero) or len(scale) not in (0, 1, channels):
        raise DamagedFile(
            f"tensor '{name}' of shape {shape} has {len(scale)} scales and {len(zero)} zero points"
        )
    content = buffers[table.number(2, "I")].array(0, "u1").tobytes()
    return QuantizedTensor(
        name=name,
        shape=shape,
        dtype=dtype,
        scale=scale,
        zero_point=zero,
        channel_axis=axis,
        values=_content(content, dtype, shape, name) if content else None,
    )


def _content(content: bytes, dtype: str, shape: tuple[int, ...], name: str) -> np.ndarray:
    kind = np.dtype(dtype).newbyteorder("<")
    wanted = math.prod(shape) * kind.itemsize
    if min(shape, default=1) < 0 or wanted != len(content):
        raise DamagedFile(
            f"tensor '{name}' of shape {shape} needs {wanted} bytes and has {len(content)}"
        )
    return np.frombuffer(content, kind).astype(np.dtype(dtype)).reshape(shape)


def _operation(table: Table, codes: list[int]) -> Operation:
    code = codes[table.number(0, "I")]
    if code not in OPERATIONS:
        raise DamagedFile(
            f"operation {code} is not understood; expected {', '.join(OPERATIONS.values())}"
        )
    name, options = OPERATIONS[code], table.table(4)
    inputs, outputs = _numbers(table, 1), _numbers(table, 2)
    if options is None or name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "ADD"):
        return Operation(name=name, inputs=inputs, outputs=outputs)
    if name == "ADD":
        clamp = _clamp(options.number(0, "b"))
        return Operation(name=name, inputs=inputs, outputs=outputs, clamp=clamp)
    is_conv = name != "AVERAGE_POOL_2D"
    activation = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 4, "AVERAGE_POOL_2D": 5}[name]
    return Operation(
        name=name,
        inputs=inputs,
        outputs=outputs,
        padding=PADDINGS[options.number(0, "b")],
        stride=(_positive(options, 2), _positive(options, 1)),
        dilation=(_positive(options, activation + 2), _positive(options, activation + 1))
        if is_conv
        else (1, 1),
        window=(1, 1) if is_conv else (_positive(options, 4), _positive(options, 3)),
        clamp=_clamp(options.number(activation, "b")),
    )


def _positive(options: Table, field: int) -> int:
    """Return a stride, window or dilation: 1 by default."""
    value = int(options.number(field, "i", 1))
    if not 1 <= value <= 4096:
        raise DamagedFile(f"a stride, window or dilation is {value}")
    return value


def _clamp(code: int) -> Clamp | None:
    if code not in ACTIVATIONS:
        raise DamagedFile(f"activation {code} is not understood; expected none, ReLU or ReLU6")
    return ACTIVATIONS[code]
