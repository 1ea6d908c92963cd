"""How saliency agrees with human maps, and labels are told, on stills not trained on."""

import math
from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..objective import Batch, Truth
from .classifier import SeenStills
from .config import HarmonizerConfig
from .pyramid import disc_blur
from .ranks import spearman, unit_ranks
from .saliency import join_channels

_TOGETHER = 8
"""Stills in memory at once; changes nothing in the result beyond rounding."""

See = Callable[[Tensor, Tensor], SeenStills]


def stills_of(batches: Iterable[Batch]) -> Truth:
    """Return the stills, labels, maps and tokens that batches bring; empty if none does."""
    found = [truth for _, truth in batches if "stills" in truth]
    names = ("stills", "still_labels", "still_maps", "still_tokens")
    return {
        name: torch.cat([truth[name] for truth in found])
        for name in names
        if found and all(name in truth for truth in found)
    }


def report_stills(
    see: See, config: HarmonizerConfig, training: Truth, held_out: Truth, *, classes: int
) -> dict[str, float]:
    """Return measures on held-out stills with their floors.

    Args:
        see: images and labels to what the network makes of them.
        config: whose saliency is measured.
        training: stills that were trained on, uncropped; may be empty.
        held_out: stills that were not.
        classes: how many labels there are.

    Returns:
        ``stills_alignment``: mean Spearman's rho with the human map of the gradient's largest size
        over channels, blurred twice by the disc, as ClickMe 2.0 is scored; ``.._fine``: the same
        without blur, as Fel et al. score; ``.._trained``: of the map that the loss compares, before
        it is cut and scaled. Each also ``.._training``, on training stills.
        Floors ``stills_alignment_centre`` (a centred Gaussian) and ``stills_alignment_other_map``
        (the human maps of other held-out stills); ``stills_scored``: how many held-out stills have
        a rho at all.
        ``stills_cross_entropy`` and ``stills_accuracy``, with ``.._chance`` of guessing evenly, and
        ``stills_accuracy_training``.
    """
    if "stills" not in held_out:
        raise ValueError(
            "expected labelled stills with human maps beside the held-out clips, got none; train "
            "with a source of stills (--maps)"
        )
    report = _measures(see, config, held_out)
    report |= {
        "stills_alignment_centre": _mean(_scores(_centre_like(held_out["still_maps"]), held_out)),
        "stills_alignment_other_map": _other_map(held_out),
        "stills_cross_entropy_chance": math.log(classes),
        "stills_accuracy_chance": 1 / classes,
    }
    if "stills" in training:
        of_training = _measures(see, config, training)
        kept = [name for name in of_training if "alignment" in name or "accuracy" in name]
        report |= {f"{name}_training": of_training[name] for name in kept}
    return report


def _measures(see: See, config: HarmonizerConfig, truth: Truth) -> dict[str, float]:
    """Return what is measured on training and held-out stills alike."""
    gradient, logits = _look(see, truth)
    largest = join_channels(gradient, "abs-max")
    labels = truth["still_labels"]
    rho = _scores(disc_blur(disc_blur(largest)), truth)
    return {
        "stills_alignment": _mean(rho),
        "stills_alignment_fine": _mean(_scores(largest, truth)),
        "stills_alignment_trained": _mean(_scores(join_channels(gradient, config.channels), truth)),
        "stills_scored": float(rho.isfinite().sum()),
        "stills_cross_entropy": float(F.cross_entropy(logits, labels)),
        "stills_accuracy": float((logits.argmax(dim=1) == labels).float().mean()),
    }


def _look(see: See, truth: Truth) -> tuple[Tensor, Tensor]:
    """Return the gradients by the image and the logits of all stills."""
    images, labels = truth["stills"], truth["still_labels"]
    batches = zip(images.split(_TOGETHER), labels.split(_TOGETHER), strict=True)
    seen = [see(some, of_some) for some, of_some in batches]
    return torch.cat([each.gradient for each in seen]), torch.cat([each.logits for each in seen])


def _scores(maps: Float[Tensor, "still height width"], truth: Truth) -> Float[Tensor, " still"]:
    """Return rho with each still's human map; NaN for stills without one."""
    rho = spearman(maps, truth["still_maps"])
    tokens = truth.get("still_tokens")
    return rho if tokens is None else torch.where(tokens > 0, rho, torch.nan)


def _other_map(truth: Truth) -> float:
    """Return the mean rho of human maps with those of all other stills."""
    ranks = unit_ranks(truth["still_maps"])
    tokens = truth.get("still_tokens")
    if tokens is not None:
        ranks = ranks[tokens > 0]
    rhos = (ranks @ ranks.T).fill_diagonal_(torch.nan)
    return _mean(rhos)


def _centre_like(maps: Float[Tensor, "still height width"]) -> Tensor:
    """Return a Gaussian at the centre with a standard deviation of a third of each side."""
    profiles = []
    for size in maps.shape[-2:]:
        offset = (torch.arange(size, device=maps.device) + 0.5) / size - 0.5
        profiles.append(torch.exp(-offset.square() * 9 / 2))
    return torch.outer(*profiles).expand(len(maps), -1, -1)


def _mean(scores: Tensor) -> float:
    """Return the mean of what is defined, or NaN where nothing is."""
    return float(scores.nanmean())
