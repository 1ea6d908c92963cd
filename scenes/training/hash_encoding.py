"""nerfstudio's hash encoding on the CPU, compiled, while a block of code runs."""

# nerfstudio is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
import torch
from torch import Tensor

from .hash_kernels import FEATURES, add_position_gradient, add_table_gradient, encode


class CompiledHashEncoding(torch.autograd.Function):
    """Features ``[n, 2 * levels]`` at positions ``[n, 3]``, differentiable in both arguments."""

    @staticmethod
    def forward(ctx: Any, positions: Tensor, table: Tensor, scalings: Tensor) -> Tensor:  # noqa: ANN401
        """Return the interpolated features; ``table`` is ``[levels * size, 2]``."""
        positions, table = positions.detach().contiguous(), table.detach()
        ctx.save_for_backward(positions, table, scalings)
        encoded = torch.empty(len(positions), FEATURES * len(scalings))
        encode(
            positions.numpy(),
            scalings.numpy(),
            table.numpy(),
            len(table) // len(scalings),
            encoded.numpy(),
        )
        return encoded

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # noqa: ANN401
        """Return the gradients of positions (if asked for), table and scalings (never)."""
        positions, table, scalings = ctx.saved_tensors
        gradient = gradients[0].contiguous().numpy()
        size = len(table) // len(scalings)
        for_positions = for_table = None
        if ctx.needs_input_grad[0]:
            for_positions = torch.zeros_like(positions)
            add_position_gradient(
                positions.numpy(),
                scalings.numpy(),
                table.numpy(),
                size,
                gradient,
                for_positions.numpy(),
            )
        if ctx.needs_input_grad[1]:
            for_table = torch.zeros_like(table)
            add_table_gradient(
                positions.numpy(), scalings.numpy(), gradient, size, for_table.numpy()
            )
        return for_positions, for_table, None


def can_compile(encoding: Any, positions: Tensor) -> bool:  # noqa: ANN401 - nerfstudio's HashEncoding
    """Return whether the compiled kernels compute what this encoding does."""
    return (
        positions.device.type == "cpu"
        and positions.dtype == torch.float32
        and encoding.hash_table.device.type == "cpu"
        and encoding.hash_table.dtype == torch.float32
        and encoding.features_per_level == FEATURES
    )


@contextmanager
def compiled_hash_encoding(*, position_gradients: bool = False) -> Iterator[None]:
    """Let nerfstudio's ``HashEncoding`` run compiled on the CPU within a ``with`` block.

    Encodings on other devices, of other types or feature counts stay as they are. As many threads
    are used as torch uses.

    Args:
        position_gradients: also pass gradients on to the positions. nerfacto's field asks for them
            on every step, but without predicted normals and camera optimisation nothing reads them.
    """
    from nerfstudio.field_components.encodings import HashEncoding

    original = HashEncoding.pytorch_fwd

    def forward(encoding: Any, in_tensor: Tensor) -> Tensor:  # noqa: ANN401
        if not can_compile(encoding, in_tensor):
            return original(encoding, in_tensor)
        positions = in_tensor if position_gradients else in_tensor.detach()
        scalings = encoding.scalings.to(torch.float32)
        encoded = CompiledHashEncoding.apply(
            positions.reshape(-1, 3), encoding.hash_table, scalings
        )
        return encoded.reshape(*in_tensor.shape[:-1], encoded.shape[-1])

    threads = numba.get_num_threads()
    numba.set_num_threads(min(torch.get_num_threads(), threads))
    HashEncoding.pytorch_fwd = forward
    try:
        yield
    finally:
        HashEncoding.pytorch_fwd = original
        numba.set_num_threads(threads)
