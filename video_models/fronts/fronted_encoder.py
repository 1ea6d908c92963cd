"""Any encoder behind a front end."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from ..encoder import Features
from .front import FrontConfig


@dataclass(frozen=True, kw_only=True)
class FrontedConfig:
    """A front end and the encoder behind it; ``fronted`` makes the two fit."""

    front: Any
    """Configuration of the front end, such as ``DisparityEnergyConfig()``."""
    encoder: Any
    """Configuration of the encoder: one eye, and the channels that the front end gives."""

    def __post_init__(self) -> None:
        """Refuse an encoder that cannot take what the front end gives."""
        missing = [name for name in ("eyes", "out_channels") if not hasattr(self.front, name)]
        if missing or isinstance(self.encoder, FrontedConfig):
            raise ValueError(
                "expected the configuration of a front end before that of an encoder without one, "
                f"got {type(self.front).__name__} before {type(self.encoder).__name__}"
            )
        expected = (1, self.front.out_channels)
        found = (self.encoder.eyes, self.encoder.image_channels)
        if found != expected:
            raise ValueError(
                f"expected an encoder of 1 eye and {expected[1]} channels behind "
                f"{type(self.front).__name__}, got {found[0]} and {found[1]}; "
                "fronted(front, encoder) makes them fit"
            )

    @property
    def eyes(self) -> int:
        """Eyes of the clips."""
        return self.front.eyes

    @property
    def image_channels(self) -> int:
        """Channels of a frame of the clips."""
        return self.front.image_channels


def fronted(front: FrontConfig, encoder: Any) -> FrontedConfig:  # noqa: ANN401 - any encoder's
    """Return the configuration of an encoder behind a front end, made to take what that gives.

    Example:
        >>> from merkwelt.video_models import StereoCNNConfig
        >>> from merkwelt.video_models.fronts import ConcatenateConfig
        >>> fronted(ConcatenateConfig(), StereoCNNConfig()).encoder.image_channels
        6
    """
    inner = encoder.encoder if isinstance(encoder, FrontedConfig) else encoder
    fitted = dataclasses.replace(inner, eyes=1, image_channels=front.out_channels)
    return FrontedConfig(front=front, encoder=fitted)


class FrontedEncoder(nn.Module):
    """An encoder that sees clips through a front end.

    Causality and the frames that a step stands for are the encoder's: front ends look at each
    frame by itself. The maps are the encoder's too; ``front(clips)`` gives what lies before them.
    """

    def __init__(self, config: FrontedConfig, front: nn.Module, encoder: nn.Module) -> None:
        """Take both modules; the configuration is what they were built from."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.front = front
        self.encoder = encoder
        self.causal = bool(getattr(encoder, "causal", False))
        self.least_frames: int = getattr(encoder, "least_frames", 1)
        self.image_size_px: int | None = getattr(encoder, "image_size_px", None)

    @property
    def frames_per_step(self) -> int:
        """Frames of the clip that one time step of the features stands for."""
        return getattr(self.encoder, "frames_per_step", 1)

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the encoder's features of clips with values in [0, 1]."""
        return self.encoder(self.front(clips))
