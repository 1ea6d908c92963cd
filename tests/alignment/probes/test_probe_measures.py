import numpy as np
import pytest
from merkwelt.alignment.probes.measures import (
    angles_deg,
    area_under_curve,
    correlation,
    median_distance,
    r_squared,
    relative_error,
)
from sklearn.metrics import r2_score, roc_auc_score


def test_r_squared_is_scikit_learns():
    rng = np.random.default_rng(0)
    values, guesses = rng.normal(size=(30, 1)), rng.normal(size=(30, 1))
    assert r_squared(values, guesses) == pytest.approx(r2_score(values, guesses))
    assert r_squared(values, np.full_like(values, values.mean())) == pytest.approx(0)
    assert np.isnan(r_squared(np.ones((4, 1)), np.zeros((4, 1))))


def test_angles_by_hand():
    values = np.array([[1.0, 0], [1, 0], [1, 0], [1, 0]])
    guesses = np.array([[5.0, 0], [0, 2], [-1, 0], [0, 0]])
    np.testing.assert_allclose(angles_deg(values, guesses), [0, 90, 180, 90])
    # An angle whose cosine is 1 to 16 digits.
    assert angles_deg(values[:1], np.array([[1.0, 1e-9]]))[0] == pytest.approx(np.degrees(1e-9))


def test_others_by_hand():
    values, guesses = np.array([[1.0], [2], [4]]), np.array([[2.0], [2], [2]])
    assert relative_error(values, guesses) == pytest.approx((1 + 0 + 0.5) / 3)
    assert median_distance(values, guesses) == 1
    assert correlation(values, -values) == pytest.approx(-1)
    assert np.isnan(correlation(values, guesses))


def test_area_is_scikit_learns():
    rng = np.random.default_rng(0)
    present, scores = rng.random(50) < 0.3, rng.normal(size=50).round(1)
    assert area_under_curve(present, scores) == pytest.approx(roc_auc_score(present, scores))
    assert np.isnan(area_under_curve(np.ones(3, bool), np.arange(3.0)))
