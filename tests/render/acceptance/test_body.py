import math

import numpy as np
import pytest
from merkwelt.render.acceptance import doing, envelope, gait
from merkwelt.render.acceptance.signals import angle_between, head_angles, runs, signals_of
from merkwelt.render.rigid import rotation_from_angles

TAU = 2 * math.pi


def _walk(motion_of, *, speed=1.4, hz=1.9, turn=0.0, **more):
    """A walk with a bob of 20 mm, a sway of 15 mm, a nod of 1 degree against the bob."""

    def position(t):
        heading = turn * t
        along = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), 0) * speed / 200.0
        right = np.stack([np.sin(heading), -np.cos(heading)], 1)
        sway = 0.015 * np.sin(TAU * hz / 2 * t)
        height = 1.6 + 0.02 * np.cos(TAU * hz * t)
        return np.column_stack([along + sway[:, None] * right, height])

    return motion_of(
        position=position,
        heading=lambda t: turn * t,
        yaw=lambda t: turn * t + np.radians(2.0) * np.sin(TAU * hz / 2 * t),
        pitch=lambda t: -np.radians(1.0) * np.cos(TAU * hz * t),
        **more,
    )


@pytest.mark.parametrize("turn_deg_s", [0.0, 8.0])
def test_a_walk_has_the_steps_and_amplitudes_it_was_given(motion_of, turn_deg_s):
    signals = signals_of(_walk(motion_of, turn=math.radians(turn_deg_s), seconds=12.0))
    walks = np.array(gait.straight_walks(signals, 1.0))
    assert len(walks) >= 3
    speed, hz, bob, sway, nod, shake, _, phase = np.median(walks, axis=0)
    assert speed == pytest.approx(1.4, rel=0.02)
    assert hz == pytest.approx(1.9, abs=0.02)
    assert bob == pytest.approx(0.02, rel=0.03)
    assert sway == pytest.approx(0.015, rel=0.06)
    assert math.degrees(nod) == pytest.approx(1.0, rel=0.03)
    assert math.degrees(shake) == pytest.approx(2.0, rel=0.06)
    assert math.degrees(phase) == pytest.approx(180, abs=5)


def test_no_walk_is_found_without_steps_or_in_turns(motion_of):
    glide = motion_of(position=lambda t: np.column_stack([1.4 * t, 0 * t, 1.6 + 0 * t]))
    assert gait.straight_walks(signals_of(glide), 1.0) == []
    assert gait.straight_walks(signals_of(_walk(motion_of, turn=1.0)), 1.0) == []


def test_harmonics_are_those_of_a_sum_of_waves_on_a_parabola():
    t = np.arange(400) / 200
    signal = 3 * np.cos(TAU * 2 * t + 0.4) + 0.5 * np.cos(TAU * t - 1) + 4 * t**2 - t
    one, two = gait.harmonics(t, signal, (1.0, 2.0))
    assert one == pytest.approx(0.5 * np.exp(-1j), abs=1e-9)
    assert two == pytest.approx(3 * np.exp(0.4j), abs=1e-9)


def test_a_turn_tells_lead_and_lean(motion_of):
    def heading(t):
        return math.radians(90) * np.clip((t - 4) / 2, 0, 1)

    def position(t):
        step = np.stack([np.cos(heading(t)), np.sin(heading(t))], axis=1) / 200
        return np.column_stack([np.cumsum(step, axis=0), np.full(len(t), 1.6)])

    motion = motion_of(
        position=position,
        heading=heading,
        yaw=lambda t: heading(t + 0.5),
        roll=lambda t: -math.radians(5) * ((t > 3.5) & (t < 6.5)),
    )
    (turn,) = gait.turns(signals_of(motion))
    assert 55 < math.degrees(turn.turned_rad) <= 90  # the part faster than 30 deg/s
    assert math.degrees(turn.lead_rad) == pytest.approx(22.5, abs=1.0)
    assert math.degrees(turn.roll_rad) == pytest.approx(5, abs=0.3)


def test_the_envelope_of_an_oscillation_is_its_amplitude(motion_of):
    motion = motion_of(
        yaw=lambda t: np.radians(10) * np.sin(TAU * 2 * t),
        position=lambda t: np.column_stack([0 * t, 0 * t, 1.6 + 0.02 * np.cos(TAU * 2 * t)]),
    )
    signals = signals_of(motion)
    turning = np.degrees(np.linalg.norm(signals.turn, axis=1))
    assert turning.max() == pytest.approx(10 * TAU * 2, rel=0.01)
    expected = 0.02 * (TAU * 2) ** 2 / 9.81
    assert envelope.acceleration_g(signals)[5:-5].max() == pytest.approx(expected, rel=0.01)
    spectrum = envelope.turn_spectrum(signals)
    assert envelope.SPECTRUM_HZ[spectrum.argmax()] == pytest.approx(2.0, rel=0.1)


def test_the_knee_is_where_the_slope_changes():
    hz = envelope.SPECTRUM_HZ
    assert envelope.knee_hz(1 / (1 + (hz / 2.0) ** 8) ** 0.5) == pytest.approx(2.0, rel=0.15)


def test_steps_falls_and_bouts_are_counted(motion_of):
    hz, start, stop = 2.0, 2.0, 8.0

    def position(t):
        going = (t > start) & (t < stop)
        along = np.cumsum(np.where(going, 0.8, 0.0)) / 200
        height = 0.68 + 0.006 * np.cos(TAU * hz * t) * going
        drop = 0.3 * np.clip((t - 8.5) / 0.35, 0, 1)
        return np.column_stack([along, 0 * t, height - drop])

    signals = signals_of(motion_of(position=position))
    assert abs(doing.steps(signals) - (stop - start) * hz) <= 1
    assert doing.falls(signals, 0.0) == 1
    started, lengths = doing.bouts_s(signals)
    assert started == 1
    assert lengths == pytest.approx([stop - start], abs=0.4)
    assert doing.activity_shares(signals)[1] == 1


def test_sitting_down_slowly_is_no_fall(motion_of):
    motion = motion_of(
        position=lambda t: np.column_stack([0 * t, 0 * t, 0.7 - 0.3 * np.clip((t - 3) / 2, 0, 1)])
    )
    assert doing.falls(signals_of(motion), 0.0) == 0


def test_angles_are_those_that_rotations_were_made_of():
    rng = np.random.default_rng(0)
    angles = rng.uniform(-1, 1, (20, 3))
    found = head_angles(rotation_from_angles(*angles.T))
    np.testing.assert_allclose(found[:, 1:], angles[:, 1:], atol=1e-12)
    np.testing.assert_allclose(np.exp(1j * found[:, 0]), np.exp(1j * angles[:, 0]), atol=1e-12)
    assert angle_between(np.array([1.0, 0, 0]), np.array([1.0, 1e-9, 0])) == pytest.approx(1e-9)
    assert runs(np.array([True, False, True, True])) == [slice(0, 1), slice(2, 4)]


def test_too_short_a_motion_is_refused(motion_of):
    with pytest.raises(ValueError, match="at least 3 instants"):
        signals_of(motion_of(seconds=0.005))
