"""What an objective is, and what it may know about the clips beside their pixels."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .across_ranks import is_shared

Truth = Mapping[str, Tensor]
"""What is known of a batch beside its pixels. Every entry is optional:

``frame_rate_hz``
    float scalar, frames each second.
``valid_pairs``
    bool ``[batch, time - 1]``: whether frames t and t + 1 may be compared. False where a saccade
    or a blink lies between them.
``translation_m``, ``rotation_rad``
    float ``[batch, time - 1, 3]``: how the point between the eyes moves, and the rotation vector
    by which the gaze turns, from frame t to t + 1, in the axes that it has at frame t: x right, y
    down, z forward.
``clip_class``
    int64 ``[batch]``: which clip or chunk of a video it is among those trained on; -1 for none.
``stills``, ``still_labels``, ``still_maps``
    Labelled images ``[still, channel, height, width]`` in [0, 1], int64 ``[still]`` and human
    attention maps ``[still, height, width]``: a batch of their own beside the clips.
``still_tokens``
    float ``[still]``: 1 for a still with a human map, 0 for one without; 1 where it is not said.
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


@runtime_checkable
class FollowsEncoder(Protocol):
    """An objective that keeps something of the encoder's own, such as a slow copy of it."""

    def follow(self, encoder: nn.Module) -> None:
        """Take what is needed of the untrained encoder; called once, before training."""
        ...

    def after_step(self, encoder: nn.Module) -> None:
        """Follow the encoder; called after each step of the optimiser."""
        ...


@runtime_checkable
class Finishes(Protocol):
    """An objective that brings what it has learned into order once training is over."""

    def finish(self, encoder: nn.Module, training: Iterable[Batch]) -> None:
        """Do so; called once after the last step, before the last evaluation and checkpoint."""
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
    causal: bool
    """Whether features at a time step depend on no later frame."""
    frames_per_step: int
    """Frames of the clip that one time step of the features stands for."""


def probe_shapes(
    encoder: EncoderLike, *, eyes: int, image_channels: int = 3, size_px: int = 64, frames: int = 2
) -> FeatureShapes:
    """Return the shapes of an encoder's features, found by showing it one black clip."""
    module = encoder if isinstance(encoder, nn.Module) else nn.Identity()
    was_training = module.training
    # Not as in training: running statistics are to know nothing of the black clip.
    module.eval()
    with torch.no_grad():
        features = encoder(torch.zeros(1, eyes, frames, image_channels, size_px, size_px))
    module.train(was_training)
    return FeatureShapes(
        eyes=eyes,
        image_channels=image_channels,
        map_channels={name: each.shape[1] for name, each in features.maps.items()},
        map_strides={name: size_px // each.shape[-1] for name, each in features.maps.items()},
        pooled_channels=features.pooled.shape[-1],
        causal=bool(getattr(encoder, "causal", False)),
        frames_per_step=getattr(features, "frames_per_step", 1),
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
    # Another rank's share of the batch may have what is missing in this one's.
    if not is_shared() and not bool(pairs.any()):
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


def pairs_of_steps(pairs: Bool[Tensor, "batch pairs"], frames_per_step: int) -> Tensor:
    """Return bool ``[batch, step - 1]``: which neighbouring steps of features may be compared.

    Two steps may be if every pair of frames within and between them may be.
    """
    if frames_per_step == 1:
        return pairs
    frames = pairs.shape[1] + 1
    steps = frames // frames_per_step
    if steps < 2:
        raise ValueError(
            f"expected clips of at least {2 * frames_per_step} frames for an encoder with features "
            f"of every {frames_per_step} frames, got {frames}: change needs two of its steps"
        )
    spans = [
        pairs[:, step * frames_per_step : (step + 2) * frames_per_step - 1].all(dim=1)
        for step in range(steps - 1)
    ]
    return torch.stack(spans, dim=1)


def require_causal(shapes: FeatureShapes, objective: str) -> None:
    """Refuse an encoder that has seen what is to be predicted, or has no features of each frame."""
    if not shapes.causal:
        raise ValueError(
            f"expected a causal encoder for {objective}, got one whose features depend on later "
            "frames: it would see what it is to predict"
        )
    if shapes.frames_per_step != 1:
        raise ValueError(
            f"expected an encoder with features of each frame for {objective}, got one with "
            f"features of every {shapes.frames_per_step} frames"
        )
