"""What a neural harmonizer compares and how."""

from dataclasses import dataclass
from typing import Literal, get_args

Scalar = Literal["true-logit", "top-logit", "feature-norm"]
ChannelRule = Literal["signed-mean", "abs-max"]
NormaliseRule = Literal["standardise-cut", "min-max", "none"]
PyramidKernel = Literal["binomial", "disc"]
Padding = Literal["same", "zero"]
Comparison = Literal["mse", "bce", "cosine", "cross-entropy", "contrastive"]
_CHOICES = {
    "scalar": Scalar,
    "channels": ChannelRule,
    "normalise": NormaliseRule,
    "pyramid": PyramidKernel,
    "padding": Padding,
    "compare": Comparison,
}


@dataclass(frozen=True, kw_only=True)
class HarmonizerConfig:
    """Settings of the harmonizer's loss; the defaults are the TensorFlow reference (``fel2022``).

    Fel, Felipe, Linsley & Serre 2022, "Harmonizing the object recognition strategies of deep
    neural networks with humans" (arXiv 2211.04533).
    """

    scalar: Scalar = "true-logit"
    """What is differentiated by the image: the logit of the labelled class, the largest logit, or
    the length of the feature vector, which needs no labels."""
    channels: ChannelRule = "signed-mean"
    """How the gradient's colour channels become one map."""
    blur_saliency: bool = False
    """Blur the saliency twice with the disc that ClickMe 2.0 blurs clicks with (21 px of 224)."""
    normalise: NormaliseRule = "standardise-cut"
    """``standardise-cut``: ``relu((h - mean) / (std + epsilon))`` of both maps, then the human map
    is scaled to the saliency's maximum. ``min-max``: both to [0, 1]."""
    std_epsilon: float = 1e-5
    unbiased_std: bool = False
    """Divide by n - 1 in the variance; the reference divides by n."""
    detach_peak: bool = True
    """Stop the gradient at the saliency's maximum that the human map is scaled to."""
    projection_width: int = 0
    """Hidden channels of a learned 1x1-ReLU-1x1 map on the normalised saliency; 0 for none."""
    clicked_only: bool = False
    """Keep the k most salient pixels, set others to 0, and compare where the human map is above
    0; k is how many pixels that is."""
    levels: int = 5
    """Of the pyramid, with the full map; 1 is no pyramid."""
    pyramid: PyramidKernel = "binomial"
    """``binomial``: 5 x 5, stride 2. ``disc``: the disc of ``blur_saliency``, then 2 x 2 means."""
    padding: Padding = "same"
    """Zeros around a map before the binomial kernel: TensorFlow's SAME, which is 1 before and 2
    after on even sizes, or 2 on every side, which samples one pixel earlier."""
    compare: Comparison = "mse"
    """Loss at each level. ``bce`` reads normalised saliency as a probability, or a projection as
    its logit; ``cross-entropy`` makes both maps sum to 1; ``contrastive`` tells the images of a
    batch apart by their maps."""
    temperature: float = 0.07
    """Of the contrastive comparison."""
    map_weight: float = 1.0
    """Weight of the harmonizer's loss beside the cross-entropy: lambda."""
    label_smoothing: float = 0.1
    weight_decay: float = 1e-5
    """Of half the sum of squared weights, in the loss, except of norms and embeddings."""
    relative_to_chance: bool = False
    """Divide the cross-entropy by that of guessing, and the harmonizer's loss by ln 2."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        for name, choices in _CHOICES.items():
            chosen, known = getattr(self, name), get_args(choices)
            if chosen not in known:
                raise ValueError(f"expected {name} to be one of {known}, got {chosen!r}")
        if self.levels < 1 or self.projection_width < 0:
            raise ValueError(
                f"expected at least 1 level and a projection width of at least 0, got {self}"
            )
        if min(self.std_epsilon, self.temperature) <= 0:
            raise ValueError(f"expected std_epsilon and temperature above 0, got {self}")
        if min(self.map_weight, self.weight_decay) < 0 or not 0 <= self.label_smoothing < 1:
            raise ValueError(
                "expected map_weight and weight_decay of at least 0 and label_smoothing in "
                f"[0, 1), got {self}"
            )
        if self.clicked_only and (self.levels > 1 or self.compare != "bce"):
            raise ValueError("clicked_only compares single pixels: use levels=1 and compare='bce'")
        if self.compare == "bce" and not (self.projection_width or self.normalise == "min-max"):
            raise ValueError("compare='bce' needs normalise='min-max' or a projection")
        if self.compare == "cross-entropy" and (self.normalise == "none" or self.projection_width):
            raise ValueError(
                "compare='cross-entropy' needs maps of at least 0: normalise them, and project none"
            )
