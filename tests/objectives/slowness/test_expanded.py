import numpy as np
import pytest
from merkwelt.objectives import fit_sfa
from merkwelt.objectives.slowness.egocentric import Mode, Walk, explained, reflected
from merkwelt.objectives.slowness.expanded import (
    ExpandedConfig,
    ExpandedFeatures,
    fit_expanded_sfa,
)
from merkwelt.objectives.slowness.expansion import Monomials
from merkwelt.objectives.slowness.slow_features import SlowFeatures

from .oracles import chaotic_series, correlation, embedded, monomials, walker_views, walks


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
@pytest.mark.parametrize("signals", [1, 2, 5])
def test_monomials_are_all_products(degree, signals):
    values = np.random.default_rng(0).normal(size=(3, 4, signals))
    expansion = Monomials(degree=degree)
    got = expansion(values)
    expected = monomials(values.reshape(12, signals), degree)
    assert got.shape == (3, 4, expansion.size(signals))
    np.testing.assert_allclose(got.reshape(12, -1), expected, rtol=1e-14)


def test_cubic_features_of_the_chaotic_series_are_its_driving_force():
    series, force = chaotic_series()
    windows = embedded(series)
    config = ExpandedConfig(degree=3, outputs=1, covariance="total", ddof=1, rank_tolerance=1e-15)
    fit = fit_expanded_sfa([windows], config)
    assert fit.eta_hz(10_000.0)[0] == pytest.approx(10.223, abs=1e-3)
    assert correlation(fit(windows)[:, 0], force[5:9996]) == pytest.approx(0.99998, abs=1e-5)


@pytest.mark.parametrize("first", ["none", "whiten", "slow"])
def test_invertible_mixing_changes_no_quadratic_feature(first):
    # Quadratic functions of mixed signals are quadratic functions of the signals.
    signals = walks(frames=60)
    mixing = np.random.default_rng(4).normal(size=(4, 4))
    config = ExpandedConfig(first=first, outputs=5)
    plain = fit_expanded_sfa(signals, ExpandedConfig(outputs=5))
    mixed = fit_expanded_sfa(signals @ mixing + 3, config)
    np.testing.assert_allclose(mixed.delta, plain.delta, rtol=1e-6)
    got, expected = mixed(signals @ mixing + 3), plain(signals)
    for i in range(5):
        assert correlation(got[..., i].ravel(), expected[..., i].ravel()) > 1 - 1e-6


def test_expansion_by_blocks_is_linear_sfa_on_monomials():
    signals = walks(frames=40)
    pairs = np.random.default_rng(1).random((6, 39)) < 0.8
    expanded = np.stack([monomials(clip, 2) for clip in signals])
    for covariance in ("within", "total"):
        got = fit_expanded_sfa(signals, ExpandedConfig(covariance=covariance), valid_pairs=pairs)
        expected = fit_sfa(expanded, covariance=covariance, valid_pairs=pairs)
        np.testing.assert_allclose(got.delta, expected.delta, rtol=1e-6)
    noisy = fit_expanded_sfa(signals, ExpandedConfig(noise_variance=10.0))
    assert noisy.delta[0] > got.delta[0]


def test_rank_deficient_signals_lose_their_copies():
    signals = walks(frames=100, signals=3)
    doubled = np.concatenate([signals, 2 * signals], axis=2)
    plain = fit_expanded_sfa(signals, ExpandedConfig(first="whiten"))
    assert plain.slow.rank == 9
    fit = fit_expanded_sfa(doubled, ExpandedConfig(first="whiten"))
    assert fit.slow.rank == 9
    np.testing.assert_allclose(fit.delta, plain.delta, rtol=1e-6)
    raw = fit_expanded_sfa(doubled, ExpandedConfig(rank_tolerance=1e-10))
    assert raw.slow.rank == 9
    few = fit_expanded_sfa(doubled, ExpandedConfig(first="whiten", inputs=2))
    assert few.slow.rank == 5


def test_walks_have_the_modes_of_the_theory():
    walk = Walk(size_x=1.0, size_y=0.7, step=0.02, turn_rad=0.15)
    modes = walk.modes(6)
    assert [str(mode) for mode in modes] == [
        "(1, 0, 0)",
        "(0, 1, 0)",
        "(1, 1, 0)",
        "(2, 0, 0)",
        "(0, 0, 1)",
        "(0, 0, 1 sin)",
    ]
    np.testing.assert_allclose(
        [walk.delta(mode) for mode in modes],
        [0.003944, 0.008041, 0.011969, 0.015729, 0.022374, 0.022374],
        atol=5e-7,
    )
    # A mode's delta is that of the walk, measured on one that is long enough.
    place = walk.sample(400_000, seed=3)
    for mode in (Mode(along_x=2, along_y=1, turns=0), Mode(along_x=0, along_y=1, turns=1)):
        values = walk.response(mode, *place)
        measured = np.square(np.diff(values)).mean() / values.var()
        assert measured == pytest.approx(walk.delta(mode), rel=0.05)
    np.testing.assert_allclose(
        reflected(np.array([-0.2, 0.5, 1.2, 2.1]), 1.0), [0.2, 0.5, 0.8, 0.1]
    )
    with pytest.raises(ValueError, match="above 0"):
        Walk(size_x=1.0, size_y=0.0, step=0.1, turn_rad=0.1)


def test_quadratic_features_of_a_walkers_views_are_those_of_the_theory():
    """Oracle O4 at the size for continuous integration."""
    walk = Walk(size_x=1.0, size_y=0.7, step=0.02, turn_rad=0.15)
    x, y, heading = walk.sample(100_000)
    views = walker_views(x, y, heading)
    fit = fit_expanded_sfa(
        [views], ExpandedConfig(outputs=12, covariance="total", rank_tolerance=1e-7)
    )
    features = fit(views)
    assert features.shape == (100_000, 12)
    modes = walk.modes(9)
    responses = np.stack([walk.response(mode, x, y, heading) for mode in modes], axis=1)
    shares = explained(responses, features)
    # To the digits that the figures are stated with.
    assert round(shares.min(), 2) >= 0.91
    assert round(shares[:3].min(), 3) >= 0.998
    ratio = fit.delta[:9] / [walk.delta(mode) for mode in modes]
    assert round(ratio.min(), 2) >= 0.88
    assert round(ratio.max(), 2) <= 1.02
    found = [correlation(features[:, i], responses[:, i]) for i in range(4)]
    np.testing.assert_allclose(found, [0.998, 0.997, 0.985, 0.961], atol=5e-4)


def test_saved_maps_are_the_maps(tmp_path):
    signals = walks()
    for config in (ExpandedConfig(degree=3, outputs=4), ExpandedConfig(first="slow", inputs=2)):
        fit = fit_expanded_sfa(signals, config)
        fit.save(tmp_path / "map.safetensors")
        again = ExpandedFeatures.load(tmp_path / "map.safetensors")
        np.testing.assert_array_equal(again(signals), fit(signals))
        np.testing.assert_array_equal(again.delta, fit.delta)
    linear = fit_sfa(signals)
    linear.save(tmp_path / "linear.safetensors")
    again = SlowFeatures.load(tmp_path / "linear.safetensors")
    np.testing.assert_array_equal(again(signals), linear(signals))
    assert again.rank == linear.rank
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "linear.safetensors",
        "map.safetensors",
    ]
    with pytest.raises(ValueError, match="to hold expanded slow features .* got linear"):
        ExpandedFeatures.load(tmp_path / "linear.safetensors")
    (tmp_path / "text").write_text("no map")
    with pytest.raises(ValueError, match="to be a safetensors file"):
        SlowFeatures.load(tmp_path / "text")
    with pytest.raises(FileNotFoundError, match="found none"):
        SlowFeatures.load(tmp_path / "nothing")


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="degree of at least 1"):
        ExpandedConfig(degree=0)
    with pytest.raises(ValueError, match="which expands all signals"):
        ExpandedConfig(inputs=3)
    with pytest.raises(ValueError, match="noise variance"):
        ExpandedConfig(noise_variance=-0.1)
    with pytest.raises(ValueError, match="at least 1 input"):
        ExpandedConfig(outputs=0)
    with pytest.raises(ValueError, match="at most 14 outputs, the rank"):
        fit_expanded_sfa(walks(), ExpandedConfig(outputs=15))
    with pytest.raises(ValueError, match="wrap a single series in a list"):
        fit_expanded_sfa(np.zeros((10, 3)))
    with pytest.raises(ValueError, match="at least one clip"):
        fit_expanded_sfa([])
