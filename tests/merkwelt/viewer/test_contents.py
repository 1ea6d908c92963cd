"""What is shown is what is rendered."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.camera import rays_of
from merkwelt.render.key import ClipKey
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import render_clip
from merkwelt.render.rigid import apply, inverse
from merkwelt.render.stereo import vergence_rad
from merkwelt.render.volume import RenderOptions, render_rays

from merkwelt.viewer.contents import (
    drawing_unit,
    eye_pictures,
    eyes_for,
    frame_facts,
    gaze_rays,
    plan_contents,
    view_from_above,
)
from merkwelt.viewer.panel import TILE_PX, default_cut, side_by_side
from merkwelt.viewer.settings import ViewSettings
from merkwelt.viewer.text import clip_text, failure_text, scene_text


def test_pictures_are_what_rays_of_the_eyes_see(room, planned, settings):
    camera, trajectory = settings.camera, planned.trajectory
    pictures = eye_pictures(room, camera, trajectory, 3, RenderOptions())
    assert pictures.shape == (2, 24, 24, 3)
    for eye in (0, 1):
        rays = rays_of(camera, trajectory.world_from_eye[eye, 3:4])
        rgb = render_rays(room, rays).rgb.reshape(24, 24, 3)
        expected = (rgb.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        np.testing.assert_array_equal(pictures[eye], expected)


def test_the_clip_is_the_one_that_is_rendered(room, planned, settings):
    key = ClipKey(dataset_seed=0, scene="room", clip=1)
    clip = render_clip(room, load_observer("adult"), settings.clip_settings(stereo=True), key)
    for name, array in clip.trajectory.to_arrays().items():
        np.testing.assert_array_equal(planned.trajectory.to_arrays()[name], array)
    assert planned.attempts == clip.attempts
    assert planned.caption
    pictures = eye_pictures(room, settings.camera, planned.trajectory, 2, RenderOptions())
    np.testing.assert_array_equal(pictures, clip.video[:, 2].permute(0, 2, 3, 1).numpy())


def test_the_left_eye_is_left_and_gaze_rays_meet_in_front_of_both(planned):
    for frame in range(planned.trajectory.frames):
        starts, ends = gaze_rays(planned.trajectory, frame)
        head_from_world = inverse(planned.trajectory.world_from_head[frame])
        left, right = apply(head_from_world, starts)
        assert left[0] < 0 < right[0]
        np.testing.assert_array_equal(ends[0], ends[1])
        for eye in (0, 1):
            eye_from_world = inverse(planned.trajectory.world_from_eye[eye, frame])
            assert apply(eye_from_world, ends[eye])[2] > 0


def test_facts_of_a_frame(room, planned):
    facts = frame_facts(room.card, planned, 2)
    trajectory = planned.trajectory
    assert facts.time_s == pytest.approx(0.2)
    assert facts.fixation_id == trajectory.fixation_id[2]
    assert facts.activity == "walking"
    assert 0.2 < facts.speed < 2.5
    assert facts.axes_deg == pytest.approx(0, abs=1e-6)
    left, right = trajectory.world_from_eye[:, 2, :3, 3]
    most = math.degrees(vergence_rad(facts.target_distance, float(np.linalg.norm(left - right))))
    assert 0 < facts.vergence_deg <= most * (1 + 1e-6)


def test_the_named_target_holds_the_target(room, planned):
    named = {t.name.replace("_", " "): t.box for t in room.card.objects}
    for frame in range(planned.trajectory.frames):
        name = frame_facts(room.card, planned, frame).target_name
        at = planned.trajectory.gaze_target[frame]
        holding = [n for n, box in named.items() if box.contains(at, margin_m=0.1)]
        assert name in holding or (name == "" and not holding)


def test_text_says_it_all(room, planned):
    facts = frame_facts(room.card, planned, 0)
    text = clip_text(
        planned, replace(facts, saccade=True, blink=True, target_name="a_b"), room.card
    )
    for part in (planned.caption, "saccade", "blink", "vergence", "m/s", "a\\_b", "parallel"):
        assert part in text
    mono = clip_text(planned, replace(facts, vergence_deg=None, axes_deg=None), room.card)
    assert "vergence" not in mono
    assert "to walk in" in scene_text(room.card, walkable=True)
    assert "\\<b\\>" in failure_text("no <b>")


def test_an_object_is_moved_around_with_one_eye(statue, settings):
    observer = eyes_for(load_observer("adult"), statue.card)
    assert observer.eyes == 1
    navigation = Navigation.of(statue, observer)
    assert drawing_unit(statue.card, navigation) == navigation.views.distance / 4
    key = ClipKey(dataset_seed=0, scene="statue", clip=0)
    clip = plan_contents(statue, load_observer("adult"), settings, key, navigation)
    facts = frame_facts(statue.card, clip, 0)
    assert facts.vergence_deg is None
    assert "units" in clip_text(clip, facts, statue.card)
    assert eye_pictures(statue, settings.camera, clip.trajectory, 0, RenderOptions()).std() > 5


def test_a_room_is_drawn_in_metres(room, navigation):
    assert drawing_unit(room.card, navigation) == 1.0
    assert drawing_unit(room.card, None) == 1.0
    assert drawing_unit(replace(room.card, metres_per_unit=None), None) > 0


def test_one_looks_down_into_the_scene_from_outside(room):
    place, middle = view_from_above(room.card)
    low, high = room.card.bounds
    assert place[2] > high[2]
    assert np.all((middle > low) & (middle < high))


def test_one_sees_the_cameras_around_an_object_too(statue):
    place, middle = view_from_above(statue.card)
    cameras = np.asarray(statue.card.world_from_training_camera)[:, :3, 3]
    assert np.linalg.norm(place - middle) > np.linalg.norm(cameras - middle, axis=1).max()


def test_points_are_cut_above_the_head(room):
    cut = default_cut(room.card, 1.8)
    assert room.card.floor_height + 1.8 <= cut < room.card.bounds[1][2]
    assert default_cut(room.card, 99.0) == room.card.bounds[1][2]
    assert default_cut(replace(room.card, floor_height=None), 1.8) == room.card.bounds[1][2]


def test_pictures_stand_side_by_side_left_first():
    pictures = np.stack([np.full((8, 8, 3), 10, np.uint8), np.full((8, 8, 3), 200, np.uint8)])
    both = side_by_side(pictures, 2)
    assert both.shape[0] == TILE_PX
    assert (both[:, :TILE_PX] == 10).all()
    assert (both[:, -TILE_PX:] == 200).all()
    assert side_by_side(None, 2).shape == both.shape
    assert side_by_side(pictures[:1], 1).shape == (TILE_PX, TILE_PX, 3)


@pytest.mark.parametrize("wrong", [{"points": 0}, {"frames": 0}, {"hfov_deg": 200.0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        ViewSettings(**wrong)
