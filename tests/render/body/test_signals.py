import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.body import body_signals
from merkwelt.render.body.canals import CANALS
from merkwelt.render.body.efference import eye_in_head_rad, fick_angles_rad, neck_rad, rates_rad_s
from merkwelt.render.key import ClipKey
from merkwelt.render.motion.plan import plan_motion
from merkwelt.render.observer.presets import adult, static
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.rigid import rotation_from_angles
from moves import STEP_S, motion_of, standing

KEY = ClipKey(dataset_seed=0, scene="room", clip=0)
SENSES = adult().senses


def test_angles_are_those_that_a_rotation_was_made_of():
    angles = np.random.default_rng(0).uniform(-1.4, 1.4, (100, 3))
    level = rotation_from_angles(0.0)
    inner = rotation_from_angles(*angles.T)
    np.testing.assert_allclose(fick_angles_rad(level.T @ inner), angles, atol=1e-14)


def test_eyes_and_neck_are_told_apart():
    n = 50
    heading, head = np.linspace(3.0, 3.3, n), np.array([0.2, 0.1, -0.05])
    head_axes = rotation_from_angles(heading + head[0], head[1], head[2])
    eye_axes = head_axes @ rotation_from_angles(0.0).T @ rotation_from_angles(0.3, -0.2, 0.0)
    course = motion_of(np.zeros((n, 3)), head_axes, eye_axes=eye_axes).course
    neck = neck_rad(course.world_from_head, heading)
    np.testing.assert_allclose(neck, np.tile(head, (n, 1)), atol=1e-12)
    eyes = eye_in_head_rad(course.world_from_head, course.world_from_eye)
    np.testing.assert_allclose(eyes, np.tile([0.3, -0.2, 0.0], (2, n, 1)), atol=1e-12)


def test_rates_are_derivatives_and_do_not_jump_where_angles_wrap():
    time_s = STEP_S * np.arange(300)
    angles = np.stack([np.angle(np.exp(1j * (3.0 + time_s))), np.sin(time_s), 0 * time_s], axis=1)
    rates = rates_rad_s(angles[None], STEP_S)[0, 1:-1]
    expected = np.stack([1 + 0 * time_s, np.cos(time_s), 0 * time_s], axis=1)[1:-1]
    np.testing.assert_allclose(rates, expected, atol=1e-5)


def test_standing_still_is_felt_as_gravity_and_nothing_else(room):
    signals = body_signals(standing(), SENSES, room.card)
    np.testing.assert_allclose(signals.otoliths_m_s2, signals.specific_force_m_s2)
    np.testing.assert_allclose(signals.saccule_m_s2[:, 0], -9.81)
    np.testing.assert_allclose(signals.utricle_m_s2, 0, atol=1e-12)
    assert not signals.canals_rad_s.any()
    assert signals.ground_contact.all(axis=0).tolist() == [True, True, False]
    assert repr(signals) == "BodySignals(eyes=2, instants=401, rate_hz=200)"


def test_a_static_observer_feels_the_head_turn_at_most(room, room_navigation):
    motion = plan_motion(
        room, static(), KEY, frames=20, frame_rate_hz=10.0, navigation=room_navigation
    )
    signals = body_signals(motion, SENSES, room.card)
    force = np.linalg.norm(signals.specific_force_m_s2, axis=1)
    np.testing.assert_allclose(force, 9.81, atol=1e-9)
    assert not signals.speed_m_s.any()
    assert np.abs(signals.eye_in_head_rad).max() < math.radians(45) + 1e-9


def test_signals_of_a_walk_belong_to_the_clips_frames(room, room_navigation):
    settings = ClipSettings(frames=8, size=8, signals=True)
    clip = render_clip(room, adult(), settings, KEY, navigation=room_navigation)
    signals, every = clip.signals, 20
    assert signals.rate_hz == pytest.approx(200)
    np.testing.assert_allclose(signals.time_s[::every], clip.trajectory.time_s)
    np.testing.assert_array_equal(signals.stride_phase_rad[::every], clip.trajectory.gait_phase_rad)
    heads, eyes = clip.trajectory.world_from_head, clip.trajectory.world_from_eye
    np.testing.assert_allclose(signals.eye_in_head_rad[:, ::every], eye_in_head_rad(heads, eyes))
    for name in ("angular_velocity_rad_s", "specific_force_m_s2", "otoliths_m_s2", "neck_rad"):
        assert getattr(signals, name).shape == (141, 3)
    assert signals.canals_rad_s.shape == (141, len(CANALS))
    assert all(np.isfinite(value).all() for value in vars(signals).values())
    left, right = signals.ground_contact[:, :2].T
    assert np.all(left | right)
    assert not np.all(left & right)
    with_none = render_clip(
        room, adult(), replace(settings, signals=False), KEY, navigation=room_navigation
    )
    assert with_none.signals is None
    assert torch.equal(with_none.video, clip.video)


def test_one_eye_has_one_eyes_angles(room, room_navigation):
    settings = ClipSettings(frames=2, size=8, stereo=False, signals=True)
    clip = render_clip(room, adult(), settings, KEY, navigation=room_navigation)
    assert clip.signals.eye_in_head_rad.shape == (1, 21, 3)


def test_signals_that_cannot_be_had_are_refused(room, statue):
    with pytest.raises(ValueError, match="no metric scale, which specific force .* needs"):
        body_signals(standing(), SENSES, statue.card)
    settings = ClipSettings(frames=2, size=8, stereo=False, signals=True)
    with pytest.raises(ValueError, match="no metric scale, which specific force .* needs"):
        render_clip(statue, adult(), settings, KEY)
    with pytest.raises(ValueError, match="expected at least 3 instants.*got 2"):
        body_signals(standing(2), SENSES, room.card)
    with pytest.raises(ValueError, match="frames=1; ask for two or more"):
        ClipSettings(frames=1, signals=True)


def test_settings_without_signals_say_nothing_of_them():
    assert "signals" not in ClipSettings().to_dict()
    assert ClipSettings(signals=True).to_dict()["signals"] is True
