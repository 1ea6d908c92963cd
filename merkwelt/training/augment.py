"""Changes to clips that a world could have shown as well."""

import torch
from jaxtyping import Float
from torch import Tensor


def augment(
    clips: Float[Tensor, "batch eye time channel height width"], *, crop_share: float
) -> Float[Tensor, "batch eye time channel rows columns"]:
    """Return clips cut out at one random place, and mirrored at random.

    The cut is the same in both eyes and all frames, so disparity and motion stay as they are. A
    mirrored world is seen with the eyes exchanged: that keeps near things near. Draws from torch's
    current random state.

    Args:
        clips: any clips.
        crop_share: height and width of what is left; 1 cuts nothing.
    """
    height, width = clips.shape[-2:]
    rows, columns = round(height * crop_share), round(width * crop_share)
    top = int(torch.randint(height - rows + 1, ()))
    left = int(torch.randint(width - columns + 1, ()))
    clips = clips[..., top : top + rows, left : left + columns]
    mirrored = torch.rand(len(clips)) < 0.5
    flip = mirrored.to(clips.device).view(-1, 1, 1, 1, 1, 1)
    return torch.where(flip, clips.flip(1, -1), clips)
