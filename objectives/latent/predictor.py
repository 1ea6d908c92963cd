"""The network that tells features from features."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..precision import at_least_float32


class LatentPredictor(nn.Module):
    """Residual convolutions on one map at a time, told what is asked for by an added vector.

    Small and without memory: what happened before is for the encoder to keep.
    """

    def __init__(self, channels: int, *, width: int, layers: int, questions: int) -> None:
        """Draw weights from torch's random state; the last layer starts at zero.

        Args:
            channels: of the map, and of what is predicted.
            width: channels inside.
            layers: residual convolutions of 3 x 3.
            questions: how many vectors to learn, one for each thing that can be asked for.
        """
        super().__init__()
        self.questions = nn.Parameter(0.02 * torch.randn(questions, width))
        self.enter = nn.Conv2d(channels, width, kernel_size=1)
        self.layers = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(layers))
        self.leave = nn.Conv2d(width, channels, kernel_size=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(
        self,
        maps: Float[Tensor, "frames channel rows columns"],
        question: int,
        where: Float[Tensor, "frames 1 rows columns"] | None = None,
    ) -> Float[Tensor, "frames channel rows columns"]:
        """Return the answer to a question, which holds everywhere or ``where`` it is 1."""
        asked = self.questions[question].view(1, -1, 1, 1)
        hidden = self.enter(maps) + (asked if where is None else asked * where)
        for layer in self.layers:
            hidden = hidden + F.gelu(layer(hidden))
        return at_least_float32(self.leave(hidden))


def normalised(maps: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Return features with zero mean and unit variance over channels, at each place by itself.

    LayerNorm without gain or bias, in float32 or more; all zero where channels do not differ.
    """
    maps = at_least_float32(maps)
    variance, mean = torch.var_mean(maps, dim=dim, correction=0, keepdim=True)
    return (maps - mean) * (variance + 1e-5).rsqrt()
