"""Changes to clips that a world could have shown as well, and what they change in the truth."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..objectives.objective import Batch, Truth

MIRROR_SIGNS = {
    # A mirror exchanges left and right. What points somewhere changes its x; an axis of turning
    # keeps its x and changes the others: in a mirror, what turns right turns left.
    "translation_m": (-1.0, 1.0, 1.0),
    "rotation_rad": (1.0, -1.0, -1.0),
}
"""By what the parts x, y, z of motions are multiplied if the world is mirrored."""


def augment(
    clips: Float[Tensor, "batch eye time channel height width"],
    truth: Truth,
    *,
    crop_share: float,
    part: tuple[int, int] = (0, 1),
) -> Batch:
    """Return clips cut out at one random place and mirrored at random, and what is true of them.

    The cut is the same in both eyes and all frames, so disparity and motion stay as they are: the
    eye moves as it did, and sees less. Where in the field of view the cut lies is not told, so an
    eye with a cut off the middle has its line of sight off the middle too. A mirrored world is
    seen with the eyes exchanged: that keeps near things near. Draws from torch's current random
    state.

    Args:
        clips: any clips.
        truth: what is known of them; motions are mirrored with their clips, all else stays.
        crop_share: height and width of what is left; 1 cuts nothing.
        part: which of how many equal parts of a batch the clips are: all parts together change as
            the whole batch would.
    """
    height, width = clips.shape[-2:]
    rows, columns = round(height * crop_share), round(width * crop_share)
    top = int(torch.randint(height - rows + 1, ()))
    left = int(torch.randint(width - columns + 1, ()))
    clips = clips[..., top : top + rows, left : left + columns]
    flip = (torch.rand(part[1], len(clips))[part[0]] < 0.5).to(clips.device).view(-1, 1, 1, 1, 1, 1)
    changed = {
        name: torch.where(
            flip[..., 0, 0, 0], truth[name] * torch.tensor(signs).to(truth[name]), truth[name]
        )
        for name, signs in MIRROR_SIGNS.items()
        if name in truth
    }
    return torch.where(flip, clips.flip(1, -1), clips), {**truth, **changed}
