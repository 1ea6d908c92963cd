import dataclasses
import math

import numpy as np
import pytest
import torch
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.key import ClipKey
from merkwelt.render.motion import ACTIVITIES, plan_motion
from merkwelt.render.navigation.navigation import Navigation, NoPath
from merkwelt.render.observer.presets import adult
from merkwelt.render.paths import HeadPath, load_path, place_path
from merkwelt.render.render_clip import ClipRejected, ClipSettings, render_clip
from merkwelt.render.rigid import look_at, unit
from merkwelt.render.volume import render_rays
from merkwelt.scenes.captures import read_capture
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfstudio.run import import_run
from merkwelt.scenes.placement import place_cameras

from .writers import write_nerfstudio

FRAMES, RATE_HZ = 5, 10.0


def _stroll(count=31, gaze="ahead"):
    """Return a stroll across the free middle of the analytic room."""
    share = np.linspace(0, 1, count)
    eye = np.stack([-1.5 + 3 * share, -1.6 + 0.2 * np.sin(3 * share), 1.5 + 0 * share], axis=1)
    look = np.stack([1.0 - 2 * share, 2 + 0 * share, 0.8 + 0.3 * share], axis=1)
    return HeadPath.of(np.arange(count) / RATE_HZ, look_at(eye, look), gaze=gaze)


@pytest.fixture(scope="module")
def motion_of(room):
    def _motion(clip, path=None, **options):
        return plan_motion(
            room,
            adult(),
            ClipKey(dataset_seed=0, scene="room", clip=clip),
            frames=FRAMES,
            frame_rate_hz=RATE_HZ,
            navigation=Navigation.along(path or _stroll()),
            **options,
        )

    return _motion


def test_head_and_eyes_follow_the_path(motion_of):
    path = _stroll()
    motion = motion_of(0, path)
    course = motion.course
    np.testing.assert_array_equal(course.world_from_head, path.world_from_head(course.time_s))
    frames = motion.frames()
    np.testing.assert_allclose(
        frames.world_from_head, path.world_from_head(np.arange(FRAMES) / RATE_HZ), atol=1e-12
    )
    for eye in course.world_from_eye:
        np.testing.assert_array_equal(eye[:, :3, :3], course.world_from_head[:, :3, :3])
    assert set(motion.activity) == {ACTIVITIES.index("carried")}
    assert not course.gait_phase_rad.any()
    assert not course.saccade.any()
    assert not course.fixation_id.any()
    step = np.linalg.norm(np.diff(course.world_from_head[:, :3, 3], axis=0), axis=1)
    np.testing.assert_allclose(motion.speed[:-1], step / motion.step_s, rtol=0.02)


def test_eyes_are_on_either_side_of_the_head_at_the_observers_distance(motion_of):
    course = motion_of(2).course
    apart = course.world_from_eye[1, :, :3, 3] - course.world_from_eye[0, :, :3, 3]
    assert np.ptp(np.linalg.norm(apart, axis=1)) < 1e-12
    assert 0.05 < np.linalg.norm(apart[0]) < 0.075
    np.testing.assert_allclose(unit(apart), course.world_from_head[:, :3, 0], atol=1e-12)
    middle = course.world_from_eye[:, :, :3, 3].mean(axis=0)
    np.testing.assert_allclose(middle, course.world_from_head[:, :3, 3], atol=1e-12)


def test_targets_are_straight_ahead_on_surfaces(motion_of, room):
    course = motion_of(1).course
    offset = course.gaze_target - course.world_from_head[:, :3, 3]
    np.testing.assert_allclose(unit(offset), course.world_from_head[:, :3, 2], atol=1e-9)
    low, high = np.asarray(room.card.bounds)
    target = course.gaze_target[:: motion_of(1).frame_every]
    assert np.all((target > low - 0.1) & (target < high + 0.1))


def test_clips_are_consecutive(motion_of):
    path = _stroll()
    clips = path.clips(frames=FRAMES, frame_rate_hz=RATE_HZ)
    assert clips == 6
    heads = [motion_of(clip, path).frames().world_from_head for clip in range(clips)]
    at = np.arange(clips * FRAMES) / RATE_HZ
    np.testing.assert_allclose(np.concatenate(heads), path.world_from_head(at), atol=1e-12)


def test_clips_beyond_the_end_have_no_path(motion_of):
    assert motion_of(5).course.frames
    with pytest.raises(
        NoPath, match=r"clip 6 would last from 3.000 to 3.400 s of a path .* 3.000 s"
    ):
        motion_of(6)


def test_the_observer_can_look_around_on_the_way(motion_of):
    ahead, around = motion_of(0).course, motion_of(0, _stroll(gaze="observer")).course
    np.testing.assert_array_equal(around.world_from_head, ahead.world_from_head)
    np.testing.assert_array_equal(around.blink, ahead.blink)
    assert around.fixation_id[-1] > 0
    eye = around.world_from_eye[0, :, :3, 2]
    off_deg = np.degrees(np.arccos(np.sum(eye * around.world_from_head[:, :3, 2], axis=1)))
    assert off_deg.max() > 1
    assert off_deg.max() < 46


def test_a_path_near_matter_is_rejected_after_one_look(room):
    eye = np.array([[-1.5, -1.9, 1.5], [1.5, -1.9, 1.5]])
    wall = room.card.bounds[0][1]
    eye[:, 1] = wall + 0.15
    path = HeadPath.of(np.array([0.0, 3.0]), look_at(eye, eye - [0, 1, 0]))
    settings = ClipSettings(frames=2, size=8)
    key = ClipKey(dataset_seed=0, scene="room", clip=0)
    with pytest.raises(
        ClipRejected, match=r"its path comes too near to something: 0.\d+ m in frame"
    ):
        render_clip(room, adult(), settings, key, navigation=Navigation.along(path))
    anyway = dataclasses.replace(settings, nearest_m=0.0)
    assert render_clip(room, adult(), anyway, key, navigation=Navigation.along(path)).attempts == 1


@pytest.fixture(scope="module")
def fox(shared_data):
    run = shared_data / "trained" / "fox_nerfacto"
    return import_run(run, ImportOptions(name="fox")), np.load(run / "nerfstudio_renders_128.npz")


def _clip_along(scene, path, count):
    settings = ClipSettings(
        frames=count,
        size=128,
        hfov_deg=math.degrees(2 * math.atan(64 / 115.2)),
        stereo=False,
        depth=False,
    )
    key = ClipKey(dataset_seed=0, scene="fox", clip=0)
    return render_clip(scene, adult(), settings, key, navigation=Navigation.along(path))


def test_along_training_views_pictures_are_nerfstudios_own(fox, tmp_path):
    scene, reference = fox
    opengl = np.tile(np.eye(4), (5, 1, 1))
    opengl[:, :3] = reference["world_from_camera_opengl"]
    file = write_nerfstudio(
        tmp_path / "path.json", opengl @ np.diag([1.0, -1, -1, 1]), rate_hz=RATE_HZ
    )
    clip = _clip_along(scene, place_path(load_path(file), scene.card), 5)
    found = clip.video[0].permute(0, 2, 3, 1).numpy() / 255
    error = np.mean((found - reference["rgb"].reshape(5, 128, 128, 3)) ** 2, axis=(1, 2, 3))
    # Rounding to eight bits leaves 58.9 dB.
    assert np.all(-10 * np.log10(error) > 58)


def test_along_the_capture_poses_pictures_are_those_of_the_photographs_cameras(
    fox, shared_data, tmp_path
):
    scene, _ = fox
    views = read_capture(shared_data / "noncommercial" / "fox").views[:8:4]
    poses = np.stack([view.world_from_camera for view in views])
    poses = load_path(write_nerfstudio(tmp_path / "path.json", poses, rate_hz=RATE_HZ))
    clip = _clip_along(scene, place_path(poses, scene.card, frame="capture"), 2)
    camera = PinholeCamera.from_hfov(2 * math.atan(64 / 115.2), (128, 128))
    placed = place_cameras(scene.card, np.stack([view.world_from_camera for view in views]))
    seen = render_rays(scene, rays_of(camera, placed)).rgb.reshape(2, 128, 128, 3)
    expected = (seen.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 3, 1, 2)
    assert (clip.video[0].int() - expected.int()).abs().max() <= 1
