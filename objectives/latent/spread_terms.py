"""Terms that keep features from collapsing, for objectives that would let them."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..across_ranks import mean_of_rows, second_moment
from ..precision import at_least_float32


def spread_terms(
    features: Float[Tensor, "samples channel"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the variance and the covariance term of VICReg (Bardes et al. 2022, arXiv 2105.04906).

    Variance: the mean over channels of ``max(0, 1 - sqrt(variance + 1e-4))``; 0 where every channel
    spreads by 1 or more, 0.99 for constant features. Covariance: the sum of squared covariances of
    different channels over the number of channels. 0 for constant features too, so it says nothing
    by itself. In a data-parallel run both are those of the features of all ranks.
    """
    features = at_least_float32(features)
    covariance = second_moment(features - mean_of_rows(features))
    variance = covariance.diagonal()
    narrow = F.relu(1 - (variance + 1e-4).sqrt()).mean()
    shared = (covariance.square().sum() - variance.square().sum()) / len(variance)
    return narrow, shared
