"""Saliency of still images that can be trained: the gradient of a scalar by the image."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .config import ChannelRule, Scalar


def still_clips(
    images: Float[Tensor, "still channel height width"], *, eyes: int, frames: int
) -> Float[Tensor, "still eyes frames channel height width"]:
    """Return clips in which both eyes see each image, fixated, in all frames.

    The gradient by ``images`` is the sum of those by all eyes and frames, for all show the image.
    """
    return images[:, None, None].expand(-1, eyes, frames, -1, -1, -1)


def driving_scalar(
    rule: Scalar,
    pooled: Float[Tensor, "still channel"],
    logits: Float[Tensor, "still class_"],
    labels: Int[Tensor, " still"],
) -> Float[Tensor, " still"]:
    """Return the scalar of each still whose gradient is its saliency."""
    if rule == "feature-norm":
        return torch.linalg.vector_norm(pooled, dim=1)
    if rule == "top-logit":
        return logits.amax(dim=1)
    return logits.gather(1, labels[:, None])[:, 0]


def image_gradient(
    scalars: Float[Tensor, " still"],
    images: Float[Tensor, "still channel height width"],
    *,
    create_graph: bool,
) -> Float[Tensor, "still channel height width"]:
    """Return the gradient of each still's scalar by its image.

    Args:
        scalars: of stills that do not depend on each other, as their sum is differentiated.
        images: what they were computed from; requires gradient.
        create_graph: whether the gradient can itself be trained.

    Raises:
        RuntimeError: the scalars do not depend on the images.
    """
    grad = None
    if scalars.requires_grad:
        (grad,) = torch.autograd.grad(
            scalars.sum(), images, create_graph=create_graph, allow_unused=True
        )
    if grad is None:
        raise RuntimeError(
            "expected features that depend on the image, got features without gradient to it; the "
            "encoder must not detach its input or run under no_grad"
        )
    return grad


def join_channels(
    gradient: Float[Tensor, "still channel height width"], rule: ChannelRule
) -> Float[Tensor, "still height width"]:
    """Return one map for each still: the signed mean over channels, or the largest size."""
    return gradient.mean(dim=1) if rule == "signed-mean" else gradient.abs().amax(dim=1)
