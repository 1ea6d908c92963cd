"""How much of their space features fill: the signs of collapse."""

import torch
from jaxtyping import Float
from torch import Tensor

from .across_ranks import mean_of_rows, sum_across_ranks


def effective_rank(features: Float[Tensor, "samples channel"]) -> Float[Tensor, ""]:
    """Return how many dimensions centred features fill, between 1 and their number of channels.

    ``exp(-sum p log p)`` with p the singular values over their sum (Roy & Vetterli 2007; RankMe,
    arXiv 2210.02885). 0 if the features are constant: then no dimension is filled. NaN if they
    are not finite. In a data-parallel run it is that of the features of all ranks.
    """
    # In float64 the mean of equal float32 numbers is that number: constant features centre to 0.
    features = features.double()
    centred = features - mean_of_rows(features)
    scatter = sum_across_ranks(centred.T @ centred)
    if not bool(scatter.isfinite().all()):
        return torch.full((), torch.nan)
    values = torch.linalg.eigvalsh(scatter).clamp_min(0).sqrt()
    if float(values[-1]) == 0:
        return torch.zeros(())
    # Rounding leaves eigenvalues of about 1e-16 of the largest where there is none.
    shares = values[values > 1e-7 * values[-1]]
    shares = shares / shares.sum()
    return (-(shares * shares.log()).sum()).exp().float()


def feature_std(features: Float[Tensor, "samples channel"]) -> Float[Tensor, ""]:
    """Return the mean over channels of their standard deviation over the samples of all ranks."""
    return mean_of_rows((features - mean_of_rows(features)).square()).sqrt().mean()
