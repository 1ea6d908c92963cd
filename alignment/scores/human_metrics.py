"""Scores of saliency against human maps beside Spearman's rho, as published for ClickMe.

============  =========================================================  ======================
metric        of the saliency map and the human map                      source
============  =========================================================  ======================
IoU, Dice     masks of the top tenth: above the 90th percentile          ClickMe 1.0
IoU curve     area under IoU over thresholds .05 ... .95                 ClickMe 2.0, ``auc``
rank order    mean rank of saliency where people clicked                 ClickMe 2.0
rank Pearson  Pearson correlation of ranks where people clicked          ClickMe 2.0
rank cosine   cosine of ranks where people clicked                       ClickMe 2.0
ROC AUC       clicked pixels against the others, over all pairs          ClickMe 2.0, older code
cross-        minus the sum of p log q, both maps of sum 1               ClickMe 2.0, older code
entropy
============  =========================================================  ======================

ClickMe 1.0 is serre-lab/Harmonization@ffe1c49, ClickMe 2.0 is
serre-lab/human_clickme_data_processing@e6f9a76. "Where people clicked" is where the human map is
above 0. A human map without a region to look at gives NaN, and so does a constant map, except by
ROC AUC and cross-entropy, where it scores chance.
"""

import torch
from torch import Tensor

from .metrics import (
    Metric,
    RowMetric,
    mann_whitney,
    mass_shares,
    nan_rows,
    share_inside,
)
from .ranks import average_ranks

_TOP_QUANTILE = 0.9
_UNION_EPS = 1e-9
_MASS_EPS = 1e-10
_THRESHOLDS = 19
"""Of the IoU curve: .05, .10, ... .95."""


def _top_tenth(maps: Tensor) -> Tensor:
    """Return 1 above the 90th percentile (linear between values), NaN where nothing is."""
    maps64 = maps.to(torch.float64)
    cut = torch.stack([torch.quantile(row, _TOP_QUANTILE) for row in maps64])
    masks = (maps64 > cut[:, None]).to(torch.float64)
    return masks / torch.where(masks.any(dim=1, keepdim=True), 1.0, torch.nan)


def _iou(maps: Tensor, targets: Tensor) -> Tensor:
    return _iou_of((maps * targets).sum(dim=1), maps.sum(dim=1) + targets.sum(dim=1))


def _all_iou(maps: Tensor, targets: Tensor) -> Tensor:
    return _iou_of(maps @ targets.T, maps.sum(dim=1)[:, None] + targets.sum(dim=1))


def _iou_of(common: Tensor, both: Tensor) -> Tensor:
    return common / (both - common + _UNION_EPS)


def _dice(maps: Tensor, targets: Tensor) -> Tensor:
    return _dice_of((maps * targets).sum(dim=1), maps.sum(dim=1) + targets.sum(dim=1))


def _all_dice(maps: Tensor, targets: Tensor) -> Tensor:
    return _dice_of(maps @ targets.T, maps.sum(dim=1)[:, None] + targets.sum(dim=1))


def _dice_of(common: Tensor, both: Tensor) -> Tensor:
    return 2 * common / (both + _UNION_EPS)


def _levels(maps: Tensor) -> Tensor:
    """Return how many thresholds each pixel of the min-max normalised map is above (int64).

    Rows that are constant or hold NaN are -1.
    """
    low, high = maps.amin(dim=1, keepdim=True), maps.amax(dim=1, keepdim=True)
    thresholds = torch.arange(1, _THRESHOLDS + 1, dtype=torch.float64, device=maps.device) / 20
    scaled = (maps - low).to(torch.float64) / (high - low).to(torch.float64)
    levels = torch.bucketize(scaled.contiguous(), thresholds)
    return levels.masked_fill(~(high > low), -1)


def _iou_curve(maps: Tensor, targets: Tensor) -> Tensor:
    """Return the area under IoU over thresholds, by the trapezoid rule.

    The counts of all pairs of levels hold every intersection and every union.
    """
    sides = _THRESHOLDS + 1
    areas = []
    for levels, target_levels in zip(maps, targets, strict=True):
        if levels[0] < 0 or target_levels[0] < 0:
            areas.append(torch.tensor(torch.nan, dtype=torch.float64))
            continue
        both = torch.bincount(levels * sides + target_levels, minlength=sides**2)
        both = both.view(sides, sides).to(torch.float64)
        above = both.flip(0, 1).cumsum(0).cumsum(1).flip(0, 1)
        common = above.diagonal()[1:]
        iou = common / (above[1:, 0] + above[0, 1:] - common)
        areas.append(torch.trapezoid(iou, dx=1 / 20).cpu())
    return torch.stack(areas).to(maps.device)


def _log_shares(maps: Tensor) -> Tensor:
    return torch.log(mass_shares(maps) + _MASS_EPS)


def _shares_of_rank(maps: Tensor) -> Tensor:
    """Return ranks over the number of pixels, in (0, 1]; NaN in constant maps."""
    is_constant = (maps == maps[:, :1]).all(dim=1, keepdim=True)
    return (average_ranks(maps) / maps.shape[1]).masked_fill(is_constant, torch.nan)


def _clicked(targets: Tensor) -> Tensor:
    return nan_rows(targets, (targets > 0).to(torch.float64))


def _mean_inside(total: Tensor, inside: Tensor) -> Tensor:
    return total / (share_inside(inside) * inside.shape[1])


def _unchanged(maps: Tensor) -> Tensor:
    return maps


def _rank_pearson(maps: Tensor, targets: Tensor) -> Tensor:
    return _rank_cosines(maps, targets, centred=True)


def _rank_cosine(maps: Tensor, targets: Tensor) -> Tensor:
    return _rank_cosines(maps, targets, centred=False)


def _rank_cosines(maps: Tensor, targets: Tensor, *, centred: bool) -> Tensor:
    rows = zip(maps, targets, strict=True)
    cosines = [_cosine(*_clicked_ranks(row, target, centred=centred)) for row, target in rows]
    return torch.stack(cosines) if cosines else maps.new_empty(0, dtype=torch.float64)


def _clicked_ranks(row: Tensor, target: Tensor, *, centred: bool) -> tuple[Tensor, Tensor]:
    """Return the ranks of both maps among the pixels where people clicked; NaN if undefined."""
    clicked = target > 0
    found = []
    for values in (row, target):
        inside = values[clicked]
        ranks = average_ranks(inside[None])[0]
        if values.isnan().any() or not (inside != inside[:1]).any():
            ranks.fill_(torch.nan)
        found.append(ranks - ranks.mean() if centred else ranks)
    return found[0], found[1]


def _cosine(first: Tensor, second: Tensor) -> Tensor:
    length = torch.linalg.vector_norm(first) * torch.linalg.vector_norm(second)
    return (first @ second) / torch.where(length > 0, length, torch.nan)


IOU = RowMetric(
    name="IoU",
    meaning="intersection over union of the tenth of pixels with most saliency and most clicks",
    chance=None,
    encode=_top_tenth,
    encode_target=_top_tenth,
    compare=_iou,
    compare_all=_all_iou,
)
DICE = RowMetric(
    name="Dice",
    meaning="overlap of the tenth of pixels with most saliency and most clicks, over their mean "
    "area",
    chance=None,
    encode=_top_tenth,
    encode_target=_top_tenth,
    compare=_dice,
    compare_all=_all_dice,
)
IOU_CURVE = RowMetric(
    name="IoU curve",
    meaning="area under intersection over union at thresholds .05 to .95 of both maps' ranges, "
    "0.9 for equal maps",
    chance=None,
    encode=_levels,
    encode_target=_levels,
    compare=_iou_curve,
)
ROC_AUC = Metric(
    name="ROC AUC",
    meaning="chance that a clicked pixel is more salient than one that nobody clicked",
    chance=0.5,
    encode=average_ranks,
    encode_target=_clicked,
    finish=mann_whitney,
)
CROSS_ENTROPY = Metric(
    name="negative cross-entropy",
    meaning="mean log share of saliency where people clicked, in nats",
    chance=None,
    encode=_log_shares,
    encode_target=mass_shares,
    finish=lambda dots, _: dots,
)
RANK_ORDER = Metric(
    name="rank order",
    meaning="mean rank of saliency where people clicked, over the number of pixels",
    chance=0.5,
    encode=_shares_of_rank,
    encode_target=_clicked,
    finish=_mean_inside,
)
RANK_PEARSON = RowMetric(
    name="rank Pearson",
    meaning="rank correlation among the pixels where people clicked",
    chance=0.0,
    encode=_unchanged,
    encode_target=_unchanged,
    compare=_rank_pearson,
)
RANK_COSINE = RowMetric(
    name="rank cosine",
    meaning="cosine of the ranks, counted from 1, among the pixels where people clicked",
    chance=0.75,
    encode=_unchanged,
    encode_target=_unchanged,
    compare=_rank_cosine,
)
