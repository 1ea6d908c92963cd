"""Where a gradient cannot be trained, said clearly.

The harmonizer differentiates a gradient. Fused attention, compiled modules and a few activations
have no second derivative, and torch says so only in the optimiser's backward pass.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..objective import EncoderLike

_SIGNS = ("double backward", "derivative for", "is not implemented", "not differentiable")


def refuse_compiled(encoder: EncoderLike) -> None:
    """Raise RuntimeError if the encoder, or a part of it, was given to ``torch.compile``."""
    for name, module in _modules(encoder):
        wrapped = type(module).__name__ == "OptimizedModule"
        if wrapped or getattr(module, "_compiled_call_impl", None) is not None:
            where = f"its part {name!r}" if name else "it"
            raise RuntimeError(
                f"expected an encoder without torch.compile for the harmonizer, but {where} is "
                "compiled: compiled modules have no second derivative; train without compiling"
            )


def require_second_derivative(encoder: EncoderLike, harmonizer_loss: Float[Tensor, ""]) -> None:
    """Raise RuntimeError, with what to do, if the loss has no gradient to the encoder's weights.

    The loss's graph is kept and nothing is accumulated, so nothing is changed by asking.
    """
    weights = [
        weight
        for _, module in _modules(encoder)
        for weight in module.parameters(recurse=False)
        if weight.requires_grad
    ]
    if not weights or not harmonizer_loss.requires_grad:
        return
    try:
        torch.autograd.grad(harmonizer_loss, weights, retain_graph=True, allow_unused=True)
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _SIGNS):
            raise
        raise RuntimeError(_advice(encoder, str(error))) from error


def _advice(encoder: EncoderLike, error: str) -> str:
    """Return what stands in the way, as far as torch's message and the modules tell."""
    first_line = error.splitlines()[0]
    if "attention" in error:
        remedy = (
            "fused attention has no second derivative; build the encoder with attention='math', "
            "or run under torch.nn.attention.sdpa_kernel(SDPBackend.MATH)"
        )
    elif "hardsigmoid" in error:
        found = [name for name, m in _modules(encoder) if isinstance(m, nn.Hardsigmoid)]
        remedy = (
            f"nn.Hardsigmoid has none (in {', '.join(found) or 'the encoder'}); write it as "
            "(x / 6 + 0.5).clamp(0, 1)"
        )
    elif "aot_autograd" in error:
        remedy = "compiled functions have none; train without torch.compile"
    else:
        remedy = "replace that operation in the encoder by ones that torch can differentiate twice"
    return (
        f"the harmonizer trains a gradient, which needs second derivatives of the encoder: "
        f"{remedy} (torch: {first_line})"
    )


def _modules(encoder: EncoderLike) -> Iterator[tuple[str, nn.Module]]:
    # A view of an encoder, such as one in bfloat16, is no module but has its modules.
    named_modules = getattr(encoder, "named_modules", None)
    if named_modules is not None:
        yield from named_modules()
