"""Scores of a whole set of images: representational similarity to the human maps."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from .over_ceilings import Resampling
from .results import SetScores
from .scores.similarity import feature_distances, map_distances, similarity_interval

RSA_OF_MAPS = "RSA of saliency maps"
RSA_OF_FEATURES = "RSA of features"
MOST_IMAGES = 1000
"""All pairs of images are compared, so more images have no such score."""
_MOST_RESAMPLES = 1000
"""Each resample ranks all pairs of images."""


def similarities(
    saliency: Float[Tensor, "image height width"],
    features: Float[Tensor, "image feature"],
    targets: Float[Tensor, "image height width"],
    resampling: Resampling,
) -> tuple[SetScores, ...]:
    """Return how far saliency and features order pairs of images as the target maps do.

    Nothing beyond ``MOST_IMAGES`` images.
    """
    if len(targets) > MOST_IMAGES:
        return ()
    wanted = map_distances(targets)
    compared = {
        RSA_OF_MAPS: ("saliency maps", map_distances(saliency)),
        RSA_OF_FEATURES: ("features", feature_distances(features)),
    }
    return tuple(
        SetScores(
            name=name,
            meaning=f"rank correlation between the distances of all pairs of {what} and those of "
            "the target maps",
            interval=similarity_interval(
                distances,
                wanted,
                np.random.default_rng(resampling.seed),
                resamples=min(resampling.resamples, _MOST_RESAMPLES),
                level=resampling.level,
            ),
        )
        for name, (what, distances) in compared.items()
    )
