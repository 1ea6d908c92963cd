"""The protocol of an encoder of stereo video, and what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Features:
    """What an encoder sees in a batch of clips."""

    maps: Mapping[str, Float[Tensor, "batch _channel time _height _width"]]
    """Named feature maps, shallow to deep; each has its own channels and size."""
    pooled: Float[Tensor, "batch time channel"]
    """One vector for each time step, averaged over space from the deepest map."""
    frames_per_step: int = 1
    """Frames of the clip that one time step stands for; ``time`` of all maps and of ``pooled`` is
    the clip's number of frames divided by it."""


@runtime_checkable
class Encoder(Protocol):
    """Anything that turns clips into features; an ``nn.Module`` in practice.

    One whose features at a time step depend on no later frame says so by an attribute ``causal``
    that is True; without it, that is not taken for granted. Others may say more of what they take:
    ``least_frames`` is the number of frames of the shortest clip, and ``image_size_px`` the only
    height and width of frames, or None where any will do.
    """

    eyes: int
    """How many eyes it expects: 1 or 2."""

    def __call__(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return features of clips with values in [0, 1]."""
        ...
