"""Scores of a saliency map against a target map.

Most scores are a dot product of an encoded map with an encoded target, followed by a step that
knows the target alone (`Metric`). So the scores of all maps against all targets, which the floors
need, are one matrix product. The others compare row by row (`RowMetric`). In all of them higher is
better, and undefined scores are NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from .ranks import average_ranks, unit_ranks

_ROWS_AT_ONCE = 64
"""Maps encoded together, so that memory does not grow with the number of images."""
_LEAST_SHARE = 1e-3
"""Share of uniform saliency mixed in before the logarithm, which bounds it at about -10 bits."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A score that is a dot product, with its meaning."""

    name: str
    meaning: str
    chance: float | None
    """Expected score of a map that knows nothing, where one number says it."""
    encode: Callable[[Tensor], Tensor]
    """Maps ``[map, pixel]`` to what is multiplied, float64 of the same shape."""
    encode_target: Callable[[Tensor], Tensor]
    finish: Callable[[Tensor, Tensor], Tensor]
    """Dot products ``[..., target]`` and encoded targets to scores ``[..., target]``."""
    shrink: int = 1
    """Maps are first averaged over squares of this many pixels a side."""

    def own(self, maps: Tensor, targets: Tensor) -> Tensor:
        """Return the score of each row of ``maps`` with the same row of ``targets``."""
        encoded = self.encode_target(targets)
        return self.finish((self.encode(maps) * encoded).sum(dim=1), encoded)

    def pairs(self, maps: Tensor, targets: Tensor) -> Tensor:
        """Return the score of every row of ``maps`` with every row of ``targets``."""
        encoded = self.encode_target(targets)
        return self.finish(self.encode(maps) @ encoded.T, encoded)


@dataclass(frozen=True, kw_only=True)
class RowMetric:
    """A score that is no dot product: rows of encoded maps are compared one by one."""

    name: str
    meaning: str
    chance: float | None
    encode: Callable[[Tensor], Tensor]
    encode_target: Callable[[Tensor], Tensor]
    compare: Callable[[Tensor, Tensor], Tensor]
    """Encoded maps and encoded targets, both ``[row, pixel]``, to scores ``[row]``."""
    compare_all: Callable[[Tensor, Tensor], Tensor] | None = None
    """A faster way to compare all rows with all: encoded ``[map, pixel]`` and ``[target, pixel]``
    to scores ``[map, target]``."""
    shrink: int = 1

    def own(self, maps: Tensor, targets: Tensor) -> Tensor:
        """Return the score of each row of ``maps`` with the same row of ``targets``."""
        return self.compare(self.encode(maps), self.encode_target(targets))

    def pairs(self, maps: Tensor, targets: Tensor) -> Tensor:
        """Return the score of every row of ``maps`` with every row of ``targets``."""
        encoded, wanted = self.encode(maps), self.encode_target(targets)
        if self.compare_all is not None:
            return self.compare_all(encoded, wanted)
        columns = [self.compare(encoded, target.expand(encoded.shape)) for target in wanted]
        empty = torch.empty(len(maps), 0, dtype=torch.float64, device=maps.device)
        return torch.stack(columns, dim=1) if columns else empty


AnyMetric = Metric | RowMetric


def own_scores(
    metric: AnyMetric, maps: Float[Tensor, "_ _ _"], targets: Float[Tensor, "_ _ _"]
) -> Float[Tensor, " image"]:
    """Return the score of each map against the target of the same image (float64).

    Both are ``[image, height, width]``, of one size.
    """
    if maps.shape != targets.shape:
        raise ValueError(
            f"expected a map and a target of one size for each image, got maps "
            f"{tuple(maps.shape)} and targets {tuple(targets.shape)}"
        )
    few = zip(maps.split(_ROWS_AT_ONCE), targets.split(_ROWS_AT_ONCE), strict=True)
    scores = [
        metric.own(_pixels(each, metric.shrink), _pixels(target, metric.shrink))
        for each, target in few
    ]
    return torch.cat(scores)


def pair_scores(
    metric: AnyMetric, maps: Float[Tensor, "_ _ _"], targets: Float[Tensor, "_ _ _"]
) -> Float[Tensor, "map target"]:
    """Return the score of every map against every target (float64).

    Maps are ``[map, height, width]`` and targets ``[target, height, width]``, of one size.
    """
    if maps.shape[1:] != targets.shape[1:]:
        raise ValueError(
            f"expected maps and targets of one size, got maps {tuple(maps.shape)} and targets "
            f"{tuple(targets.shape)}"
        )
    return metric.pairs(_pixels(maps, metric.shrink), _pixels(targets, metric.shrink))


def spearman_at(shrink: int) -> Metric:
    """Return Spearman's rho of maps averaged over squares of ``shrink`` pixels a side.

    Fel et al.'s research code also scores at 1/4 and 1/16 of the resolution.
    """
    if shrink < 1:
        raise ValueError(f"expected squares of at least 1 pixel a side, got {shrink}")
    return Metric(
        name="Spearman" if shrink == 1 else f"Spearman at 1/{shrink}",
        meaning="rank correlation over pixels, ties sharing their mean rank"
        + ("" if shrink == 1 else f", at 1/{shrink} of the resolution"),
        chance=0.0,
        encode=unit_ranks,
        encode_target=unit_ranks,
        finish=lambda dots, _: dots,
        shrink=shrink,
    )


def mass_shares(maps: Float[Tensor, "map pixel"]) -> Float[Tensor, "map pixel"]:
    """Return maps scaled to sum 1 (float64), NaN where the sum is 0."""
    if (maps < 0).any():
        raise ValueError(
            "expected saliency of at least 0 for shares of its mass, got negative values; use a "
            "recipe with channels 'abs-max' or 'abs-mean'"
        )
    maps = maps.to(torch.float64)
    total = maps.sum(dim=1, keepdim=True)
    return maps / torch.where(total == 0, torch.nan, total)


def nan_rows(maps: Tensor, encoded: Tensor) -> Tensor:
    """Return ``encoded`` with NaN in the rows in which ``maps`` holds NaN."""
    return encoded.masked_fill(maps.isnan().any(dim=1, keepdim=True), torch.nan)


def share_inside(inside: Float[Tensor, "target pixel"]) -> Float[Tensor, " target"]:
    """Return the share of pixels inside each mask; NaN where it is empty or everything."""
    area = inside.mean(dim=1)
    return torch.where((area > 0) & (area < 1), area, torch.nan)


def mann_whitney(rank_sum: Tensor, inside: Tensor) -> Tensor:
    """Return the chance that a pixel inside outranks one outside: U over the number of pairs."""
    count = share_inside(inside) * inside.shape[1]
    return (rank_sum - count * (count + 1) / 2) / (count * (inside.shape[1] - count))


def _pixels(maps: Tensor, shrink: int) -> Tensor:
    if shrink > 1:
        size = [max(1, side // shrink) for side in maps.shape[-2:]]
        maps = functional.interpolate(maps[:, None], size=size, mode="area")[:, 0]
    return maps.flatten(1)


def _peaks(maps: Tensor) -> Tensor:
    """Return 1 at the largest value of each map, shared where several are largest."""
    peaks = (maps == maps.amax(dim=1, keepdim=True)).to(torch.float64)
    return nan_rows(maps, peaks / peaks.sum(dim=1, keepdim=True))


def _inside(targets: Tensor) -> Tensor:
    """Return 1 on pixels that a mask in [0, 1] covers at least half, where it was resized."""
    return (targets >= 0.5).to(torch.float64)


def _enrichment(share: Tensor, inside: Tensor) -> Tensor:
    return torch.log2((share / share_inside(inside) + _LEAST_SHARE) / (1 + _LEAST_SHARE))


def _hit(share_of_peak: Tensor, inside: Tensor) -> Tensor:
    return share_of_peak + 0 * share_inside(inside)


SPEARMAN = spearman_at(1)
ENRICHMENT = Metric(
    name="enrichment",
    meaning="log2 of saliency per pixel on the object over saliency per pixel in the whole image",
    chance=0.0,
    encode=mass_shares,
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
    encode=average_ranks,
    encode_target=_inside,
    finish=mann_whitney,
)
