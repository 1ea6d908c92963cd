"""Losses between a saliency map and a human map of the same size, one number for each still."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from .config import Comparison

EPSILON = 1e-8


def compare_maps(
    rule: Comparison,
    saliency: Float[Tensor, "still height width"],
    human: Float[Tensor, "still height width"],
    *,
    saliency_is_logit: bool = False,
) -> Float[Tensor, " still"]:
    """Return the loss of each still by any rule but the contrastive one."""
    first, second = saliency.flatten(1), human.flatten(1)
    if rule == "mse":
        return (second - first).square().mean(dim=1)
    if rule == "cosine":
        return 1 - F.cosine_similarity(first, second, dim=1)
    if rule == "cross-entropy":
        share = second / (second.sum(dim=1, keepdim=True) + EPSILON)
        guess = first / (first.sum(dim=1, keepdim=True) + EPSILON)
        return -(share * (guess + EPSILON).log()).sum(dim=1)
    if rule == "bce":
        return binary_cross_entropy(first, second, is_logit=saliency_is_logit).mean(dim=1)
    raise ValueError(f"expected a comparison of single stills, got {rule!r}")


def binary_cross_entropy(
    saliency: Float[Tensor, "still pixel"],
    human: Float[Tensor, "still pixel"],
    *,
    is_logit: bool = False,
) -> Float[Tensor, "still pixel"]:
    """Return the binary cross-entropy of each pixel, with human maps in [0, 1] as targets."""
    if is_logit:
        return F.binary_cross_entropy_with_logits(saliency, human, reduction="none")
    # Saliency reaches 0 and 1 exactly in every min-max map: bounded there, as log 0 has no slope.
    inside = saliency.clamp(EPSILON**0.5, 1 - EPSILON**0.5)
    return -(human * inside.log() + (1 - human) * (1 - inside).log())


def clicked_pixels_loss(
    saliency: Float[Tensor, "still height width"],
    human: Float[Tensor, "still height width"],
    *,
    saliency_is_logit: bool,
) -> Float[Tensor, " still"]:
    """Return binary cross-entropy where the human map is above 0, of the k most salient pixels.

    k is the number of pixels above 0 in the human map; all other saliency is set to 0. A still
    without such a pixel has loss 0.
    """
    first, second = saliency.flatten(1), human.flatten(1)
    clicked = second > 0
    count = clicked.sum(dim=1, keepdim=True)
    order = first.detach().argsort(dim=1, descending=True)
    rank = torch.empty_like(order).scatter_(
        1, order, torch.arange(order.shape[1], device=order.device).expand_as(order)
    )
    kept = torch.where(rank < count, first, 0)
    losses = binary_cross_entropy(kept, second, is_logit=saliency_is_logit)
    return (losses * clicked).sum(dim=1) / count[:, 0].clamp_min(1)


def contrastive_loss(
    saliency: Float[Tensor, "still height width"],
    human: Float[Tensor, "still height width"],
    *,
    temperature: float,
) -> Float[Tensor, ""]:
    """Return the symmetric cross-entropy of telling which human map belongs to which saliency.

    Cosines of the maps over a temperature are the logits, as in CLIP (Radford et al. 2021).
    """
    first = F.normalize(saliency.flatten(1), dim=1)
    second = F.normalize(human.flatten(1), dim=1)
    logits = first @ second.T / temperature
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
