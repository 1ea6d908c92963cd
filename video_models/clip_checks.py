"""One clear message for clips that an encoder cannot take, and for settings that none can have."""

from typing import Protocol, runtime_checkable

from torch import Tensor

SMALLEST_IMAGE_PX = 16


@runtime_checkable
class TakesClips(Protocol):
    """A configuration that says which clips are taken."""

    @property
    def eyes(self) -> int:
        """Eyes of the clips."""
        ...

    @property
    def image_channels(self) -> int:
        """Channels of a frame."""
        ...


def check_clips_for(
    config: TakesClips,
    clips: Tensor,
    *,
    smallest_px: int = SMALLEST_IMAGE_PX,
    frames_per_step: int = 1,
) -> None:
    """Refuse clips that the encoder of a configuration cannot take; see ``check_clips``."""
    check_clips(
        clips,
        eyes=config.eyes,
        image_channels=config.image_channels,
        config_name=type(config).__name__,
        smallest_px=smallest_px,
        frames_per_step=frames_per_step,
    )


def check_clips(
    clips: Tensor,
    *,
    eyes: int,
    image_channels: int,
    config_name: str,
    smallest_px: int = SMALLEST_IMAGE_PX,
    frames_per_step: int = 1,
) -> None:
    """Refuse clips ``[batch, eye, time, channel, height, width]`` of another shape.

    Raises:
        ValueError: other eyes or channels, frames that are too small, or a number of frames that
            time steps do not divide.
    """
    if clips.ndim != 6:
        raise ValueError(
            "expected clips [batch, eye, time, channel, height, width], got the shape "
            f"{list(clips.shape)}"
        )
    found, frames, channels, height, width = clips.shape[1:]
    if found != eyes:
        raise ValueError(
            f"expected clips of {eyes} eye(s), got {found}; build the encoder with "
            f"{config_name}(eyes={found})"
        )
    if channels != image_channels:
        raise ValueError(f"expected {image_channels} channels, got {channels}")
    if min(height, width) < smallest_px:
        raise ValueError(
            f"expected frames of at least {smallest_px} pixels on each side, got {height} x {width}"
        )
    if frames < 1 or frames % frames_per_step:
        raise ValueError(
            f"expected a number of frames that {frames_per_step} divides, got {frames}; each time "
            f"step of {config_name.removesuffix('Config')} stands for {frames_per_step} frames"
        )


def check_eyes(eyes: int, stereo: str, *, kinds: tuple[str, ...] = ("concat", "siamese")) -> None:
    """Refuse a number of eyes that nobody has, or an unknown way to see with two."""
    if eyes not in (1, 2):
        raise ValueError(f"expected eyes to be 1 or 2, got {eyes}")
    if stereo not in kinds:
        raise ValueError(f"expected stereo to be one of {kinds}, got {stereo!r}")


def check_positive(**numbers: int) -> None:
    """Refuse numbers below 1, by name."""
    wrong = {name: number for name, number in numbers.items() if number < 1}
    if wrong:
        said = ", ".join(f"{name} {number}" for name, number in wrong.items())
        raise ValueError(f"expected only positive numbers, got {said}")


def check_groups(norm_groups: int, **widths: int) -> None:
    """Refuse widths that the groups of a norm do not divide."""
    wrong = {name: width for name, width in widths.items() if width < 1 or width % norm_groups}
    if wrong:
        said = ", ".join(f"{name} {width}" for name, width in wrong.items())
        raise ValueError(f"expected widths divisible by norm_groups {norm_groups}, got {said}")
