"""The first filters, tied by the symmetries of a world in which anything may move anywhere."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

LUMA = (0.299, 0.587, 0.114)
"""Red, green and blue in grey (ITU-R BT.601)."""
_COPIES = 3
"""How often the published network is shown the grey picture: as its red, green and blue."""


class SymmetricConv3d(nn.Module):
    """A 3D convolution of 5 x 7 x 7 with stride 1 x 2 x 2; time is padded by its caller.

    The published network sees grey in three equal channels. To filter those is to filter grey once
    with the sum of the three filters: the weights are kept for three, and summed. The filters come
    in the order: free ones, mirrored left to right, top to bottom, and both.
    """

    def __init__(self, image_channels: int, *, filters: int, eyes: int, symmetric: bool) -> None:
        """Draw He-normal weights."""
        super().__init__()
        self.symmetric = symmetric
        self.is_grey = image_channels in (1, 3)
        planes = _COPIES if self.is_grey else image_channels
        free = filters // 4 if symmetric else filters
        self.weight = nn.Parameter(torch.empty(free, eyes, planes, 5, 7, 7))
        # He's variance; of three copies it is the sum of the filters that has it.
        nn.init.normal_(self.weight, std=(2 / self.weight[0].numel()) ** 0.5)

    def forward(
        self, planes: Float[Tensor, "batch plane time height width"]
    ) -> Float[Tensor, "batch filter shorter_time rows columns"]:
        """Return the filtered video, 4 frames shorter."""
        filters = self.filters().flatten(1, 2)
        return F.conv3d(planes, filters, stride=(1, 2, 2), padding=(0, 3, 3))

    def filters(self) -> Float[Tensor, "filter eye plane 5 7 7"]:
        """Return all filters of the planes that are seen in each eye."""
        free = self.weight.sum(dim=2, keepdim=True) if self.is_grey else self.weight
        if not self.symmetric:
            return free
        sideways = free.flip(1, -1)
        return torch.cat([free, sideways, free.flip(-2), sideways.flip(-2)])


def planes_of(
    clips: Float[Tensor, "batch eye time channel height width"],
) -> Float[Tensor, "batch plane time height width"]:
    """Return the luma of clips in colour, and all channels of other clips, eye by eye."""
    if clips.shape[3] == len(LUMA):
        return torch.einsum("betchw,c->bethw", clips, clips.new_tensor(LUMA))
    return clips.transpose(2, 3).flatten(1, 2)
