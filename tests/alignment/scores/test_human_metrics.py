import numpy as np
import pytest
import scipy.spatial
import scipy.stats
import torch
from merkwelt.alignment.scores import human_metrics
from merkwelt.alignment.scores.human_metrics import (
    CROSS_ENTROPY,
    DICE,
    IOU,
    IOU_CURVE,
    RANK_COSINE,
    RANK_ORDER,
    RANK_PEARSON,
    ROC_AUC,
)
from merkwelt.alignment.scores.metrics import (
    SPEARMAN,
    Metric,
    RowMetric,
    own_scores,
    pair_scores,
    spearman_at,
)

EVERY = tuple(each for each in vars(human_metrics).values() if isinstance(each, Metric | RowMetric))


@pytest.fixture
def maps() -> torch.Tensor:
    """Saliency with a few ties."""
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(4, 17, 20, generator=generator) * 300).round() / 300


@pytest.fixture
def targets() -> torch.Tensor:
    """Human maps: mostly zero."""
    values = torch.rand(4, 17, 20, generator=torch.Generator().manual_seed(1))
    return (values - 0.6).clamp(min=0)


def _rows(maps: torch.Tensor) -> np.ndarray:
    return maps.flatten(1).double().numpy()


def _masks(row: np.ndarray) -> np.ndarray:
    return row > np.percentile(row, 90)


def _reference_iou(row: np.ndarray, target: np.ndarray) -> float:
    first, second = _masks(row), _masks(target)
    return (first & second).sum() / ((first | second).sum() + 1e-9)


def _reference_dice(row: np.ndarray, target: np.ndarray) -> float:
    first, second = _masks(row), _masks(target)
    return 1 - scipy.spatial.distance.dice(first, second)


def _reference_iou_curve(row: np.ndarray, target: np.ndarray) -> float:
    first, second = ((m - m.min()) / (m.max() - m.min()) for m in (row, target))
    thresholds = np.arange(1, 20) / 20
    iou = [
        ((first > t) & (second > t)).sum() / ((first > t) | (second > t)).sum() for t in thresholds
    ]
    return np.trapezoid(iou, thresholds)


def _reference_auc(row: np.ndarray, target: np.ndarray) -> float:
    clicked, others = row[target > 0, None], row[target <= 0]
    return ((clicked > others) + 0.5 * (clicked == others)).mean()


def _reference_cross_entropy(row: np.ndarray, target: np.ndarray) -> float:
    return sum(
        p * np.log(q + 1e-10) for p, q in zip(target / target.sum(), row / row.sum(), strict=True)
    )


def _reference_rank_order(row: np.ndarray, target: np.ndarray) -> float:
    return scipy.stats.rankdata(row)[target > 0].mean() / len(row)


def _reference_rank_pearson(row: np.ndarray, target: np.ndarray) -> float:
    return scipy.stats.spearmanr(row[target > 0], target[target > 0]).statistic


def _reference_rank_cosine(row: np.ndarray, target: np.ndarray) -> float:
    first, second = (scipy.stats.rankdata(each[target > 0]) for each in (row, target))
    return 1 - scipy.spatial.distance.cosine(first, second)


ORACLES = (
    (IOU, _reference_iou),
    (DICE, _reference_dice),
    (IOU_CURVE, _reference_iou_curve),
    (ROC_AUC, _reference_auc),
    (CROSS_ENTROPY, _reference_cross_entropy),
    (RANK_ORDER, _reference_rank_order),
    (RANK_PEARSON, _reference_rank_pearson),
    (RANK_COSINE, _reference_rank_cosine),
)


def test_every_metric_has_an_oracle():
    assert {metric.name for metric, _ in ORACLES} == {metric.name for metric in EVERY}
    assert len({metric.name for metric in EVERY}) == len(EVERY) == 8


@pytest.mark.parametrize(("metric", "reference"), ORACLES, ids=[m.name for m, _ in ORACLES])
def test_equals_a_slow_reference_row_by_row_and_for_all_pairs(metric, reference, maps, targets):
    pairs = [[reference(row, target) for target in _rows(targets)] for row in _rows(maps)]
    # float32 shares of mass differ in the seventh digit, the rest is exact.
    np.testing.assert_allclose(pair_scores(metric, maps, targets), pairs, rtol=1e-6, atol=1e-9)
    own = np.diagonal(pairs)
    np.testing.assert_allclose(own_scores(metric, maps, targets), own, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("metric", EVERY, ids=[m.name for m in EVERY])
def test_constant_and_nan_maps_are_nan_and_only_they(metric, maps, targets):
    if metric in (ROC_AUC, CROSS_ENTROPY):  # a constant map has a defined score: chance
        maps[2] = torch.nan
    else:
        maps[2] = 0.5
    targets[0, 3, 3] = torch.nan
    targets[3] = 0.0
    is_nan = own_scores(metric, maps, targets).isnan()
    assert is_nan.tolist() == [True, False, True, True]
    pairs = pair_scores(metric, maps, targets).isnan()
    assert pairs[1].tolist() == [True, False, False, True]
    assert pairs[:, 1].tolist() == [False, False, True, False]


def test_equal_maps_have_the_best_score(targets):
    best = {IOU: 1, DICE: 1, IOU_CURVE: 0.9, ROC_AUC: 1, RANK_PEARSON: 1, RANK_COSINE: 1}
    for metric, value in best.items():
        np.testing.assert_allclose(own_scores(metric, targets, targets), value, atol=1e-9)


def test_chance_is_what_maps_that_know_nothing_get():
    generator = torch.Generator().manual_seed(5)
    maps = torch.rand(40, 30, 30, generator=generator)
    targets = (torch.rand(40, 30, 30, generator=generator) - 0.5).clamp(min=0)
    for metric in EVERY:
        if metric.chance is not None:
            mean = own_scores(metric, maps, targets).mean().item()
            assert mean == pytest.approx(metric.chance, abs=0.01)


def test_negative_saliency_has_no_shares_of_mass(maps, targets):
    with pytest.raises(ValueError, match="at least 0 for shares of its mass"):
        own_scores(CROSS_ENTROPY, maps - 0.5, targets)


def test_spearman_at_lower_resolution_averages_squares(maps, targets):
    maps, targets = maps[:, :16], targets[:, :16]
    shrunk = [m.reshape(4, 4, 4, 5, 4).mean(dim=(2, 4)).flatten(1).numpy() for m in (maps, targets)]
    expected = [scipy.stats.spearmanr(a, b).statistic for a, b in zip(*shrunk, strict=True)]
    np.testing.assert_allclose(own_scores(spearman_at(4), maps, targets), expected, atol=1e-12)
    assert spearman_at(4).name == "Spearman at 1/4"
    torch.testing.assert_close(
        own_scores(spearman_at(1), maps, targets), own_scores(SPEARMAN, maps, targets)
    )
    with pytest.raises(ValueError, match="at least 1 pixel"):
        spearman_at(0)


@pytest.mark.parametrize("metric", [SPEARMAN, IOU])
def test_maps_of_other_sizes_are_refused(metric, maps, targets):
    with pytest.raises(ValueError, match="one size"):
        own_scores(metric, maps[:, :5], targets)
    with pytest.raises(ValueError, match="one size"):
        own_scores(metric, maps[:1], targets)
    with pytest.raises(ValueError, match="one size"):
        pair_scores(metric, maps, targets[..., :7])
