import numpy as np
import pytest
import scipy.stats
from merkwelt.alignment.scores.bootstrap import bootstrap_interval, paired_difference


def test_interval_equals_scipy_percentile_bootstrap():
    values = np.random.default_rng(1).normal(0.3, 0.1, 40)
    ours = bootstrap_interval(values, np.random.default_rng(0), resamples=20_000)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert ours.mean == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=1e-3)
    assert ours.high == pytest.approx(theirs.high, abs=1e-3)


def test_the_same_generator_gives_the_same_interval():
    values = np.random.default_rng(1).normal(size=20)
    first = bootstrap_interval(values, np.random.default_rng(0))
    assert first == bootstrap_interval(values, np.random.default_rng(0))
    assert first != bootstrap_interval(values, np.random.default_rng(1))


def test_undefined_values_are_counted_out():
    interval = bootstrap_interval(np.array([1.0, np.nan, 3.0]), np.random.default_rng(0))
    assert (interval.mean, interval.count) == (2.0, 2)


@pytest.mark.parametrize(("values", "mean"), [([], np.nan), ([np.nan], np.nan), ([0.5], 0.5)])
def test_too_few_images_have_no_interval(values, mean):
    interval = bootstrap_interval(np.array(values), np.random.default_rng(0))
    np.testing.assert_equal([interval.mean, interval.low], [mean, np.nan])


def test_paired_difference_is_sharper_than_the_values():
    floor = np.random.default_rng(0).normal(size=50)
    interval = paired_difference(floor + 0.1, floor, np.random.default_rng(0))
    assert interval.mean == pytest.approx(0.1)
    assert interval.low == pytest.approx(0.1)
    assert interval.high == pytest.approx(0.1)


def test_shows_mean_and_interval():
    interval = bootstrap_interval(np.full(3, 0.25), np.random.default_rng(0))
    assert str(interval) == "0.250 [0.250, 0.250]"


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="one value per image"):
        bootstrap_interval(np.zeros((2, 2)), np.random.default_rng(0))
    with pytest.raises(ValueError, match="level in"):
        bootstrap_interval(np.zeros(2), np.random.default_rng(0), level=95.0)
    with pytest.raises(ValueError, match="same images"):
        paired_difference(np.zeros(2), np.zeros(3), np.random.default_rng(0))
