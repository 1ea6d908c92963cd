"""What the experiments have in common: the small network, and how it learns from stills."""

from dataclasses import dataclass
from typing import Literal

from ..names import EncoderName, HarmonizerName

TargetName = Literal["own_class", "true_class", "norm"]


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How a small network learns from labelled stills, and how its saliency is made."""

    encoder: EncoderName = "stereo_cnn"
    """Which network."""
    size: int = 64
    """Height and width of images in pixels, while training and while scoring."""
    steps: int = 100
    """Optimiser steps of each network. On a few dozen images more of them learn those by heart."""
    stills: int = 8
    """Images in each step."""
    learning_rate: float = 2e-3
    """The highest."""
    seeds: int = 2
    """Networks with different first weights and orders of images; scores are means over them."""
    target: TargetName = "own_class"
    """Whose gradient is the saliency: the logit of the class that the network answers, of the
    image's own class (undefined for classes never trained), or the length of the feature vector."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        counts = ("size", "steps", "stills", "seeds")
        wrong = [name for name in counts if getattr(self, name) < 1]
        if wrong or self.learning_rate <= 0:
            raise ValueError(
                f"expected at least 1 for {', '.join(wrong) or 'all counts'} and a learning rate "
                f"above 0, got {self}"
            )


@dataclass(frozen=True, kw_only=True)
class Harmonizing:
    """How human maps are learned from, and on which images the result is measured."""

    preset: HarmonizerName = "co3d_fel"
    """Which published form of the neural harmonizer."""
    map_weight: float = 10.0
    """Weight of the human maps beside the labels (lambda); the twin has 0."""
    folds: int = 5
    """Every image is held out once; views of one object are held out together."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.folds < 2 or self.map_weight <= 0:
            raise ValueError(
                f"expected at least 2 folds and a weight of maps above 0, got {self.folds} and "
                f"{self.map_weight}"
            )
