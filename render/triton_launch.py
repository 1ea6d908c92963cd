"""Launching Triton kernels: what is launched, on which tensors, and whether it can be.

triton is an optional package, so that it is imported only when something is to be launched.
"""

# triton is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A kernel, on how many programs, with its arguments by name."""

    kernel: Any
    programs: int
    arguments: dict[str, Any]

    def __call__(self) -> None:
        """Launch it on the current stream."""
        self.kernel[(self.programs,)](**self.arguments)


def require_triton() -> None:
    """Refuse to go on where triton is not installed, and name the extra that has it."""
    try:
        import triton  # noqa: F401
    except ModuleNotFoundError as error:
        raise ImportError(
            "rendering with Triton needs triton, which CUDA builds of torch bring along; install "
            "the extra 'merkwelt[gpu]'"
        ) from error


def require_tensors(kernel: object, **given: tuple[Tensor, tuple[int, ...]]) -> None:
    """Refuse tensors that a kernel cannot take.

    Args:
        kernel: the kernel that is to take them.
        given: each one's name, with the tensor and its shape as it should be; all on the first
            one's device.

    Raises:
        ValueError: one of them has another type, shape, layout or device.
    """
    device = next(iter(given.values()))[0].device
    for name, (tensor, shape) in given.items():
        same = tensor.dtype == torch.float32 and tensor.device == device
        if tensor.shape != shape or not same or not tensor.is_contiguous():
            raise ValueError(
                f"expected {name} as contiguous float32 {list(shape)} on {device}, got "
                f"{tensor.dtype} {list(tensor.shape)} on {tensor.device}"
            )
    if device.type != "cuda" and not is_interpreted(kernel):
        raise ValueError(
            f"the Triton kernels need rays on a CUDA device, got {device}; move them there, or "
            "use backend 'compiled'"
        )


def is_interpreted(kernel: object) -> bool:
    """Return whether a kernel runs in Triton's interpreter, which takes tensors on the CPU."""
    from triton.runtime.interpreter import InterpretedFunction

    return isinstance(kernel, InterpretedFunction)


def on_device(device: torch.device) -> AbstractContextManager[Any]:
    """Make a device the current one: Triton launches there."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()
