"""What is read from features that are the truth, from noise, and from two eyes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from merkwelt.probing.features import Where
from merkwelt.probing.probe import NOTHING, UNTRAINED, probe_clips
from merkwelt.probing.request import ProbeRequest
from merkwelt.probing.truths import fixated, motion, poses

from .seen import FRAMES, MAP, ComparesEyes, Remembers, loaded, seen_clips, thing

WHERE = Where(map_name=MAP, rows=3, columns=3, channels=1, steps=FRAMES, frames_per_step=1, grid=0)

QUICK = ProbeRequest(grid=0, resamples=20)


def by_name(results):
    return {(each.task, each.name): each for each in results.measured}


@pytest.fixture(scope="module")
def knows_poses():
    clips = seen_clips()
    moves, turns, _ = motion(clips, WHERE)
    places, gazes, _ = poses(clips, WHERE)
    speed = np.linalg.norm(moves, axis=-1, keepdims=True)
    direction = moves / np.maximum(speed, 1e-9)
    table = np.concatenate([direction, speed, turns, places, gazes], axis=-1)
    return probe_clips(loaded(Remembers(table)), "knows", clips, QUICK)[0]


@pytest.fixture(scope="module")
def knows_nothing():
    table = np.random.default_rng(5).normal(size=(24, FRAMES, 12))
    return probe_clips(loaded(Remembers(table)), "noise", seen_clips(), QUICK)[0]


def test_features_that_are_the_poses_decode_to_them(knows_poses):
    found = by_name(knows_poses)
    for task in ("speed", "yaw_rate", "pitch_rate", "place"):
        assert found[task, "R2"].score("knows").mean > 0.99, task
    assert found["heading_direction", "median error"].score("knows").mean < 1
    assert found["heading", "median error"].score("knows").mean < 1
    assert found["place", "median error"].score("knows").mean < 0.05


def test_noise_is_at_chance(knows_nothing):
    found = by_name(knows_nothing)
    for task in ("speed", "yaw_rate", "place", "depth", "disparity"):
        # Of 24 clips: a share of the variance is lost to fitting, nothing is gained.
        assert -0.6 < found[task, "R2"].score("noise").mean < 0.15, task
    heading = found["heading_direction", "median error"]
    assert heading.score("noise").mean > 0.8 * heading.score(NOTHING).mean
    assert heading.chance == 90


def test_every_measure_stands_beside_its_floors(knows_poses):
    for each in knows_poses.measured:
        names = [score.features for score in each.scores]
        assert {"knows", UNTRAINED, "pixel components", "luminance", NOTHING} <= set(names)
        assert [s.features for s in each.scores if not s.is_floor] == ["knows"]
    depth = by_name(knows_poses)["depth", "R2"]
    assert "place in the picture" in [score.features for score in depth.scores]
    assert depth.rows == 24 * FRAMES * 9
    assert "not scenes" in knows_poses.split


def test_exchanged_eyes_turn_the_sign_of_decoded_disparity():
    results, _ = probe_clips(
        loaded(ComparesEyes()), "compares", seen_clips(), ProbeRequest(resamples=20)
    )
    assert by_name(results)["disparity", "R2"].score("compares").mean > 0.5
    assert by_name(results)["disparity", "R2"].score(UNTRAINED).mean < 0.2
    same = {
        each.condition: each.same_probe.mean
        for each in results.controls
        if (each.task, each.measure) == ("disparity", "correlation")
    }
    assert same["both eyes, as recorded"] > 0.8
    assert same["eyes swapped"] < -0.7
    assert abs(same["the left eye twice"]) < 0.3
    assert same["right eye's contrast reversed"] < -0.7
    refitted = {
        each.condition: each.refitted.mean
        for each in results.controls
        if (each.task, each.measure) == ("disparity", "correlation")
    }
    # A probe that is fitted anew knows that the sign has turned; nothing brings back one eye's.
    assert refitted["eyes swapped"] > 0.7
    assert abs(refitted["the right eye twice"]) < 0.3


def test_one_eye_has_no_controls_and_says_so():
    encoder = Remembers(np.random.default_rng(0).normal(size=(24, FRAMES, 4)))
    encoder.eyes = 1
    run = loaded(encoder)
    from merkwelt.video_models.build import with_eyes

    mono = replace(run.experiment, encoder=with_eyes(run.experiment.encoder, 1))
    results, _ = probe_clips(replace(run, experiment=mono), "mono", seen_clips(), QUICK)
    assert results.controls == ()
    assert "one eye" in results.left_out["stereo controls"]


def test_what_the_data_set_lacks_is_named_with_its_remedy():
    clips = seen_clips(disparity=False, depth=False)
    table = np.random.default_rng(0).normal(size=(24, FRAMES, 4))
    results, _ = probe_clips(loaded(Remembers(table)), "noise", clips, QUICK)
    assert "--truth disparity" in results.left_out["disparity"]
    assert "--no-depth" in results.left_out["depth"]
    assert "descriptions" in results.left_out["fixated objects"]


def test_lengths_of_scenes_of_unknown_scale_are_in_no_measure_of_metres():
    clips = seen_clips(scenes=("hall", "attic"))
    metric = clips.scenes == "hall"
    table = np.random.default_rng(0).normal(size=(24, FRAMES, 4))
    mixed = replace(clips, metric=metric)
    results, _ = probe_clips(loaded(Remembers(table)), "noise", mixed, QUICK)
    found = by_name(results)
    assert "attic" in results.left_out["scenes of unknown scale"]
    assert found["place", "median error"].clips == 12
    assert found["heading", "median error"].clips == 24
    assert ("depth", "R2") not in found
    assert ("disparity", "R2") in found


def test_clips_without_trajectories_have_no_place_and_that_is_said():
    clips = seen_clips()
    samples = tuple(replace(each, trajectory=None) for each in clips.samples)
    table = np.random.default_rng(0).normal(size=(24, FRAMES, 4))
    unknown = replace(clips, samples=samples)
    results, place = probe_clips(loaded(Remembers(table)), "noise", unknown, QUICK)
    assert place is None
    assert {"self-motion", "place", "heading"} <= set(results.left_out)


def described(clip):
    """Look at a cup or a chair, each for half of the clips; see a lamp in every other one."""
    noun = "cup" if clip % 2 else "chair"
    frames = tuple(range(FRAMES))
    visible = [SimpleNamespace(thing=thing(noun), frames=frames)]
    if clip % 3 == 0:
        visible.append(SimpleNamespace(thing=thing("lamp"), frames=frames[2:]))
    looks = (SimpleNamespace(thing=thing(noun), frames=frames[1:5]),)
    return SimpleNamespace(looks=looks, visible=tuple(visible))


def test_categories_are_named_by_features_that_are_the_objects():
    clips = seen_clips(describe=described)
    nouns = fixated(clips, WHERE)
    assert (nouns[0] == ["", "chair", "chair", "chair", "chair", "", "", ""]).all()
    table = np.random.default_rng(0).normal(size=(24, FRAMES, 4)) * 0.1
    table[1::2, :, 0] += 1
    table[::3, 2:, 1] += 1
    results, _ = probe_clips(loaded(Remembers(table)), "objects", clips, QUICK)
    found = by_name(results)
    for kind in ("linear", "nearest neighbours"):
        named = found["fixated_object", f"accuracy, {kind}"]
        assert named.score("objects").mean > 0.95
        assert named.score(NOTHING).mean <= 0.6
    seen = found["visible_objects", "area under the curve"]
    assert seen.score("objects").mean > 0.95
    assert seen.score(NOTHING).mean == pytest.approx(0.5, abs=0.01)


def test_which_clip_it_is_leaks_from_features_that_never_change():
    rng = np.random.default_rng(0)
    table = np.repeat(rng.normal(size=(24, 1, 12)), FRAMES, axis=1)
    table += 0.05 * rng.normal(size=table.shape)
    results, _ = probe_clips(loaded(Remembers(table)), "stuck", seen_clips(), QUICK)
    leak = by_name(results)["clip_identity", "accuracy"]
    assert leak.score("stuck").mean > 0.9
    assert leak.chance == pytest.approx(1 / 24)
    speeds = next(each for each in results.speeds if each.features == "stuck")
    assert speeds.clip_share > 0.9


def test_a_network_is_like_itself(knows_nothing):
    own = next(each for each in knows_nothing.similarities if each.other == "noise")
    assert own.rsa == pytest.approx(1)
    np.testing.assert_allclose(np.diag(own.cka), 1)
    other = next(each for each in knows_nothing.similarities if each.other == UNTRAINED)
    assert np.abs(other.cka).max() < 0.3
    assert knows_nothing.dimensions["noise"]["effective_rank"] > 11
