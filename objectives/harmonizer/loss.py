"""The harmonizer's loss of saliency against human maps, and the decay beside it."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor

from .compare import clicked_pixels_loss, compare_maps, contrastive_loss
from .config import HarmonizerConfig
from .normalise import min_max, scale_to_peak, standardise_cut
from .pyramid import disc_blur, pyramid

UNDECAYED = ("bn", "normalization", "embed", "norm", "class_token")
"""Parameters with one of these in their name carry no decay in the reference."""

Project = Callable[[Tensor], Tensor]


def harmonizer_loss(
    config: HarmonizerConfig,
    saliency: Float[Tensor, "still height width"],
    human: Float[Tensor, "still height width"],
    tokens: Float[Tensor, " still"],
    *,
    project: Project | None = None,
) -> Float[Tensor, ""]:
    """Return the loss between saliency and human maps.

    Args:
        config: how they are normalised and compared.
        saliency: signed or not; carries the gradient.
        human: attention maps; their scale plays no part, except with ``normalise='none'``.
        tokens: 1 for a still with a human map, 0 for one without. The mean is over all stills, as
            in the reference; the contrastive loss leaves stills without a map out.
        project: learned map of normalised saliency ``[still, 1, height, width]``.
    """
    saliency, human = normalised(config, saliency, human)
    if project is not None:
        saliency = project(saliency[:, None])[:, 0]
    is_logit = project is not None
    if config.compare == "contrastive":
        has_map = tokens > 0
        if int(has_map.sum()) < 2:
            raise ValueError(
                "expected at least 2 stills with a human map for the contrastive comparison, got "
                f"{int(has_map.sum())}: there is nothing to tell apart"
            )
        return contrastive_loss(saliency[has_map], human[has_map], temperature=config.temperature)
    if config.clicked_only:
        return (clicked_pixels_loss(saliency, human, saliency_is_logit=is_logit) * tokens).mean()
    scales = zip(_scales(config, saliency), _scales(config, human), strict=True)
    losses = [
        (compare_maps(config.compare, s, h, saliency_is_logit=is_logit) * tokens).mean()
        for s, h in scales
    ]
    return torch.stack(losses).mean()


def normalised(
    config: HarmonizerConfig,
    saliency: Float[Tensor, "still height width"],
    human: Float[Tensor, "still height width"],
) -> tuple[Float[Tensor, "still height width"], Float[Tensor, "still height width"]]:
    """Return both maps as the configuration compares them, before any projection and pyramid."""
    if config.blur_saliency:
        saliency = disc_blur(disc_blur(saliency))
    if config.normalise == "min-max":
        return min_max(saliency), min_max(human)
    if config.normalise == "none":
        return saliency, human
    epsilon, unbiased = config.std_epsilon, config.unbiased_std
    saliency = standardise_cut(saliency, epsilon=epsilon, unbiased=unbiased)
    human = standardise_cut(human, epsilon=epsilon, unbiased=unbiased)
    return saliency, scale_to_peak(human, saliency, detach=config.detach_peak)


def half_squared_weights(named: Iterable[tuple[str, Tensor]]) -> Float[Tensor, ""]:
    """Return ``sum v^2 / 2`` over the named weights that the reference decays."""
    decayed = [
        weight.float().square().sum() / 2
        for name, weight in named
        if weight.requires_grad and not any(each in name for each in UNDECAYED)
    ]
    return torch.stack(decayed).sum() if decayed else torch.zeros(())


def _scales(config: HarmonizerConfig, maps: Tensor) -> list[Tensor]:
    return pyramid(maps, config.levels, kernel=config.pyramid, padding=config.padding)
