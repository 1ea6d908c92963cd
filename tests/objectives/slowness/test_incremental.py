import numpy as np
import pytest
from merkwelt.objectives import fit_sfa
from merkwelt.objectives.slowness.closed_form import measure_delta
from merkwelt.objectives.slowness.incremental import IncrementalConfig, IncrementalSfa

from .oracles import correlation


def _stationary(frames=12_000, signals=4):
    """Return mixtures of independent processes, each with a speed of its own."""
    rng = np.random.default_rng(1)
    memory = np.array([0.97, 0.8, 0.3, -0.5])
    kicks = rng.normal(size=(frames, signals)) * np.sqrt(1 - memory**2)
    values = np.zeros((frames, signals))
    for t in range(1, frames):
        values[t] = memory * values[t - 1] + kicks[t]
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(signals, signals)))[0]
    return values @ turn * [1, 2, 3, 4] + 5


CONFIG = IncrementalConfig(
    # Nothing is forgotten and the rate falls: for statistics that stay as they are.
    components=4,
    outputs=2,
    halve_after=1000.0,
    amnesic=(20.0, 200.0, 1e9, 1.0),
)


def test_features_converge_to_the_closed_form():
    signals = _stationary()
    exact = fit_sfa([signals], outputs=2, covariance="total")
    learner = IncrementalSfa(CONFIG, signals=4)
    learner.update(signals)
    features = learner.features()(signals)
    # In one pass over 12,000 frames; 30,000 bring delta to 0.04 % and correlations to 0.9999.
    delta = measure_delta([features], covariance="total")
    np.testing.assert_allclose(delta, exact.delta, rtol=0.01)
    for i in range(2):
        assert correlation(features[:, i], exact(signals)[:, i]) > 0.995
    np.testing.assert_allclose(features.std(axis=0), 1, atol=0.05)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=0.1)


def test_settings_of_the_literature_stay_near_the_closed_form():
    signals = _stationary()
    exact = fit_sfa([signals], outputs=1, covariance="total")
    learner = IncrementalSfa(IncrementalConfig(components=4, outputs=2), signals=4)
    learner.update(signals)
    features = learner.features()(signals)
    # A rate of 0.05 that never falls keeps the features on the move.
    assert correlation(features[:, 0], exact(signals)[:, 0]) > 0.98


def test_principal_components_are_those_of_the_covariance():
    signals = _stationary(frames=4000)
    learner = IncrementalSfa(CONFIG, signals=4)
    learner.update(signals)
    variances, directions = np.linalg.eigh(np.cov(signals.T))
    lengths = np.linalg.norm(learner.principal, axis=1)
    np.testing.assert_allclose(lengths, variances[::-1], rtol=0.15)
    cosine = np.abs(learner.principal[0] / lengths[0] @ directions[:, -1])
    assert cosine > 0.999


def test_differences_never_cross_clips_or_masks():
    signals = _stationary(frames=1500)
    jumping = signals.copy()
    pairs = np.ones(1499, dtype=bool)
    pairs[99::100] = False
    fair, masked = (IncrementalSfa(CONFIG, signals=4) for _ in range(2))
    for start in range(0, 1500, 100):
        fair.update(signals[start : start + 100])
    masked.update(jumping, pairs)
    np.testing.assert_array_equal(masked.minor, fair.minor)
    np.testing.assert_array_equal(masked.principal, fair.principal)
    blinking = signals.copy()
    blinking[50:60] = 1e6
    pairs[49:60] = False
    blink, cut = (IncrementalSfa(CONFIG, signals=4) for _ in range(2))
    blink.update(blinking, pairs)
    cut.update(signals, pairs)
    np.testing.assert_array_equal(blink.principal, cut.principal)


def test_the_same_seed_gives_the_same_bits():
    signals = _stationary(frames=500)
    minors = []
    for seed in (0, 0, 1):
        learner = IncrementalSfa(CONFIG, signals=4, seed=seed)
        learner.update(signals)
        minors.append(learner.minor)
    np.testing.assert_array_equal(minors[0], minors[1])
    assert not np.array_equal(minors[0], minors[2])


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="1 to 3 outputs"):
        IncrementalConfig(components=3, outputs=4)
    with pytest.raises(ValueError, match="learning rate"):
        IncrementalConfig(components=3, outputs=1, learning_rate=0.0)
    with pytest.raises(ValueError, match="halve_after"):
        IncrementalConfig(components=3, outputs=1, halve_after=0.0)
    with pytest.raises(ValueError, match="n1 < n2"):
        IncrementalConfig(components=3, outputs=1, amnesic=(200.0, 20.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="at most 2 components"):
        IncrementalSfa(IncrementalConfig(components=3, outputs=1), signals=2)
    learner = IncrementalSfa(CONFIG, signals=4)
    with pytest.raises(ValueError, match="more than 4 frames"):
        learner.features()
    with pytest.raises(ValueError, match="finite"):
        learner.update(np.full((3, 4), np.nan))
    with pytest.raises(ValueError, match="the same signals"):
        learner.update(np.zeros((3, 2)))
