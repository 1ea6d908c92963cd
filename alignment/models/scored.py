"""A model to score: the encoder, what images it wants, and what is known of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ...video_models.encoder import Encoder
from ..prepare import CENTRE_CROP, Interpolation, Preparation
from .image_encoder import ImageEncoder
from .untrained import untrained_copy

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class PublishedTop1:
    """ImageNet accuracy as its authors state it; nothing here measures it."""

    percent: float
    source: str


@dataclass(frozen=True, kw_only=True)
class ScoredModel:
    """Anything whose saliency can be compared with people's."""

    name: str
    encoder: Encoder
    """Clips in [0, 1] to features."""
    preparation: Preparation
    weights: str
    """Where the weights come from, in words."""
    untrained: Encoder | None = None
    """The same architecture with random weights; None if there is none to be had."""
    is_classifier: bool = True
    """Whether the pooled features are class logits."""
    clip_frames: int = 1
    """Frames for which a still image is shown."""
    classes: tuple[str, ...] | None = None
    """Words for each logit, if known."""
    parameters: int = 0
    """Numbers that are learned."""
    top1: PublishedTop1 | None = None
    folder: Path | None = None
    """Of the training run that made it, if one did."""

    @classmethod
    def from_module(  # noqa: PLR0913 - each says one thing of a foreign network
        cls,
        network: nn.Module,
        *,
        name: str = "",
        size: int = 224,
        mean: Triple = (0.485, 0.456, 0.406),
        sd: Triple = (0.229, 0.224, 0.225),
        crop_share: float = CENTRE_CROP,
        interpolation: Interpolation = "bicubic",
        classes: tuple[str, ...] | None = None,
        untrained: nn.Module | None = None,
        seed: int = 0,
        weights: str = "as given",
        top1: PublishedTop1 | None = None,
    ) -> "ScoredModel":
        """Return any image classifier as a model to score.

        Args:
            network: Images ``[batch, 3, size, size]`` to logits ``[batch, class]``. It is put into
                evaluation mode, and its weights are frozen.
            name: By default the name of its class.
            size: Side of its input in pixels.
            mean: What it expects to be subtracted from images in [0, 1]; by default ImageNet's.
            sd: What each channel is divided by then.
            crop_share: Share of the short side that the centre crop keeps.
            interpolation: How images are brought to size.
            classes: Words for each logit.
            untrained: The same architecture with random weights, for the floor; by default a copy
                drawn anew, where that can be done (see `untrained_copy`).
            seed: Of that copy.
            weights: Where the weights come from, in words.
            top1: Published accuracy.

        Example:
            >>> network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
            >>> ScoredModel.from_module(network, name="tiny", size=32).parameters
            224
        """
        random = untrained if untrained is not None else untrained_copy(network, seed=seed)

        def encoder(of: nn.Module) -> ImageEncoder:
            wrapped = ImageEncoder(of, mean=mean, sd=sd).eval()
            return wrapped.requires_grad_(requires_grad=False)

        return cls(
            name=name or type(network).__name__,
            encoder=encoder(network),
            untrained=None if random is None else encoder(random),
            preparation=Preparation(size=size, crop_share=crop_share, interpolation=interpolation),
            weights=weights,
            classes=classes,
            parameters=sum(each.numel() for each in network.parameters()),
            top1=top1,
        )

    def to_dict(self) -> Mapping[str, Any]:
        """Return what is known of it as plain data."""
        return {
            "name": self.name,
            "parameters": self.parameters,
            "weights": self.weights,
            "preparation": asdict(self.preparation),
            "clip_frames": self.clip_frames,
            "published_top1": None if self.top1 is None else asdict(self.top1),
        }
