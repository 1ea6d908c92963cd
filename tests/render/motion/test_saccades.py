import numpy as np
import pytest
from merkwelt.render.motion.saccades import duration_s, peak_at, peak_deg_s, way_gone
from merkwelt.render.observer import load_observer
from numpy.testing import assert_allclose

CARD = load_observer("adult").gaze
PASSED = np.linspace(0, 1, 20001)


def _measured(amplitude_deg):
    """Duration, peak velocity and its share of the duration, from the positions alone."""
    way = way_gone(CARD, np.full_like(PASSED, amplitude_deg), PASSED)
    lasts_s = float(duration_s(CARD, np.array(amplitude_deg)))
    velocity = amplitude_deg * np.diff(way) / (np.diff(PASSED) * lasts_s)
    return velocity, lasts_s, float(PASSED[np.argmax(velocity)])


def test_the_way_leads_from_start_to_end_and_never_back():
    for amplitude in (0.5, 3.0, 10.0, 25.0, 45.0):
        way = way_gone(CARD, np.full_like(PASSED, amplitude), PASSED)
        assert_allclose(way[[0, -1]], [0, 1], atol=1e-12)
        assert np.diff(way).min() >= 0


@pytest.mark.parametrize("amplitude", [5.0, 10.0, 15.0, 20.0, 30.0, 45.0])
def test_the_main_sequence_is_collewijns(amplitude):
    velocity, lasts_s, peak = _measured(amplitude)
    assert lasts_s == pytest.approx(0.023 + 0.0027 * amplitude)
    assert velocity.max() == pytest.approx(502 * (1 - np.exp(-amplitude / 9.5)), rel=0.005)
    expected = 0.45 + np.clip((amplitude - 10) / 40, 0, 1) * (0.20 - 0.45)
    assert peak == pytest.approx(expected, abs=1e-3)


def test_small_saccades_are_as_slow_as_a_smooth_profile_allows():
    for amplitude in (0.5, 1.0, 2.0):
        velocity, lasts_s, _ = _measured(amplitude)
        assert velocity.max() == pytest.approx(1.5 * amplitude / lasts_s, rel=1e-3)
        assert velocity.max() >= float(peak_deg_s(CARD, np.array(amplitude)))


def test_velocity_is_continuous_at_its_peak():
    velocity, _, _ = _measured(40.0)
    assert np.abs(np.diff(velocity)).max() < 0.5
    assert peak_at(CARD, np.array([5.0, 60.0])).tolist() == [0.45, 0.20]
