"""Plain image networks as encoders, so that published classifiers are scored by the same code."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...video_models.encoder import Features


class ImageEncoder(nn.Module):
    """An image network that looks at one eye, frame by frame; its outputs are the pooled features.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
        >>> encoder = ImageEncoder(network, mean=(127 / 255,) * 3, sd=(128 / 255,) * 3)
        >>> encoder(torch.rand(2, 1, 1, 3, 8, 8)).pooled.shape
        torch.Size([2, 1, 10])
    """

    eyes = 1
    causal = True

    def __init__(
        self,
        network: nn.Module,
        *,
        mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
        sd: tuple[float, float, float] = (1.0, 1.0, 1.0),
    ) -> None:
        """Wrap ``network``, which expects ``(image - mean) / sd`` of images in [0, 1].

        Args:
            network: Images ``[batch, 3, height, width]`` to logits ``[batch, classes]``.
            mean: Subtracted from each channel.
            sd: Each channel is divided by it.
        """
        super().__init__()
        self.network = network
        self.mean: Tensor
        self.sd: Tensor
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1))
        self.register_buffer("sd", torch.tensor(sd).view(3, 1, 1))

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the network's outputs at each frame of the first eye; there are no maps."""
        frames = clips[:, 0]
        outputs = self.network((frames.flatten(0, 1) - self.mean) / self.sd)
        return Features(maps={}, pooled=outputs.unflatten(0, frames.shape[:2]))
