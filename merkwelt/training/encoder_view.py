"""The encoder as objectives call it while training: in bfloat16, compiled, or both.

Only the encoder's forward pass is: its weights stay float32, and so are the features that it
returns, so that heads, statistics and losses are computed in float32 or more.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

Precision = Literal["float32", "bf16"]


class EncoderView:
    """An encoder that runs in another way; all else of it is the encoder's own."""

    def __init__(self, encoder: nn.Module, *, precision: Precision, compiled: bool) -> None:
        """Wrap an encoder; it is compiled when it is first called."""
        self._encoder = encoder
        self._bf16 = precision == "bf16"
        self._compiled: Callable[[Tensor], Any] | None = None
        if compiled:
            self._compiled = torch.compile(encoder)
        self._news: list[str] = []

    def __call__(self, clips: Tensor) -> Any:  # noqa: ANN401 - whatever features the encoder has
        """Return float32 features of clips."""
        with torch.autocast(clips.device.type, torch.bfloat16, enabled=self._bf16):
            features = self._run(clips)
        return in_float32(features)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the encoder has
        """Return the encoder's own."""
        return getattr(self._encoder, name)

    def take_news(self) -> list[str]:
        """Return what has happened since this was asked last."""
        news, self._news = self._news, []
        return news

    def _run(self, clips: Tensor) -> Any:  # noqa: ANN401
        if self._compiled is None:
            return self._encoder(clips)
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self._compiled(clips)
        except TorchDynamoException as error:
            self._compiled = None
            reason = str(error).strip().splitlines()[0]
            self._news.append(
                f"the encoder could not be compiled and runs as it is: {reason}; torch.compile "
                "needs a C++ compiler on the CPU and Triton on a GPU"
            )
            return self._encoder(clips)


def encoder_view(
    encoder: nn.Module, objective: nn.Module, *, precision: Precision, compiled: bool
) -> Any:  # noqa: ANN401 - the encoder, or what behaves like it
    """Return what an objective is to call.

    Raises:
        ValueError: the encoder is to be compiled, and the objective differentiates twice.
    """
    if compiled and getattr(objective, "needs_double_backward", False):
        raise ValueError(
            f"expected compile=False with {type(objective).__name__}: it takes the gradient of a "
            "gradient, which torch.compile does not support"
        )
    if precision == "float32" and not compiled:
        return encoder
    return EncoderView(encoder, precision=precision, compiled=compiled)


def in_float32(features: Any) -> Any:  # noqa: ANN401 - any dataclass of tensors
    """Return features with all that is less precise turned to float32."""
    changed = {
        field.name: _widened(getattr(features, field.name))
        for field in dataclasses.fields(features)
    }
    return dataclasses.replace(features, **changed)


def _widened(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Tensor):
        return value.float() if value.dtype in (torch.bfloat16, torch.float16) else value
    if isinstance(value, Mapping):
        return {name: _widened(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_widened(each) for each in value)
    return value
