import math

import numpy as np
import pytest
from merkwelt.render.body.canals import CANALS, canal_normals_head, canal_signals_rad_s
from merkwelt.render.body.lag import faded, lagged
from merkwelt.render.body.otoliths import otolith_signals_m_s2
from merkwelt.render.observer.presets import adult
from scipy.signal import lfilter, lsim

SENSES = adult().senses
STEP_S = 0.005
TABLE_1A = {
    "left_anterior": (-0.58954, 0.78750, -0.17971),
    "left_horizontal": (-0.31645, -0.04108, 0.94772),
    "left_posterior": (-0.69611, -0.66820, -0.26257),
    # Listed with the signs of turns that inhibit.
    "right_anterior": (-0.58905, -0.78928, -0.17334),
    "right_horizontal": (-0.32891, 0.03566, 0.94369),
    "right_posterior": (-0.69248, 0.66561, -0.27826),
}
"""Della Santina et al. 2005, Table 1A: x to the nose, y to the left, z up."""


def _signals(about_left_horizontal):
    """The left horizontal canal's signal in a turn about its own normal."""
    normal = canal_normals_head()[0]
    turn = np.asarray(about_left_horizontal)[:, None] * normal
    return canal_signals_rad_s(turn, SENSES, STEP_S)[:, 0]


def test_normals_are_within_half_a_degree_of_each_sides_own():
    normals = canal_normals_head()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    for name, normal in zip(CANALS, normals, strict=True):
        x, y, z = TABLE_1A[name]
        listed = np.array([-y, -z, x]) * (-1 if name.startswith("right") else 1)
        assert math.degrees(math.acos(min(normal @ listed, 1.0))) < 0.6


@pytest.mark.parametrize(
    ("turn", "excited"),
    [
        ([0.0, -1.0, 0.0], {"left_horizontal"}),
        ([0.0, 1.0, 0.0], {"right_horizontal"}),
        ([-1.0, 0.0, 0.0], {"left_anterior", "right_anterior"}),
        ([1.0, 0.0, 0.0], {"left_posterior", "right_posterior"}),
        ([0.0, 0.0, 1.0], {"right_anterior", "right_posterior"}),
        ([0.0, 0.0, -1.0], {"left_anterior", "left_posterior"}),
    ],
    ids=["left", "right", "nose down", "nose up", "right ear down", "left ear down"],
)
def test_turns_excite_the_canals_that_they_are_known_to(turn, excited):
    drive = dict(zip(CANALS, canal_normals_head() @ turn, strict=True))
    assert {name for name, value in drive.items() if value > 0.5} == excited


def test_left_and_right_horizontal_canals_push_and_pull():
    turn = np.zeros((400, 3))
    turn[:, 1] = np.sin(2 * math.pi * STEP_S * np.arange(400))
    signals = canal_signals_rad_s(turn, SENSES, STEP_S)
    np.testing.assert_allclose(signals[:, 0], -signals[:, 3])
    assert np.ptp(signals[:, 0]) > 1.5


def test_canals_of_a_head_at_rest_say_nothing():
    assert not canal_signals_rad_s(np.zeros((50, 3)), SENSES, STEP_S).any()


def test_a_velocity_step_fades_and_overshoots():
    time_s = STEP_S * np.arange(int(30 / STEP_S))
    seen = _signals(np.ones(len(time_s)))
    a, b = 1 / 5.7, 1 / 80
    expected = (a * np.exp(-a * time_s) - b * np.exp(-b * time_s)) / (a - b)
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    assert seen[0] == pytest.approx(1)
    assert np.interp([5.7, 20.0], time_s, seen) == pytest.approx([0.325, -0.028], abs=6e-4)


def test_one_hertz_passes_as_it_is():
    time_s = STEP_S * np.arange(int(100 / STEP_S))
    settled = time_s >= 60
    wave = np.exp(-2j * math.pi * time_s[settled])
    seen = _signals(np.sin(2 * math.pi * time_s))[settled]
    response = 2 * np.mean(seen * wave) * 1j
    assert abs(response) == pytest.approx(1, abs=0.01)
    assert abs(math.degrees(np.angle(response))) < 2


def test_canals_agree_with_a_general_simulation_of_the_transfer_function():
    rng = np.random.default_rng(1)
    turn = np.cumsum(rng.normal(size=2000)) * 0.05
    long, slow = 5.7, 80.0
    system = ([long * slow, 0, 0], [long * slow, long + slow, 1])
    _, expected, _ = lsim(system, turn, STEP_S * np.arange(2000))
    np.testing.assert_allclose(_signals(turn), expected, atol=1e-7)


def test_lags_agree_with_scipys_filter_and_start_where_they_are_told():
    rng = np.random.default_rng(2)
    signal = rng.normal(size=(500, 2))
    fade = math.exp(-STEP_S / 0.3)
    now = 1 - (1 - fade) * 0.3 / STEP_S
    start = np.array([0.5, -2.0])
    first = (start - now * signal[0])[None]
    expected, _ = lfilter([now, 1 - fade - now], [1, -fade], signal, axis=0, zi=first)
    found = lagged(signal, 0.3, STEP_S, start=start)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(found[0], start)
    still = np.tile(start, (90, 1))
    np.testing.assert_allclose(lagged(still, 0.3, STEP_S, start=start), still)
    np.testing.assert_allclose(faded(still, 0.3, STEP_S)[0], start)


def test_otoliths_follow_a_force_without_a_transient_at_the_start():
    still = np.tile([0.0, -9.81, 0.0], (100, 1))
    np.testing.assert_allclose(otolith_signals_m_s2(still, SENSES, STEP_S), still)
    ramp = np.arange(400)[:, None] * STEP_S * np.ones(3)
    late = otolith_signals_m_s2(ramp, SENSES, STEP_S)
    np.testing.assert_allclose(late[0], 0)
    # A ramp is followed one time constant late.
    np.testing.assert_allclose(ramp[-1] - late[-1], 0.016, rtol=1e-6)
    _, expected, _ = lsim(([1], [0.016, 1]), ramp[:, 0], STEP_S * np.arange(400))
    np.testing.assert_allclose(late[:, 0], expected, atol=1e-9)
