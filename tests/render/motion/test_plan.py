import math
from dataclasses import replace

import numpy as np
import pytest
from merkwelt.render.key import ClipKey
from merkwelt.render.motion.blinks import blinks
from merkwelt.render.motion.gait import head_motion
from merkwelt.render.motion.plan import AttemptKey, plan_trajectory
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import adult, static
from merkwelt.render.rigid import apply, inverse
from merkwelt.scenes.captures import read_capture
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfstudio.run import import_run
from merkwelt.scenes.placement import place_cameras
from merkwelt.scenes.scene import Scene

from ..conftest import as_matrices
from ..test_navigation import RADIUS_M, distance_to_matter_m


def _key(clip=0):
    return ClipKey(dataset_seed=0, scene="room", clip=clip)


@pytest.fixture(scope="module")
def plan(room, room_navigation):
    def _plan(clip=0, observer=None, frames=30, rate=30.0):
        return plan_trajectory(
            room,
            observer or adult(),
            _key(clip),
            frames=frames,
            frame_rate_hz=rate,
            navigation=room_navigation,
        )

    return _plan


@pytest.fixture(scope="module")
def walks(plan):
    return [plan(clip, frames=60, rate=20.0) for clip in range(12)]


def test_heads_and_bodies_stay_out_of_matter(room, walks):
    sway_m = 0.03
    for trajectory in walks:
        head = trajectory.world_from_head[:, :3, 3]
        assert distance_to_matter_m(room.card, head[:, :2]).min() >= RADIUS_M - sway_m
        assert np.all((head[:, 2] > 1.4) & (head[:, 2] < 1.85))
        eyes = trajectory.world_from_eye[:, :, :3, 3].reshape(-1, 3)
        assert not any(thing.box.contains(eyes).any() for thing in room.card.objects)


def test_a_long_walk_stays_clear_and_keeps_going(room, plan):
    trajectory = plan(3, frames=400, rate=10.0)
    head = trajectory.world_from_head[:, :3, 3]
    assert distance_to_matter_m(room.card, head[:, :2]).min() >= RADIUS_M - 0.03
    step = np.linalg.norm(np.diff(head[:, :2], axis=0), axis=1)
    assert step.sum() > 20
    assert step.max() < 0.2


def test_walkers_keep_a_human_pace(walks):
    for trajectory in walks:
        head = trajectory.world_from_head[:, :3, 3]
        speed = np.linalg.norm(np.diff(head[:, :2], axis=0), axis=1) * 20.0
        assert 0.3 < speed.mean() < 1.7


def test_the_same_key_gives_the_same_bits_and_another_another_walk(room, plan):
    one = plan(5).to_arrays()
    again = plan_trajectory(room, adult(), _key(5), frames=30, frame_rate_hz=30.0).to_arrays()
    for name, array in one.items():
        np.testing.assert_array_equal(array, again[name], err_msg=name)
    assert not np.array_equal(one["world_from_head"], plan(6).world_from_head)


def test_another_attempt_keeps_the_body_and_changes_the_path():
    first, second = (
        AttemptKey(dataset_seed=0, scene="room", clip=1, attempt=attempt) for attempt in (0, 1)
    )
    plain = ClipKey(dataset_seed=0, scene="room", clip=1)
    for purpose in ("body", "path"):
        assert first.generator(purpose).random() == plain.generator(purpose).random()
    assert first.generator("body").random() == second.generator("body").random()
    assert first.generator("path").random() != second.generator("path").random()


def test_poses_are_rigid_and_eyes_lie_an_interocular_distance_apart(walks):
    for trajectory in walks:
        axes = trajectory.world_from_eye[..., :3, :3]
        product = axes @ np.swapaxes(axes, -1, -2)
        np.testing.assert_allclose(product, np.broadcast_to(np.eye(3), product.shape), atol=1e-12)
        np.testing.assert_array_equal(axes[0], axes[1])
        right_from_left = apply(
            inverse(trajectory.world_from_eye[0]), trajectory.world_from_eye[1, :, :3, 3]
        )
        baseline = right_from_left[0, 0]
        assert 0.050 <= baseline <= 0.075
        np.testing.assert_allclose(right_from_left, [[baseline, 0, 0]] * 60, atol=1e-12)


def _eye_in_head_rad(trajectory):
    forward = trajectory.world_from_eye[0, :, :3, 2]
    return np.arccos(np.clip(np.sum(forward * trajectory.world_from_head[:, :3, 2], axis=1), -1, 1))


def test_eyes_stay_within_their_sockets_range(walks, plan):
    angles = [_eye_in_head_rad(trajectory) for trajectory in [*walks, plan(1, static(), 200)]]
    assert max(angle.max() for angle in angles) <= math.radians(45) + 1e-9
    assert np.median(np.concatenate(angles)) < math.radians(25)


def exact(observer):
    """The observer with eyes that do exactly what they are meant to do."""
    perfect = {
        "vor_gain": 1.0,
        "vor_latency_s": 0.0,
        "pursuit_gain": 1.0,
        "pursuit_latency_s": 0.0,
        "pursuit_limit_deg_s": 1e6,
        "saccade_undershoot_deg": 0.0,
    }
    gaze = {k: replace(getattr(observer.gaze, k), value=v) for k, v in perfect.items()}
    return replace(observer, gaze=replace(observer.gaze, **gaze))


def missed_rad(trajectory, eye=0):
    """Angle between each eye's line of sight and the target, outside saccades."""
    seen = apply(inverse(trajectory.world_from_eye[eye]), trajectory.gaze_target)
    return np.arctan2(np.linalg.norm(seen[:, :2], axis=1), seen[:, 2])[~trajectory.saccade]


def test_eyes_without_faults_keep_the_fixated_point_at_the_centre_of_both_pictures(plan):
    observer = exact(replace(adult(), rig_mode="converged"))
    missed = [
        missed_rad(plan(clip, observer, frames=60, rate=20.0), eye)
        for clip in range(6)
        for eye in (0, 1)
    ]
    # Some targets are left beside when the eye is at its limit.
    assert np.mean(np.concatenate(missed) < 1e-6) > 0.97


def test_faults_of_the_eyes_are_small_and_there(plan):
    observer = replace(adult(), eyes=1)
    missed = np.degrees(
        np.concatenate([missed_rad(plan(c, observer, frames=60, rate=20.0)) for c in range(6)])
    )
    assert 0.2 < np.median(missed) < 1.0
    assert np.percentile(missed, 90) < 2.5


def test_eyes_converge_by_their_gain_times_what_the_target_asks_for(plan):
    def vergence(gain):
        observer = exact(replace(adult(), rig_mode="converged"))
        card = replace(
            observer.gaze, vergence_gain=replace(observer.gaze.vergence_gain, value=gain)
        )
        trajectory = plan(0, replace(observer, gaze=card), frames=60, rate=20.0)
        left, right = trajectory.world_from_eye[:, :, :3, 2]
        return np.arccos(np.clip(np.sum(left * right, axis=1), -1, 1))

    np.testing.assert_allclose(vergence(0.7), 0.7 * vergence(1.0), rtol=0.01)


def test_a_walk_has_no_jerks(plan):
    """Bodies weigh something: acceleration stays near that of the gait, 0.37 g at 1.67 m/s."""
    for clip in range(4):
        position = plan(clip, frames=600, rate=200.0).world_from_head[:, :3, 3]
        acceleration = np.diff(position, 2, axis=0) * 200.0**2
        assert np.linalg.norm(acceleration, axis=1).max() < 0.6 * 9.81


def test_views_are_nearly_level(walks):
    right_down = np.concatenate([t.world_from_eye[0, :, 2, 0] for t in walks])
    assert np.degrees(np.abs(np.arcsin(right_down))).mean() < 5
    assert all(np.all(t.world_from_eye[0, :, 2, 1] < 0) for t in walks)


def test_fixations_last_as_long_as_the_card_says_and_follow_each_other(plan):
    lengths_s, saccades_s = [], []
    for clip in range(4):
        trajectory = plan(clip, static(), frames=3000, rate=100.0)
        ids = trajectory.fixation_id
        assert set(np.diff(ids)) <= {0, 1}
        lengths_s.append(np.bincount(ids[~trajectory.saccade])[1:-1] / 100)
        saccades_s.append(np.bincount(ids[trajectory.saccade])[1:-1] / 100)
    # About 340 fixations: the median's standard error is 3.5 %.
    assert np.median(np.concatenate(lengths_s)) == pytest.approx(0.27, rel=0.12)
    assert 0.01 < np.median(np.concatenate(saccades_s)) < 0.07


def test_targets_lie_on_surfaces(room, walks):
    targets = np.concatenate([t.gaze_target for t in walks])
    low, high = np.asarray(room.card.bounds)
    to_wall = np.abs(np.concatenate([targets - low, targets - high], axis=1)).min(axis=1)
    on_box = np.zeros(len(targets), dtype=bool)
    for thing in room.card.objects:
        on_box |= thing.box.contains(targets, margin_m=0.02)
    assert np.mean(on_box | (to_wall < 0.12)) > 0.98
    assert on_box.mean() > 0.2


def test_a_static_observer_stands_still_and_looks_around(plan):
    trajectory = plan(4, static(), frames=60, rate=10.0)
    head = trajectory.world_from_head[:, :3, 3]
    np.testing.assert_array_equal(head, np.broadcast_to(head[0], head.shape))
    assert np.ptp(trajectory.gait_phase_rad) == 0
    assert len(set(trajectory.fixation_id.tolist())) > 5


def _motion(speed_m_s, seconds=20.0, rate=200.0):
    n = int(seconds * rate)
    return head_motion(
        adult().gait,
        speed_m_s=np.full(n, speed_m_s),
        turn_rad_s=np.zeros(n),
        step_s=1 / rate,
        rng=np.random.default_rng(0),
    )


def _peak(signal, rate=200.0):
    spectrum = np.abs(np.fft.rfft(signal)) / len(signal) * 2
    best = int(spectrum[1:].argmax()) + 1
    return best * rate / len(signal), spectrum[best]


def test_gait_has_the_cited_frequencies_and_amplitudes():
    motion = _motion(1.67)
    for signal, hz, amplitude in (
        (motion.up_m, 2.0, 0.023),
        (motion.right_m, 1.0, 0.025),
        (motion.pitch_rad, 2.0, math.radians(1.35)),
        (motion.yaw_rad, 1.0, math.radians(2.7)),
        (motion.roll_rad, 1.0, math.radians(1.0)),
    ):
        assert _peak(signal) == (pytest.approx(hz), pytest.approx(amplitude, rel=1e-6))
    # Peak accelerations of the cited measurements: 0.37 g up and 0.1 g sideways.
    assert 0.023 * (4 * math.pi) ** 2 / 9.81 == pytest.approx(0.37, abs=0.005)
    assert 0.025 * (2 * math.pi) ** 2 / 9.81 == pytest.approx(0.10, abs=0.005)


def test_gait_grows_with_speed_and_keeps_its_phases():
    slow, fast = _motion(0.8), _motion(1.6)
    assert np.ptp(fast.up_m) == pytest.approx(2 * np.ptp(slow.up_m), rel=1e-3)
    assert np.corrcoef(fast.up_m, fast.pitch_rad)[0, 1] == pytest.approx(-1)
    assert np.corrcoef(fast.right_m, fast.yaw_rad)[0, 1] == pytest.approx(1)
    heel_strike = np.argmin(np.abs(fast.phase_rad - math.pi))
    assert fast.up_m[heel_strike] == pytest.approx(fast.up_m.min(), rel=1e-2)


def test_the_head_leans_into_turns():
    motion = head_motion(
        adult().gait,
        speed_m_s=np.full(400, 1.2),
        turn_rad_s=np.full(400, 0.8),
        step_s=0.005,
        rng=np.random.default_rng(0),
    )
    assert motion.roll_rad.mean() == pytest.approx(-math.atan(1.2 * 0.8 / 9.81), abs=0.002)


def test_blinks_come_as_often_and_last_as_long_as_the_card_says():
    time_s = np.arange(0, 1200, 0.01)
    closed = blinks(adult().gaze, time_s, np.random.default_rng(0))
    starts = np.sum(np.diff(closed.astype(int)) == 1)
    assert starts / 20 == pytest.approx(17, rel=0.1)
    assert closed.sum() * 0.01 / starts == pytest.approx(0.25, rel=0.1)


def test_around_an_object_the_head_stays_in_the_hull_of_the_views(statue):
    grown = adult()
    body = replace(grown.body, reach=replace(grown.body.reach, value=0.0, distribution="fixed"))
    observer = replace(grown, eyes=1, body=body)
    views = Navigation.of(statue, observer).views
    for clip in range(6):
        trajectory = plan_trajectory(statue, observer, _key(clip), frames=40, frame_rate_hz=10.0)
        head = trajectory.world_from_head[:, :3, 3]
        assert trajectory.eyes == 1
        assert np.linalg.norm(head[:, :2], axis=1).max() <= 4 + 1e-9
        assert np.linalg.norm(head[:, :2], axis=1).min() > 3.5
        assert np.linalg.norm(head[-1] - head[0]) > 0.5
        seen = apply(inverse(trajectory.world_from_eye[0]), views.focus)
        assert np.degrees(np.arccos(seen[:, 2] / np.linalg.norm(seen, axis=1))).max() < 35


def test_a_static_observer_keeps_one_training_view(statue):
    observer = replace(static(), eyes=1)
    trajectory = plan_trajectory(statue, observer, _key(), frames=5, frame_rate_hz=10.0)
    cameras = np.asarray(statue.card.world_from_training_camera)[:, :3, 3]
    assert np.linalg.norm(cameras - trajectory.world_from_head[0, :3, 3], axis=1).min() < 1e-9


def test_stereo_without_metric_scale_is_refused(statue):
    with pytest.raises(ValueError, match="'statue' has no metric scale, which stereo needs"):
        plan_trajectory(statue, adult(), _key(), frames=2, frame_rate_hz=10.0)


def test_stereo_around_an_object_of_known_scale(statue):
    metric = Scene(replace(statue.card, metres_per_unit=0.2), statue.field)
    trajectory = plan_trajectory(metric, adult(), _key(), frames=8, frame_rate_hz=10.0)
    assert trajectory.eyes == 2


def test_a_single_frame_is_a_clip_and_none_is_not(plan, room):
    assert plan(0, frames=1).frames == 1
    with pytest.raises(ValueError, match="at least 1 frame"):
        plan_trajectory(room, adult(), _key(), frames=0, frame_rate_hz=10.0)


def test_the_fox_is_looked_at_from_where_it_was_photographed(shared_data):
    run = shared_data / "trained" / "fox_nerfacto"
    imported = import_run(run, ImportOptions(name="fox", metres_per_unit=0.25))
    capture = read_capture(shared_data / "noncommercial" / "fox")
    poses = place_cameras(imported.card, np.stack([v.world_from_camera for v in capture.views]))
    card = replace(imported.card, world_from_training_camera=as_matrices(poses))
    scene = Scene(card, imported.field)
    navigation = Navigation.of(scene, adult())
    assert not navigation.is_walkable
    low, high = poses[:, :3, 3].min(axis=0), poses[:, :3, 3].max(axis=0)
    photographed = poses[:, :3, 2]
    for clip in range(3):
        trajectory = plan_trajectory(
            scene, adult(), _key(clip), frames=16, frame_rate_hz=10.0, navigation=navigation
        )
        head = trajectory.world_from_head[:, :3, 3]
        assert np.all((head > low - 0.01) & (head < high + 0.01))
        forward = trajectory.world_from_eye[0, :, :3, 2]
        assert np.degrees(np.arccos((forward @ photographed.T).max(axis=1))).max() < 25
