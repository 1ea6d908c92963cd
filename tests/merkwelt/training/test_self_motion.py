import dataclasses
from contextlib import closing, contextmanager

import numpy as np
import pytest
import torch
from merkwelt.render.rigid import rotation_from_angles
from merkwelt.scenes.analytic import analytic_room
from merkwelt.streams.engine import run_plan
from merkwelt.streams.live import LiveOptions
from merkwelt.streams.live import stream as live_stream
from merkwelt.streams.live.thread import ThreadRenderer
from merkwelt.streams.plan import Plan
from scipy.spatial.transform import Rotation, Slerp
from streaming_clips import DriftingClips, moving_eyes, streaming_plan

from merkwelt.training import StoredClips, StreamClips, TrainingClip
from merkwelt.training.augment import augment
from merkwelt.training.clips import ClipLoader, lengths_are_metres
from merkwelt.training.self_motion import self_motion

from .drifting import small_experiment

MIRROR = np.diag([-1.0, 1.0, 1.0])


def _converging_eyes(seed=0, frames=5):
    """Return eyes that each look their own way."""
    eyes = moving_eyes(seed, frames)
    own = Rotation.from_rotvec(
        np.random.default_rng(9).normal(scale=0.05, size=(2, frames, 3)).reshape(-1, 3)
    )
    eyes[..., :3, :3] = eyes[..., :3, :3] @ own.as_matrix().reshape(2, frames, 3, 3)
    return eyes


def _reference(world_from_eye):
    """Frame by frame with scipy: spherical interpolation halfway between the eyes."""
    gazes = []
    for left, right in world_from_eye.swapaxes(0, 1):
        ends = Rotation.from_matrix(np.stack([left[:3, :3], right[:3, :3]]))
        gazes.append(Slerp([0, 1], ends)(0.5))
    places = world_from_eye[..., :3, 3].mean(axis=0)
    frames = range(len(gazes) - 1)
    moved = [gazes[t].inv().apply(places[t + 1] - places[t]) for t in frames]
    turned = [(gazes[t].inv() * gazes[t + 1]).as_rotvec() for t in frames]
    return np.stack(moved), np.stack(turned)


def test_motion_is_that_of_the_eye_between_the_eyes():
    eyes = _converging_eyes()
    translation, rotation = self_motion(eyes)
    expected = _reference(eyes)
    # float32 of numbers of about 0.1.
    np.testing.assert_allclose(translation, expected[0], atol=1e-7)
    np.testing.assert_allclose(rotation, expected[1], atol=1e-7)


def test_the_eyes_may_be_exchanged():
    eyes = _converging_eyes()
    for one, other in zip(self_motion(eyes), self_motion(eyes[::-1]), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-7)


def test_signs_by_hand():
    """Looks along world x, walks ahead and turns left and up; then steps to its left."""
    yaw, pitch = np.array([0.0, 0.1, 0.1]), np.array([0.0, 0.0, 0.2])
    eye = np.tile(np.eye(4), (1, 3, 1, 1))
    eye[0, :, :3, :3] = rotation_from_angles(yaw, pitch)
    eye[0, 1:, 0, 3] = 0.5
    translation, rotation = self_motion(eye)
    torch.testing.assert_close(translation[0], torch.tensor([0.0, 0.0, 0.5]))
    # Yaw is counter-clockwise from above: to the left, about "up", which is minus y.
    torch.testing.assert_close(rotation[0], torch.tensor([0.0, -0.1, 0.0]))
    torch.testing.assert_close(rotation[1], torch.tensor([0.2, 0.0, 0.0]))


def _mirrored_eyes(world_from_eye):
    """Return the same in a world mirrored left to right, whose eyes are exchanged.

    Mirroring takes the world's x and the eye's x to their negatives: a rotation stays one.
    """
    mirrored = world_from_eye[::-1].copy()
    mirrored[..., :3, :3] = MIRROR @ mirrored[..., :3, :3] @ MIRROR
    mirrored[..., :3, 3] = mirrored[..., :3, 3] @ MIRROR
    return mirrored


def test_mirrored_clips_have_the_motion_of_a_mirrored_world():
    eyes = [_converging_eyes(seed) for seed in range(32)]
    there = [self_motion(each) for each in eyes]
    mirrored = [self_motion(_mirrored_eyes(each)) for each in eyes]
    clips = torch.rand(32, 2, 5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    truth = {
        "translation_m": torch.stack([t for t, _ in there]),
        "rotation_rad": torch.stack([r for _, r in there]),
        "frame_rate_hz": torch.tensor(10.0),
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        seen, told = augment(clips, truth, crop_share=1.0)
    was_mirrored = (seen != clips).flatten(1).any(dim=1)
    assert 8 < int(was_mirrored.sum()) < 24
    for i in range(32):
        expected = mirrored[i] if was_mirrored[i] else there[i]
        torch.testing.assert_close(told["translation_m"][i], expected[0], rtol=0, atol=1e-7)
        torch.testing.assert_close(told["rotation_rad"][i], expected[1], rtol=0, atol=1e-7)
    assert told["frame_rate_hz"] is truth["frame_rate_hz"]


def test_only_what_is_known_is_mirrored():
    clips = torch.zeros(2, 1, 2, 1, 4, 4)
    assert augment(clips, {}, crop_share=1.0)[1] == {}
    only = {"rotation_rad": torch.ones(2, 1, 3)}
    assert set(augment(clips, only, crop_share=1.0)[1]) == {"rotation_rad"}


def test_streams_tell_the_same_motion_as_data_sets_to_the_bit(tmp_path, monkeypatch):
    @contextmanager
    def in_thread(plan, make_clip, ring, _options):
        with closing(ThreadRenderer(plan, make_clip, ring)) as renderer:
            yield renderer

    monkeypatch.setattr(live_stream, "open_renderer", in_thread)
    plan = dataclasses.replace(streaming_plan(), clips=12)
    run_plan(plan, DriftingClips(), tmp_path / "data")
    stored = StoredClips(tmp_path / "data")
    options = LiveOptions(
        reuse=2, window=4, held_out_clips=2, ahead=1, render_threads=1, train_threads=1
    )
    feed = StreamClips(plan, DriftingClips(), options).feed(small_experiment("sfa"))
    try:
        feed.start({})
        for clip in [*feed.held_out_ids, *feed.batch_ids(0)]:
            live, kept = feed.read(clip), stored.read(clip)
            assert torch.equal(live.translation_m, kept.translation_m)
            assert torch.equal(live.rotation_rad, kept.rotation_rad)
            assert float(kept.translation_m.abs().min()) > 0
            assert live.clip_class is None
    finally:
        feed.close()


class _Moving:
    frame_rate_hz = 10.0

    def read(self, clip):
        motion = torch.full((2, 3), float(clip))
        return TrainingClip(
            video=torch.zeros(1, 3, 3, 16, 16, dtype=torch.uint8),
            translation_m=None if clip == 2 else motion,
            rotation_rad=motion,
            clip_class=clip + 5,
        )


def test_batches_tell_what_is_known_of_all_their_clips():
    loader = ClipLoader(_Moving(), eyes=1, image_size_px=None, mask_saccades=True)
    _, truth = loader.batch([1, 0], torch.device("cpu"))
    assert truth["translation_m"][:, 0, 0].tolist() == [1.0, 0.0]
    assert truth["clip_class"].tolist() == [6, 5]
    _, truth = loader.batch([0, 2], torch.device("cpu"))
    assert "translation_m" not in truth
    assert truth["rotation_rad"].shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("said", "settings", "expected"),
    [
        (True, {"stereo": False}, True),
        (False, {"stereo": False, "signals": True}, False),
        # Plans of before say nothing; stereo was refused without a scale.
        (None, {}, True),
        (None, {"stereo": False}, False),
        (None, {"stereo": False, "signals": True}, True),
    ],
)
def test_plans_tell_whether_lengths_are_metres(said, settings, expected):
    plan = streaming_plan()
    scene = dataclasses.replace(plan.scenes[0], metric=said)
    plan = dataclasses.replace(plan, scenes=(scene,), settings=settings)
    assert lengths_are_metres(plan, 3) is expected
    assert plan.id == dataclasses.replace(plan, scenes=streaming_plan().scenes).id


def test_plans_record_the_scale_of_their_scenes():
    from merkwelt.render.observer.presets import load_observer
    from merkwelt.render.render_clip import ClipSettings
    from merkwelt.streams import make_plan

    room = analytic_room()
    settings = ClipSettings(frames=2, size=8, stereo=False)
    plan = make_plan([room], load_observer("adult"), settings, clips=1)
    assert plan.scenes[0].metric is True
    card = dataclasses.replace(room.card, metres_per_unit=None)
    unscaled = dataclasses.replace(room, card=card)
    plan = make_plan([unscaled], load_observer("adult"), settings, clips=1)
    assert plan.scenes[0].metric is False
    assert isinstance(plan, Plan)
