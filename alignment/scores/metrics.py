"""Scores of a saliency map against a target map.

Every score here is a dot product of an encoded map with an encoded target, followed by a step that
knows the target alone. So the scores of all maps against all targets, which the floors need, are
one matrix product. Undefined scores are NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .ranks import average_ranks, unit_ranks

_LEAST_SHARE = 1e-3
"""Share of uniform saliency mixed in before the logarithm, which bounds it at about -10 bits."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A score with its meaning; higher is better."""

    name: str
    meaning: str
    chance: float | None
    """Expected score of a map that knows nothing, where one number says it."""
    encode: Callable[[Tensor], Tensor]
    """Maps ``[map, pixel]`` to what is multiplied, float64 of the same shape."""
    encode_target: Callable[[Tensor], Tensor]
    finish: Callable[[Tensor, Tensor], Tensor]
    """Dot products ``[..., target]`` and encoded targets to scores ``[..., target]``."""


def own_scores(
    metric: Metric,
    maps: Float[Tensor, "image height width"],
    targets: Float[Tensor, "image height width"],
) -> Float[Tensor, " image"]:
    """Return the score of each map against the target of the same image (float64)."""
    encoded = metric.encode_target(targets.flatten(1))
    dots = (metric.encode(maps.flatten(1)) * encoded).sum(dim=1)
    return metric.finish(dots, encoded)


def pair_scores(
    metric: Metric,
    maps: Float[Tensor, "map height width"],
    targets: Float[Tensor, "target height width"],
) -> Float[Tensor, "map target"]:
    """Return the score of every map against every target (float64)."""
    encoded = metric.encode_target(targets.flatten(1))
    return metric.finish(metric.encode(maps.flatten(1)) @ encoded.T, encoded)


def _mass_shares(maps: Tensor) -> Tensor:
    """Return maps scaled to sum 1, NaN where the sum is 0."""
    if (maps < 0).any():
        raise ValueError(
            "expected saliency of at least 0 for the share of its mass on an object, got negative "
            "values; use a recipe with channels 'abs-max' or 'abs-mean'"
        )
    maps = maps.to(torch.float64)
    total = maps.sum(dim=1, keepdim=True)
    return maps / torch.where(total == 0, torch.nan, total)


def _peaks(maps: Tensor) -> Tensor:
    """Return 1 at the largest value of each map, shared where several are largest."""
    peaks = (maps == maps.amax(dim=1, keepdim=True)).to(torch.float64)
    return _nan_rows(maps, peaks / peaks.sum(dim=1, keepdim=True))


def _ranks(maps: Tensor) -> Tensor:
    return _nan_rows(maps, average_ranks(maps))


def _nan_rows(maps: Tensor, encoded: Tensor) -> Tensor:
    return encoded.masked_fill(maps.isnan().any(dim=1, keepdim=True), torch.nan)


def _inside(targets: Tensor) -> Tensor:
    """Return 1 on pixels that a mask in [0, 1] covers at least half, where it was resized."""
    return (targets >= 0.5).to(torch.float64)


def _area(inside: Tensor) -> Tensor:
    """Return the share of pixels inside each mask; NaN where it is empty or everything."""
    area = inside.mean(dim=1)
    return torch.where((area > 0) & (area < 1), area, torch.nan)


def _enrichment(share_inside: Tensor, inside: Tensor) -> Tensor:
    area = _area(inside)
    return torch.log2((share_inside / area + _LEAST_SHARE) / (1 + _LEAST_SHARE))


def _hit(share_of_peak: Tensor, inside: Tensor) -> Tensor:
    return share_of_peak + 0 * _area(inside)


def _auc(rank_sum: Tensor, inside: Tensor) -> Tensor:
    """Return the Mann-Whitney statistic over the number of pairs."""
    count = _area(inside) * inside.shape[1]
    return (rank_sum - count * (count + 1) / 2) / (count * (inside.shape[1] - count))


SPEARMAN = Metric(
    name="Spearman",
    meaning="rank correlation over pixels, ties sharing their mean rank",
    chance=0.0,
    encode=unit_ranks,
    encode_target=unit_ranks,
    finish=lambda dots, _: dots,
)
ENRICHMENT = Metric(
    name="enrichment",
    meaning="log2 of saliency per pixel on the object over saliency per pixel in the whole image",
    chance=0.0,
    encode=_mass_shares,
    encode_target=_inside,
    finish=_enrichment,
)
POINTING = Metric(
    name="pointing game",
    meaning="share of images whose most salient pixel lies on the object",
    chance=None,
    encode=_peaks,
    encode_target=_inside,
    finish=_hit,
)
AUC = Metric(
    name="AUC",
    meaning="chance that a pixel on the object is more salient than one on the background",
    chance=0.5,
    encode=_ranks,
    encode_target=_inside,
    finish=_auc,
)
