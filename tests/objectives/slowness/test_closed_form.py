import numpy as np
import pytest
import scipy.linalg
from merkwelt.objectives import eta_hz, fit_sfa
from merkwelt.objectives.slowness.clip_signals import check_covariance
from merkwelt.objectives.slowness.closed_form import measure_delta

from .oracles import (
    chaotic_series,
    clips_with_identity,
    correlation,
    embedded,
    mixed_cosines,
    monomials,
    walks,
)


def test_free_responses_are_half_cosines():
    samples = 500
    fit = fit_sfa([np.eye(samples)], outputs=5, covariance="total")
    j = np.arange(1, 6)
    expected = samples / (samples - 1) * (2 - 2 * np.cos(np.pi * j / samples))
    assert fit.rank == samples - 1
    np.testing.assert_allclose(fit.delta, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(
        fit.delta,
        [3.95574025e-05, 1.58228048e-04, 3.56007253e-04, 6.32887208e-04, 9.88856983e-04],
        rtol=1e-8,
    )
    features = fit(np.eye(samples))
    cosines = np.cos(np.pi * np.outer(np.arange(samples) + 0.5, j) / samples)
    for i in range(5):
        assert correlation(features[:, i], cosines[:, i]) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(
        fit.eta_hz(500.0), [0.5005, 1.0010, 1.5015, 2.0020, 2.5024], atol=5e-5
    )


def test_mixed_cosines_are_unmixed():
    sources, mixed = mixed_cosines()
    fit = fit_sfa([mixed], covariance="total", ddof=1)
    np.testing.assert_allclose(
        fit.delta, [0.000632, 0.002529, 0.005688, 0.010108, 0.015787], atol=5e-7
    )
    centred, change = mixed - mixed.mean(axis=0), np.diff(mixed, axis=0)
    direct = scipy.linalg.eigh(
        change.T @ change / 998, centred.T @ centred / 999, eigvals_only=True
    )
    np.testing.assert_allclose(fit.delta, direct, rtol=1e-9)
    features = fit(mixed)
    for i in range(5):
        assert correlation(features[:, i], sources[:, i]) > 0.99997


def test_chaotic_series_gives_its_driving_force():
    series, force = chaotic_series()
    expanded = monomials(embedded(series), 3)
    assert expanded.shape == (9991, 285)
    fit = fit_sfa([expanded], outputs=2, covariance="total", ddof=1, rank_tolerance=1e-15)
    np.testing.assert_allclose(fit.delta, [4.1259e-5, 9.36e-5], rtol=3e-3)
    assert fit.delta[0] == pytest.approx(4.1259e-5, rel=1e-4)
    slow = fit(expanded)[:, 0]
    assert correlation(slow, force[:9991]) == pytest.approx(0.99956, abs=1e-5)
    assert correlation(slow, force[5:9996]) == pytest.approx(0.99998, abs=1e-5)
    # Speeds over the whole series of 10,000 samples.
    assert eta_hz(fit.delta[0], 10_000.0) == pytest.approx(10.223, abs=1e-3)
    whole = measure_delta(np.stack([series, force], axis=1)[None], covariance="total")
    np.testing.assert_allclose(eta_hz(whole, 10_000.0), [3004.45, 10.245], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("covariance", "delta", "identity_share", "slow_correlation"),
    [("total", 0.071, 0.97, 0.06), ("within", 0.331, 0.13, 0.99)],
)
def test_total_covariance_finds_which_clip_it_is(
    covariance, delta, identity_share, slow_correlation
):
    signals, slow = clips_with_identity()
    fit = fit_sfa(signals, covariance=covariance)
    slowest = fit(signals)[..., 0]
    within = slowest - slowest.mean(axis=1, keepdims=True)
    assert fit.delta[0] == pytest.approx(delta, abs=5e-4)
    assert slowest.mean(axis=1).var() / slowest.var() == pytest.approx(identity_share, abs=5e-3)
    assert correlation(within.ravel(), slow.ravel()) == pytest.approx(slow_correlation, abs=5e-3)


def test_features_have_unit_variance_and_do_not_correlate():
    signals = walks()
    features = fit_sfa(signals, covariance="total")(signals).reshape(-1, 4)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(features.T @ features / len(features), np.eye(4), atol=1e-10)


@pytest.mark.parametrize("covariance", ["within", "total"])
def test_measured_delta_of_the_fit_is_its_delta(covariance):
    signals = walks()
    fit = fit_sfa(signals, covariance=covariance)
    np.testing.assert_allclose(
        measure_delta(fit(signals), covariance=covariance), fit.delta, rtol=1e-9
    )


def test_invertible_mixing_changes_no_delta():
    signals = walks()
    mixing = np.random.default_rng(4).normal(size=(4, 4))
    np.testing.assert_allclose(
        fit_sfa(signals @ mixing + 5).delta, fit_sfa(signals).delta, rtol=1e-8
    )


def test_differences_never_cross_clips():
    signals = walks()
    order = [3, 0, 5, 1, 4, 2]
    np.testing.assert_allclose(fit_sfa(signals[order]).delta, fit_sfa(signals).delta, rtol=1e-9)
    np.testing.assert_allclose(
        fit_sfa(signals + 100 * np.arange(6)[:, None, None]).delta,
        fit_sfa(signals).delta,
        rtol=1e-6,
    )


def test_rank_deficient_signals_lose_the_empty_directions():
    signals = walks()
    doubled = np.concatenate([signals, signals], axis=2)
    fit = fit_sfa(doubled)
    assert fit.rank == 4
    np.testing.assert_allclose(fit.delta, fit_sfa(signals).delta, rtol=1e-8)
    with pytest.raises(ValueError, match="at most 4 outputs, the rank"):
        fit_sfa(doubled, outputs=5)


def test_masked_jumps_do_not_count():
    signals = walks()
    jumping = signals.copy()
    jumping[:, 10:] += 1000
    pairs = np.ones((6, 19), dtype=bool)
    pairs[:, 9] = False
    masked = fit_sfa(jumping, covariance="total", valid_pairs=pairs)
    features = masked(jumping)
    steps = np.diff(features, axis=1)[pairs]
    np.testing.assert_allclose(np.square(steps).mean(axis=0), masked.delta, rtol=1e-6)
    blinking = signals.copy()
    blinking[:, 10] = 1000
    pairs[:] = True
    pairs[:, 9:11] = False
    parts = [part for clip in signals for part in (clip[:10], clip[11:])]
    np.testing.assert_allclose(
        fit_sfa(blinking, covariance="total", valid_pairs=pairs).delta,
        fit_sfa(parts, covariance="total").delta,
        rtol=1e-9,
    )


def test_a_constant_has_no_speed():
    features = np.stack([np.zeros(10), np.arange(10.0)], axis=1)
    delta = measure_delta([features], covariance="total")
    assert np.isnan(delta[0])
    assert delta[1] == pytest.approx(12 / 99)


def test_eta_of_a_sine_is_its_frequency():
    t = np.arange(0, 100, 0.01)
    delta = measure_delta([np.sin(2 * np.pi * 0.5 * t)[:, None]], covariance="total")
    assert eta_hz(delta[0], 100.0) == pytest.approx(0.5, rel=1e-3)


def test_wrong_signals_are_refused():
    with pytest.raises(ValueError, match="at least one clip"):
        fit_sfa([])
    with pytest.raises(ValueError, match="wrap a single series in a list"):
        fit_sfa(np.zeros((10, 3)))
    with pytest.raises(ValueError, match="at least 2 frames"):
        fit_sfa([np.zeros((1, 3))])
    with pytest.raises(ValueError, match="the same signals"):
        fit_sfa([np.zeros((4, 3)), np.zeros((4, 2))])
    with pytest.raises(ValueError, match="finite"):
        fit_sfa([np.full((4, 3), np.nan)])
    with pytest.raises(ValueError, match="constant ones"):
        fit_sfa([np.ones((4, 3))])
    with pytest.raises(ValueError, match="'within' or 'total', got 'between'"):
        check_covariance("between")
    with pytest.raises(ValueError, match="at least one valid pair"):
        fit_sfa(walks(), valid_pairs=np.zeros((6, 19), dtype=bool))
    with pytest.raises(ValueError, match=r"valid_pairs of \[19\]"):
        fit_sfa(walks(), valid_pairs=np.ones((6, 18), dtype=bool))
    with pytest.raises(ValueError, match="above 0 Hz"):
        eta_hz(0.1, 0.0)
