"""What a PredNet returns: features, and what it had predicted."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..encoder import Features


@dataclass(frozen=True, kw_only=True)
class PredNetFeatures(Features):
    """Features of a ``PredNet`` with its predictions and their errors."""

    predictions: Float[Tensor, "batch eye time image_channel height width"]
    """Of every frame, made before that frame was seen. That of frame 0 knows no frame at all."""
    layer_errors: Float[Tensor, "batch time layer"]
    """Mean of the error units ``E_l`` at every frame, from layer 0 up; float32 or more."""
