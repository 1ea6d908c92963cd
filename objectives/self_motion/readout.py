"""One vector for each time step from the middle of a map."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class MapReadout(nn.Module):
    """Means over a grid of cells in the middle of a map, and a linear map or two of them.

    With a grid of 1 and no hidden layer it is the decoder "center" of Mineault et al. 2021. More
    cells keep where on the map something moves, without which the direction of heading can only be
    told from the features themselves.
    """

    def __init__(
        self, channels: int, outputs: int, *, central_share: float, grid: int, hidden: int
    ) -> None:
        """Draw the weights from torch's random state; ``hidden`` 0 leaves a single linear map."""
        super().__init__()
        self.central_share = central_share
        self.grid = grid
        cells = channels * grid * grid
        before = [nn.LayerNorm(cells), nn.Linear(cells, hidden), nn.ReLU()] if hidden else []
        self.layers = nn.Sequential(*before, nn.Linear(hidden or cells, outputs))

    def forward(
        self, features: Float[Tensor, "batch channel step rows columns"]
    ) -> Float[Tensor, "batch step output"]:
        """Return what is read at every step."""
        cells = F.adaptive_avg_pool2d(
            self._middle(features).transpose(1, 2).flatten(0, 1), self.grid
        )
        return self.layers(cells.flatten(1).unflatten(0, (len(features), -1)))

    def _middle(self, features: Tensor) -> Tensor:
        sizes = [max(1, round(size * self.central_share)) for size in features.shape[-2:]]
        top, left = ((size - n) // 2 for size, n in zip(features.shape[-2:], sizes, strict=True))
        return features[..., top : top + sizes[0], left : left + sizes[1]]


def pairs_read(
    steps: int, frames_per_step: int, *, middle_only: bool
) -> tuple[list[int], list[int]]:
    """Return which steps are read, and the pair of frames that each is to tell the motion of.

    It is the last pair that a step has seen: frames ``t - 1`` and ``t``, with t its last frame.
    """
    first = 1 if frames_per_step == 1 else 0
    if steps <= first:
        raise ValueError("expected clips of at least 2 frames, got 1; motion needs two of them")
    chosen = [max(first, steps // 2)] if middle_only else list(range(first, steps))
    return chosen, [(step + 1) * frames_per_step - 2 for step in chosen]
