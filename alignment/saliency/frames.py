"""From gradients or maps of every frame to one map of a clip."""

import torch
from jaxtyping import Float
from torch import Tensor

from .recipe import ChannelRule, FrameRule


def reduce_gradients(
    gradients: Float[Tensor, "batch eye time channel height width"],
    channels: ChannelRule,
    frames: FrameRule,
) -> Float[Tensor, "batch height width"]:
    """Return one map for each clip: over channels, then over eyes and frames."""
    if frames == "still image":
        gradients = gradients.sum(dim=(1, 2), keepdim=True)
    else:
        gradients = chosen_frames(gradients, frames)
    if channels == "abs-max":
        reduced = gradients.abs().amax(dim=3)
    elif channels == "abs-mean":
        reduced = gradients.abs().mean(dim=3)
    else:
        reduced = gradients.mean(dim=3)
    return reduced.mean(dim=(1, 2))


def chosen_frames(of_frames: Float[Tensor, "batch eye time ..."], frames: FrameRule) -> Tensor:
    """Return the frames that a rule counts, as ``[batch, eye, chosen, ...]``."""
    if isinstance(frames, int):
        return of_frames[:, :, frames : frames + 1]
    return of_frames[:, :, -1:] if frames == "last frame" else of_frames


def at_frames(
    of_steps: Float[Tensor, "batch step height width"], frames: int
) -> Float[Tensor, "batch frames height width"]:
    """Return for each frame the map of the time step that it belongs to."""
    steps = of_steps.shape[1]
    step = torch.arange(frames, device=of_steps.device) * steps // frames
    return of_steps[:, step]
