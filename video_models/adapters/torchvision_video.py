"""The networks of ``torchvision.models.video`` as encoders (extra ``vision``)."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from ..clip_checks import check_clips_for, check_eyes
from ..encoder import Features
from .import_torchvision import torchvision_video_models
from .late_fusion import channel_values, features_of, fitted, normalised
from .torchvision_trunks import TRUNKS, TorchvisionName, without_heads
from .weights import load_all_but, read_weights


@dataclass(frozen=True, kw_only=True)
class TorchvisionVideoConfig:
    """Which network, and with which weights."""

    network: TorchvisionName = "r3d_18"
    """Of ``torchvision.models.video``."""
    eyes: int = 2
    """1 or 2. Two eyes pass the network one by one; their maps become sum and difference."""
    image_channels: int = 3
    """These networks take 3."""
    weights: str | None = None
    """A local ``.pth`` or ``.safetensors`` file of the network; None draws random weights. Nothing
    is downloaded."""
    resize: bool = True
    """Resize square frames to the only size that a network takes (``mvit_v2_s``: 224); if not,
    refuse those of another size."""

    def __post_init__(self) -> None:
        """Refuse networks that do not exist."""
        check_eyes(self.eyes, "siamese")
        if self.network not in TRUNKS:
            raise ValueError(f"expected a network out of {sorted(TRUNKS)}, got {self.network!r}")
        if self.image_channels != 3:
            raise ValueError(f"expected image_channels 3, got {self.image_channels}")


class TorchvisionVideo(nn.Module):
    """Encoder around a network of torchvision; its features depend on later frames."""

    causal = False

    def __init__(self, config: TorchvisionVideoConfig) -> None:
        """Build the network, with random weights from torch's current random state or a file's.

        Raises:
            ImportError: torchvision is not installed; names the extra.
            FileNotFoundError, ValueError: no weights at the path, or those of another network.
        """
        super().__init__()
        models = torchvision_video_models()
        self.config = config
        self.eyes = config.eyes
        self.trunk = TRUNKS[config.network]
        self.frames_per_step = self.trunk.frames_per_step
        self.least_frames = self.trunk.fixed_frames or self.frames_per_step
        self.image_size_px = self.trunk.fixed_size_px
        net = getattr(models, config.network)(weights=None)
        self.net = without_heads(net, self.trunk.heads)
        if config.weights is not None:
            weights = read_weights(Path(config.weights))
            load_all_but(self.net, weights, self.trunk.heads, network=config.network)
        mean, std = self.trunk.normalisation
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", channel_values("mean", mean, 3), persistent=False)
        self.register_buffer("std", channel_values("std", std, 3), persistent=False)

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the network's maps, averaged down to the deepest one's time steps.

        Args:
            clips: values in [0, 1]; a number of frames that ``frames_per_step`` divides.
        """
        trunk, network = self.trunk, self.config.network
        check_clips_for(
            self.config,
            clips,
            smallest_px=trunk.smallest_px,
            frames_per_step=trunk.frames_per_step,
        )
        if trunk.fixed_frames not in (None, clips.shape[2]):
            raise ValueError(
                f"expected clips of {trunk.fixed_frames} frames, the only length that {network} "
                f"takes, got {clips.shape[2]}"
            )
        clips = fitted(clips, self.image_size_px, resize=self.config.resize, network=network)
        maps = trunk.maps(self.net, normalised(clips, self.mean, self.std))
        return features_of(maps, eyes=self.eyes, frames=clips.shape[2], network=network)
