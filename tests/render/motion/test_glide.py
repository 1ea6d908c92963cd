import numpy as np
import pytest
from merkwelt.render.key import ClipKey
from merkwelt.render.motion import ACTIVITIES, plan_motion
from merkwelt.render.navigation import Navigation
from merkwelt.render.observer import load_observer
from merkwelt.render.rigid import turn_between

OBSERVER = load_observer("mineault2021")


@pytest.fixture(scope="module")
def glides(room):
    navigation = Navigation.of(room, OBSERVER)

    def plan(clip):
        key = ClipKey(dataset_seed=0, scene="room", clip=clip)
        return plan_motion(
            room, OBSERVER, key, frames=10, frame_rate_hz=30.0, navigation=navigation
        )

    return [plan(clip) for clip in range(60)]


def test_speed_and_turning_are_constant(glides):
    for glide in glides:
        poses = glide.course.world_from_head
        steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1) / glide.step_s
        np.testing.assert_allclose(steps, glide.speed[0], rtol=1e-6, atol=1e-9)
        turns = np.linalg.norm(turn_between(poses[:-1, :3, :3], poses[1:, :3, :3]), axis=1)
        assert np.ptp(turns) < 0.02 * turns.mean() + 1e-9


def test_the_gaze_is_fixed_to_the_camera(glides):
    for glide in glides:
        course = glide.course
        np.testing.assert_array_equal(course.world_from_eye[0], course.world_from_head)
        assert course.eyes == 1
        assert not course.saccade.any()
        assert not course.blink.any()
        assert np.all(glide.activity == ACTIVITIES.index("carried"))


def test_the_draws_are_those_of_the_paper(glides):
    height = np.array([g.course.world_from_head[0, 2, 3] for g in glides])
    assert 1.4 <= height.min() < 1.55
    assert 1.85 < height.max() <= 2.0
    forward = np.array([g.course.world_from_head[0, :3, 2] for g in glides])
    assert np.abs(np.arcsin(forward[:, 2])).max() <= 0.25 + 1e-9
    rates = OBSERVER.glide
    draws = [rates.heading_yaw_rad.quantile(p) for p in np.linspace(0.0005, 0.9995, 1000)]
    # Mineault's own figure for a concentration of 2.5.
    assert np.degrees(np.std(draws)) == pytest.approx(43.0, abs=0.6)
    draws = [rates.heading_pitch_rad.quantile(p) for p in np.linspace(0.0005, 0.9995, 1000)]
    assert np.degrees(np.std(draws)) == pytest.approx(14.6, abs=0.3)
