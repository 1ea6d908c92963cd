"""What an objective is, and what it may know about the clips beside their pixels."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Truth = Mapping[str, Tensor]
"""What is known of a batch beside its pixels. Every entry is optional:

``frame_rate_hz``
    float scalar, frames each second.
``valid_pairs``
    bool ``[batch, time - 1]``: whether frames t and t + 1 may be compared. False where a saccade
    or a blink lies between them.
"""

Batch = tuple[Tensor, Truth]
"""Clips ``[batch, eye, time, channel, height, width]`` in [0, 1], and what is known of them."""

EncoderLike = Callable[[Tensor], Any]
"""Anything that turns clips into an object with named ``maps`` and ``pooled`` features."""


class Objective(Protocol):
    """A loss with its heads; an ``nn.Module`` in practice, saved and resumed with the encoder."""

    def __call__(
        self, encoder: EncoderLike, clips: Tensor, truth: Truth
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the scalar to descend, and scalars worth looking at (no gradient)."""
        ...

    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return measures on held-out clips, with floors; training clips are there to fit on."""
        ...


@dataclass(frozen=True, kw_only=True)
class FeatureShapes:
    """What an objective must know of an encoder to build its heads."""

    eyes: int
    image_channels: int
    map_channels: Mapping[str, int]
    """Channels of each named map, shallow to deep."""
    map_strides: Mapping[str, int]
    """Image pixels for each step on the map."""
    pooled_channels: int


def probe_shapes(
    encoder: EncoderLike, *, eyes: int, image_channels: int = 3, size_px: int = 64
) -> FeatureShapes:
    """Return the shapes of an encoder's features, found by showing it one black clip."""
    with torch.no_grad():
        features = encoder(torch.zeros(1, eyes, 2, image_channels, size_px, size_px))
    return FeatureShapes(
        eyes=eyes,
        image_channels=image_channels,
        map_channels={name: each.shape[1] for name, each in features.maps.items()},
        map_strides={name: size_px // each.shape[-1] for name, each in features.maps.items()},
        pooled_channels=features.pooled.shape[-1],
    )


def valid_pairs_of(
    clips: Float[Tensor, "batch eye time channel height width"], truth: Truth
) -> Bool[Tensor, "batch pairs"]:
    """Return which neighbouring frames may be compared; all, where nothing is said about it."""
    expected = (clips.shape[0], clips.shape[2] - 1)
    if expected[1] < 1:
        raise ValueError("expected clips of at least 2 frames, got 1; change needs two of them")
    if "valid_pairs" not in truth:
        return torch.ones(expected, dtype=torch.bool, device=clips.device)
    pairs = truth["valid_pairs"]
    if tuple(pairs.shape) != expected or pairs.dtype != torch.bool:
        raise ValueError(
            f"expected valid_pairs to be bool {list(expected)}, got {pairs.dtype} "
            f"{list(pairs.shape)}"
        )
    if not bool(pairs.any()):
        raise ValueError(
            "expected at least one valid pair of frames in a batch, got none: a saccade or a "
            "blink lies between all of them; use a higher frame rate, larger batches or no masking"
        )
    return pairs


def frame_rate_hz_of(truth: Truth) -> float | None:
    """Return the frame rate of a batch, or None if nobody knows it."""
    return float(truth["frame_rate_hz"]) if "frame_rate_hz" in truth else None


def frames_in_pairs(pairs: Bool[Tensor, "batch pairs"]) -> Bool[Tensor, "batch time"]:
    """Return which frames belong to at least one valid pair."""
    no_pair = torch.zeros_like(pairs[:, :1])
    return torch.cat([pairs, no_pair], dim=1) | torch.cat([no_pair, pairs], dim=1)
