"""Splits, truths and speeds, by hand and by closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from merkwelt.probing.features import FeatureSet, Where, floors_of, principal_axes
from merkwelt.probing.speed import half_life_s, measure_speeds
from merkwelt.probing.splitting import split_clips, within_scenes
from merkwelt.probing.stereo import anti_correlated, left_twice, right_twice, swapped
from merkwelt.probing.truths import cell_means, motion, noun_of, visible

from .seen import FRAMES, MAP, RATE_HZ, SIZE, seen_clips, walk

WHERE = Where(map_name=MAP, rows=3, columns=3, channels=8, steps=FRAMES, frames_per_step=1, grid=2)
IDS = np.arange(12)
SCENES = np.array(["a", "b", "c"] * 4)


def test_whole_scenes_are_held_out_where_there_are_several():
    split = split_clips(IDS, SCENES)
    assert split.kind == "scenes"
    assert len(split.folds) == 3
    assert all(not set(SCENES[f.fit]) & set(SCENES[f.test]) for f in split.folds)
    named = split_clips(IDS, SCENES, held_out_scenes=("b",))
    assert set(SCENES[named.folds[0].test]) == {"b"}
    assert "b" in named.words
    with pytest.raises(ValueError, match="'a', 'b', 'c'"):
        split_clips(IDS, SCENES, held_out_scenes=("kitchen",))
    with pytest.raises(ValueError, match="a scene to fit on"):
        split_clips(IDS, SCENES, held_out_scenes=("a", "b", "c"))


def test_clips_of_one_scene_are_held_out_and_that_is_said():
    one = np.array(["hall"] * 12)
    split = split_clips(IDS, one)
    assert split.kind == "clips"
    assert "not scenes" in split.words
    assert "another data set" in split.words
    np.testing.assert_array_equal(split.tested, IDS)
    held_out = split_clips(IDS, one, unseen=[3, 7, 8])
    assert [fold.test.tolist() for fold in held_out.folds] == [[3, 7, 8]]
    assert "held out of its training" in held_out.words
    assert "trained on some" in split_clips(IDS, one, unseen=[]).words


def test_places_are_split_within_each_scene():
    within = within_scenes(SCENES, split_clips(IDS, SCENES), IDS)
    for fold in within.folds:
        assert len(set(SCENES[fold.fit]) | set(SCENES[fold.test])) == 1
    np.testing.assert_array_equal(within.tested, IDS)
    assert within_scenes(SCENES[:6], split_clips(IDS[:6], SCENES[:6]), IDS[:6]) is None


def test_motion_of_a_straight_walk():
    clips = seen_clips(4)
    way = walk(np.random.default_rng(0), saccade_at=5)
    straight = way.world_from_eye.copy()
    straight[:, :, :3, :3] = straight[:, :1, :3, :3]
    forward = straight[0, 0, :3, 2]
    straight[:, :, :3, 3] = straight[:, :1, :3, 3] + np.arange(FRAMES)[:, None] * 0.08 * forward
    sample = replace(clips.samples[0], trajectory=replace(way, world_from_eye=straight))
    moves, turns, known = motion(replace(clips, samples=(sample, *clips.samples[1:])), WHERE)
    np.testing.assert_allclose(moves[0, 1:], [[0, 0, 0.8]] * (FRAMES - 1), atol=1e-5)
    np.testing.assert_allclose(turns[0], 0, atol=1e-5)
    assert known[0].tolist() == [False, True, True, True, True, False, True, True]
    two = replace(WHERE, steps=FRAMES // 2, frames_per_step=2)
    halves, _, _ = motion(clips, two)
    all_moves, _, _ = motion(clips, WHERE)
    np.testing.assert_allclose(halves, all_moves[:, 1::2])


def test_depth_of_cells_is_the_mean_of_what_is_known():
    clips = seen_clips(4)
    depth = torch.full((2, FRAMES, SIZE, SIZE), 2.0)
    depth[:, :, :8, :4] = float("nan")
    depth[:, :, :8, 8:13] = 0.0
    depth[:, :, 8:16, :4] = 8.0
    sample = replace(clips.samples[0], depth=depth)
    found = cell_means(replace(clips, samples=(sample, *clips.samples[1:])), WHERE, "depth")
    assert found is not None
    values, known = found
    assert known[0, 0].tolist() == [[True, False, True], [True] * 3, [True] * 3]
    np.testing.assert_allclose(values[0, 0, 0, 0], np.log(2))
    np.testing.assert_allclose(values[0, 0, 1, 0], np.log(4))
    assert cell_means(seen_clips(4, disparity=False), WHERE, "disparity") is None


def test_ids_say_what_is_visible():
    clips = seen_clips(4)
    ids = torch.full((2, FRAMES, SIZE, SIZE), -1)
    ids[:, 3:, :2, :2] = 0
    ids[:, 3:, 10:12, 10:12] = 1
    ids[:, :, 20, 20] = 2
    truth = replace(clips.samples[0].truth, ids=ids, objects=("cup", "cup_2", "lamp"))
    sample = replace(clips.samples[0], truth=truth)
    seen = visible(replace(clips, samples=(sample, *clips.samples[1:])), WHERE, least_share=0.01)
    # Two cups of 4 pixels in 576: together above a hundredth, alone not.
    assert seen["cup"][0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert seen["lamp"][0].tolist() == [0] * FRAMES
    assert np.isnan(seen["cup"][1]).all()
    assert (noun_of("grand_piano_2"), noun_of("thonet_chair")) == ("grand piano", "thonet chair")


def test_slowness_of_a_cosine_is_its_frequency():
    clips = seen_clips(10)
    steps, rate_hz = 200, 20.0
    where = replace(WHERE, steps=steps)
    long = replace(
        clips,
        frame_rate_hz=rate_hz,
        samples=tuple(replace(each, trajectory=None) for each in clips.samples),
    )
    rng = np.random.default_rng(0)
    time_s = np.arange(steps) / rate_hz
    phases = rng.uniform(0, 2 * np.pi, (10, 1, 2))
    pooled = np.cos(2 * np.pi * np.array([0.5, 2.0]) * time_s[:, None] + phases)
    mixed = pooled @ rng.normal(size=(2, 2))
    features = FeatureSet(name="cosines", frame=mixed, sites=mixed, pooled=mixed, is_floor=False)
    split = split_clips(long.ids, long.scenes)
    (found,) = measure_speeds(long, where, split, [features])
    # The speed of a cosine in steps of 1/rate: rate / pi * sin(pi f / rate).
    expected = rate_hz / np.pi * np.sin(np.pi * np.array([0.5, 2.0]) / rate_hz)
    np.testing.assert_allclose(found.eta_hz, expected, rtol=0.02)


def test_half_life_of_a_walk_with_a_known_one():
    rng = np.random.default_rng(0)
    keep, clips, steps = 0.9, 200, 60
    values = np.zeros((clips, steps, 1))
    values[:, 0] = rng.normal(size=(clips, 1))
    for t in range(1, steps):
        values[:, t] = keep * values[:, t - 1] + np.sqrt(1 - keep**2) * rng.normal(size=(clips, 1))
    expected = np.log(0.5) / np.log(keep) / RATE_HZ
    assert half_life_s(values, RATE_HZ) == pytest.approx(expected, rel=0.1)
    assert np.isnan(half_life_s(values[:, :3], RATE_HZ))


def test_changes_of_the_eyes():
    video = torch.rand(2, 2, 3, 3, 8, 8)
    assert (left_twice(video)[:, 1] == video[:, 0]).all()
    assert (right_twice(video)[:, 0] == video[:, 1]).all()
    assert (swapped(video)[:, 0] == video[:, 1]).all()
    gentle = 0.5 + 0.1 * (video - 0.5)
    turned = anti_correlated(gentle)
    assert (turned[:, 0] == gentle[:, 0]).all()
    torch.testing.assert_close(turned[:, 1].mean((-2, -1)), gentle[:, 1].mean((-2, -1)))
    centred = [each - each.mean((-2, -1), keepdim=True) for each in (turned[:, 1], gentle[:, 1])]
    torch.testing.assert_close(centred[0], -centred[1])


def test_floors_have_the_shapes_of_features():
    clips = seen_clips(4)
    pixels, light, places, nothing = floors_of(clips.video, WHERE, eyes=2, pooled_channels=8)
    assert pixels.keep == (32, 8, 8)
    assert pixels.sites.shape[:4] == light.sites.shape[:4] == (4, FRAMES, 3, 3)
    expected = clips.video[1, 0, 2].float().mean(0)[8:16, :8].mean() / 255
    assert light.sites[1, 2, 1, 0, 0] == pytest.approx(float(expected), abs=1e-6)
    assert light.pooled.shape == (4, FRAMES, 2)
    np.testing.assert_allclose(places.sites[0, 0, 0, 2], [1, -1, 1, 1, -1])
    assert not nothing.sites.any()


def test_principal_axes_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    for shape in ((50, 6), (6, 50)):
        rows = rng.normal(size=shape) @ np.diag(np.linspace(1, 4, shape[1])) + 2
        found = principal_axes(rows, 3)(rows)
        left, values, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
        np.testing.assert_allclose(np.abs(found), np.abs(left[:, :3] * values[:3]), atol=1e-8)
