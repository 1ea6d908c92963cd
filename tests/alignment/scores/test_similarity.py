import numpy as np
import pytest
import scipy.spatial
import scipy.stats
import torch
from merkwelt.alignment.scores.similarity import (
    feature_distances,
    map_distances,
    similarity,
    similarity_interval,
)


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(7, 12, generator=torch.Generator().manual_seed(0))


def test_distances_equal_scipy(features):
    expected = scipy.spatial.distance.pdist(features.double().numpy(), "correlation")
    found = feature_distances(features).numpy()[np.triu_indices(7, 1)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    ranks = scipy.stats.rankdata(features.numpy(), axis=1)
    expected = scipy.spatial.distance.pdist(ranks, "correlation")
    found = map_distances(features.view(7, 3, 4)).numpy()[np.triu_indices(7, 1)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_similarity_is_the_rank_correlation_of_distances(features):
    first, second = feature_distances(features), feature_distances(features.exp())
    pairs = np.triu_indices(7, 1)
    expected = scipy.stats.spearmanr(first.numpy()[pairs], second.numpy()[pairs]).statistic
    assert similarity(first, second) == pytest.approx(expected, abs=1e-12)
    assert similarity(first, 3 * first + 1) == pytest.approx(1.0)


def test_images_without_a_map_are_left_out(features):
    whole = feature_distances(features)
    features[4] = 2.0
    broken = feature_distances(features)
    kept = [0, 1, 2, 3, 5, 6]
    other = feature_distances(features.roll(3, 1))[kept][:, kept]
    expected = similarity(whole[kept][:, kept], other)
    assert similarity(broken, feature_distances(features.roll(3, 1))) == pytest.approx(expected)
    assert np.isnan(similarity(broken[3:6, 3:6], broken[3:6, 3:6]))


def test_interval_holds_the_value_and_repeats_with_its_seed():
    features = torch.randn(16, 12, generator=torch.Generator().manual_seed(1))
    first, second = feature_distances(features), feature_distances(features + features.roll(1, 0))
    interval = similarity_interval(first, second, np.random.default_rng(0), resamples=200)
    assert interval.mean == pytest.approx(similarity(first, second))
    assert interval.low < interval.mean < interval.high
    assert interval.count == 16
    again = similarity_interval(first, second, np.random.default_rng(0), resamples=200)
    assert again == interval


def test_too_few_images_have_no_similarity(features):
    few = feature_distances(features[:3])
    interval = similarity_interval(few, few, np.random.default_rng(0))
    assert np.isnan([interval.mean, interval.low]).all()
    assert interval.count == 3
