from dataclasses import replace

import numpy as np
import pytest
from merkwelt.render.motion.stabilise import strayed
from merkwelt.render.observer import load_observer
from merkwelt.render.rigid import rotation_from_angles, transform

STEP_S = 0.005
TIME_S = STEP_S * np.arange(400)
FAR = np.array([1e7, 0.0, 0.0])


def _card(**values):
    card = load_observer("adult").gaze
    none = {
        "vor_gain": 1.0,
        "vor_latency_s": 0.0,
        "pursuit_gain": 0.0,
        "pursuit_latency_s": 0.0,
        "pursuit_limit_deg_s": 1e6,
    }
    return replace(
        card, **{k: replace(getattr(card, k), value=v) for k, v in {**none, **values}.items()}
    )


def _strayed(card, yaw_rad=0.0, pitch_rad=0.0, position=None, target=FAR):
    yaw, pitch = np.broadcast_to(yaw_rad, TIME_S.shape), np.broadcast_to(pitch_rad, TIME_S.shape)
    position = np.zeros((len(TIME_S), 3)) if position is None else position
    heads = transform(rotation_from_angles(yaw, pitch), position)
    landing = np.zeros(len(TIME_S), dtype=int)
    return strayed(card, heads, np.broadcast_to(target, (len(TIME_S), 3)), landing, STEP_S)


def test_a_perfect_reflex_keeps_a_far_target_still_however_the_head_turns():
    turning = np.radians(30) * np.sin(2 * np.pi * 1.3 * TIME_S)
    assert np.abs(_strayed(_card(), turning, 0.4 * turning)).max() < 1e-9


@pytest.mark.parametrize("gain", [0.95, 0.7])
def test_what_the_gain_leaves_of_a_turn_is_added_up(gain):
    yaw = np.radians(20) * TIME_S
    azimuth, elevation = _strayed(_card(vor_gain=gain), yaw).T
    np.testing.assert_allclose(azimuth, (1 - gain) * yaw, atol=1e-9)
    assert np.abs(elevation).max() < 1e-9


def test_a_late_reflex_misses_what_the_head_has_turned_since():
    size, frequency, late_s = np.radians(3), 2.0, 0.010
    yaw = size * np.sin(2 * np.pi * frequency * TIME_S)
    azimuth, _ = _strayed(_card(vor_latency_s=late_s), yaw).T
    then = size * np.sin(2 * np.pi * frequency * (TIME_S - late_s))
    off = azimuth - (yaw - then)
    # The sum starts at landing: a constant; the rest is that of sums of 5 ms.
    assert np.ptp(off[10:]) < 0.01 * size


@pytest.mark.parametrize("gain", [1.0, 0.9])
def test_pursuit_follows_a_wall_that_is_passed(gain):
    passing = np.stack([np.zeros_like(TIME_S), 0.5 * TIME_S, np.zeros_like(TIME_S)], axis=1)
    wall = np.array([3.0, 0.0, 0.0])
    azimuth, _ = _strayed(_card(pursuit_gain=gain), position=passing, target=wall).T
    turned = np.arctan2(-passing[:, 1], 3.0)
    np.testing.assert_allclose(azimuth, -(1 - gain) * turned, atol=1e-12)


def test_pursuit_is_no_faster_than_its_limit():
    passing = np.stack([np.zeros_like(TIME_S), 4.0 * TIME_S, np.zeros_like(TIME_S)], axis=1)
    near = np.array([1.0, 4.0, 0.0])
    card = _card(pursuit_gain=1.0, pursuit_limit_deg_s=30.0)
    azimuth, _ = _strayed(card, position=passing, target=near).T
    yaw = np.unwrap(np.arctan2(near[1] - passing[:, 1], near[0]))
    gaze_rate = np.degrees(np.gradient(yaw + azimuth, STEP_S))
    assert np.abs(gaze_rate).max() <= 30 + 1e-6
    assert np.degrees(np.abs(np.gradient(yaw, STEP_S))).max() > 100


def test_pursuit_also_takes_back_what_the_reflex_leaves():
    yaw = np.radians(20) * TIME_S
    alone, _ = _strayed(_card(vor_gain=0.9), yaw).T
    together, _ = _strayed(_card(vor_gain=0.9, pursuit_gain=0.9), yaw).T
    assert np.abs(together[-1]) < 0.15 * np.abs(alone[-1])


def test_nothing_strays_before_the_eyes_have_landed():
    heads = transform(rotation_from_angles(TIME_S), np.zeros((len(TIME_S), 3)))
    target = np.broadcast_to(FAR, (len(TIME_S), 3))
    landing = np.where(np.arange(len(TIME_S)) < 200, 0, 250)
    found = strayed(_card(vor_gain=0.9), heads, target, landing, STEP_S)
    assert np.all(found[200:251] == 0)
    assert np.all(found[251:, 0] > 0)
