"""From the maps that a network of others makes of each eye to features of stereo clips."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..encoder import Features
from ..eye_fusion import sum_and_difference


def features_of(per_eye: Mapping[str, Tensor], *, eyes: int, frames: int, network: str) -> Features:
    """Return the features of clips whose eyes passed a network one by one.

    Maps of two eyes become their sum and difference. Maps with more time steps than the deepest one
    are averaged over time down to its steps.

    Args:
        per_eye: named maps ``[batch * eye, channel, time, height, width]``, shallow to deep.
        eyes: 1 or 2.
        frames: of the clips.
        network: its name, for messages.

    Raises:
        ValueError: a map has other axes, or the deepest one's time steps do not divide the frames.
    """
    for name, each in per_eye.items():
        if each.ndim != 5:
            raise ValueError(
                f"expected {name} of {network} to be [batch, channel, time, height, width], got "
                f"{list(each.shape)}; name a layer whose output is, or convert it with to_map"
            )
    deepest = list(per_eye.values())[-1]
    steps = deepest.shape[2]
    if frames % steps:
        raise ValueError(
            f"expected a number of frames that the time steps of {network} divide, got {frames} "
            f"frames and {steps} steps; use {frames // steps * steps} frames"
        )
    maps = {name: _fused(at_steps(each, steps), eyes) for name, each in per_eye.items()}
    pooled = list(maps.values())[-1].mean(dim=(3, 4)).transpose(1, 2)
    return Features(maps=maps, pooled=pooled, frames_per_step=frames // steps)


def at_steps(
    maps: Float[Tensor, "batch channel time height width"], steps: int
) -> Float[Tensor, "batch channel {steps} height width"]:
    """Return maps averaged over time down to some steps."""
    time, height, width = maps.shape[2:]
    return maps if time == steps else F.adaptive_avg_pool3d(maps, (steps, height, width))


def normalised(
    clips: Float[Tensor, "batch eye time channel height width"], mean: Tensor, std: Tensor
) -> Float[Tensor, "batch_eye channel time height width"]:
    """Return each eye as a video of its own, its channels minus a mean and over a deviation."""
    videos = clips.flatten(0, 1).transpose(1, 2)
    return (videos - mean.view(-1, 1, 1, 1)) / std.view(-1, 1, 1, 1)


def fitted(
    clips: Float[Tensor, "batch eye time channel height width"],
    size_px: int | None,
    *,
    resize: bool | None,
    network: str,
) -> Float[Tensor, "batch eye time channel rows columns"]:
    """Return clips at the one size that a network takes; None takes any.

    Args:
        clips: of any size.
        size_px: the only height and width.
        resize: whether square frames of another size are resized; None where that is no setting.
        network: its name, for messages.

    Raises:
        ValueError: frames of another size that are not square, or may not be resized.
    """
    height, width = clips.shape[-2:]
    if size_px is None or (height, width) == (size_px, size_px):
        return clips
    if not resize or height != width:
        how = "square frames" if resize else "frames of that size"
        if resize is False and height == width:
            how += " or set resize=True"
        raise ValueError(
            f"expected frames of {size_px} x {size_px} pixels, the only size that {network} takes, "
            f"got {height} x {width}; give it {how}"
        )
    frames = F.interpolate(
        clips.flatten(0, 2), size=(size_px, size_px), mode="bilinear", antialias=True
    )
    return frames.unflatten(0, clips.shape[:3])


def _fused(maps: Tensor, eyes: int) -> Tensor:
    return maps if eyes == 1 else sum_and_difference(maps.unflatten(0, (-1, 2)))


def channel_values(name: str, values: tuple[float, ...], channels: int) -> Tensor:
    """Return one number for each channel, or refuse another count of them."""
    if len(values) not in (1, channels):
        raise ValueError(f"expected {channels} numbers for {name}, got {values}")
    return torch.tensor(values, dtype=torch.float32).expand(channels).clone()
