"""What a front end is: it turns clips of all eyes into clips of one eye with other channels.

Encoders take values in [0, 1], so every front end gives values of about that range: what can be
negative is halved and moved up by one half. Frames are looked at one by one, so that a front end is
causal and leaves the number of frames as it is.
"""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class FrontConfig(Protocol):
    """Whatever describes a front end."""

    @property
    def eyes(self) -> int:
        """Eyes of the clips."""
        ...

    @property
    def image_channels(self) -> int:
        """Channels of a frame of the clips."""
        ...

    @property
    def out_channels(self) -> int:
        """Channels of what comes out; an encoder behind it must expect them."""
        ...


@runtime_checkable
class Front(Protocol):
    """A front end; an ``nn.Module`` in practice."""

    eyes: int
    """How many eyes it expects."""

    def __call__(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch 1 time out_channel rows columns"]:
        """Return features of clips in [0, 1], themselves of about that range."""
        ...


def frames_of_eyes(
    clips: Float[Tensor, "batch eye time channel height width"], config: FrontConfig
) -> Float[Tensor, "eye frame channel height width"]:
    """Return all frames of each eye, in at least single precision.

    Raises:
        ValueError: another number of eyes or channels than the front end was built for.
    """
    eyes, channels = clips.shape[1], clips.shape[3]
    if (eyes, channels) != (config.eyes, config.image_channels):
        raise ValueError(
            f"expected clips of {config.eyes} eye(s) and {config.image_channels} channel(s), got "
            f"{eyes} and {channels}; build the front end with "
            f"{type(config).__name__}(eyes={eyes}, image_channels={channels})"
        )
    return at_least_single(clips).transpose(0, 1).flatten(1, 2)


def clips_of_frames(
    frames: Float[Tensor, "frame channel rows columns"], batch: int
) -> Float[Tensor, "batch 1 time channel rows columns"]:
    """Return frames as clips of one eye."""
    return frames.unflatten(0, (batch, -1)).unsqueeze(1)


def at_least_single(values: Tensor) -> Tensor:
    """Return values in single precision, or in double where they are: for squares and quotients."""
    return values if values.dtype.itemsize > 4 else values.float()


def require_front(config: FrontConfig, *, eyes: tuple[int, ...]) -> None:
    """Refuse numbers of eyes and channels that no front end of this kind can have."""
    name = type(config).__name__
    if config.eyes not in eyes:
        wanted = " or ".join(map(str, eyes))
        raise ValueError(
            f"expected {wanted} eyes for {name}, got {config.eyes}"
            + ("; disparity lies between two eyes" if eyes == (2,) else "")
        )
    if config.image_channels < 1:
        raise ValueError(
            f"expected at least 1 image channel for {name}, got {config.image_channels}"
        )
