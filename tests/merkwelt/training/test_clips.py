import numpy as np
import pytest
import torch
from merkwelt.render.motion.trajectory import Trajectory

from merkwelt.training import MemoryClips, TrainingClip
from merkwelt.training.augment import augment
from merkwelt.training.clips import ClipLoader, batch_ids, held_out_split, pairs_within_fixations
from merkwelt.training.feed import EpochFeed

from .drifting import drifting_clips, small_experiment

CPU = torch.device("cpu")


def _loader(source, **changes):
    settings = {"eyes": 2, "image_size_px": None, "mask_saccades": True}
    return ClipLoader(source, **(settings | changes))


def test_the_split_covers_all_clips_once_and_repeats():
    ids = list(range(100, 120))
    training, held_out = held_out_split(ids, share=0.2, seed=0)
    assert sorted(training + held_out) == ids
    assert len(held_out) == 4
    assert held_out_split(ids, share=0.2, seed=0) == (training, held_out)
    assert held_out_split(ids, share=0.2, seed=1) != (training, held_out)
    assert held_out_split([7, 8], share=0.01, seed=0) in (([7], [8]), ([8], [7]))
    assert len(held_out_split([7, 8], share=0.99, seed=0)[0]) == 1
    with pytest.raises(ValueError, match="at least 2 clips"):
        held_out_split([1], share=0.2, seed=0)


def test_every_epoch_shows_every_clip_once():
    ids = [3, 5, 7, 11, 13, 17, 19]
    stream = [clip for step in range(14) for clip in batch_ids(ids, 3, seed=0, step=step)]
    epochs = [tuple(stream[i : i + 7]) for i in range(0, 42, 7)]
    assert all(sorted(epoch) == ids for epoch in epochs)
    assert len(set(epochs)) == 6
    assert batch_ids(ids, 3, seed=1, step=0) != batch_ids(ids, 3, seed=0, step=0)


def test_batches_are_floats_with_their_truth():
    source = drifting_clips(clips=3)
    clips, truth = _loader(source).batch([2, 0], CPU)
    assert clips.shape == (2, 2, 6, 3, 24, 24)
    torch.testing.assert_close(clips[1] * 255, source.read(0).video.float())
    assert float(truth["frame_rate_hz"]) == 10
    assert "valid_pairs" not in truth


def test_one_eye_is_the_left_one():
    source = drifting_clips(clips=2)
    clips, _ = _loader(source, eyes=1).batch([1], CPU)
    torch.testing.assert_close(clips[0, 0] * 255, source.read(1).video[0].float())


def test_frames_are_shrunk_by_averaging():
    source = drifting_clips(clips=2)
    clips, _ = _loader(source, image_size_px=12).batch([0], CPU)
    video = source.read(0).video.float() / 255
    expected = video.unflatten(-1, (12, 2)).unflatten(-3, (12, 2)).mean(dim=(-1, -3))
    torch.testing.assert_close(clips[0], expected)


class _Blinking:
    identity = "blinking"
    frame_rate_hz = 10.0
    clip_ids = (0, 1)

    def read(self, clip):
        pairs = torch.tensor([True, clip == 1])
        return TrainingClip(
            video=torch.zeros(2, 3, 3, 16, 16, dtype=torch.uint8), valid_pairs=pairs
        )


def test_masks_come_with_the_clips_unless_unwanted():
    _, truth = _loader(_Blinking()).batch([0, 1], CPU)
    assert truth["valid_pairs"].tolist() == [[True, False], [True, True]]
    _, truth = _loader(_Blinking(), mask_saccades=False).batch([0, 1], CPU)
    assert "valid_pairs" not in truth


def test_pairs_lie_within_one_fixation_with_open_eyes():
    frames = 7
    flags = np.zeros((2, frames), dtype=bool)
    flags[0, 3] = flags[1, 6] = True
    trajectory = Trajectory(
        time_s=np.arange(frames) / 10,
        world_from_head=np.tile(np.eye(4), (frames, 1, 1)),
        world_from_eye=np.tile(np.eye(4), (2, frames, 1, 1)),
        gaze_target=np.zeros((frames, 3)),
        fixation_id=np.array([0, 0, 1, 1, 1, 1, 1]),
        saccade=flags[0],
        blink=flags[1],
        gait_phase_rad=np.zeros(frames),
    )
    expected = [True, False, False, False, True, False]
    assert pairs_within_fixations(trajectory).tolist() == expected


def test_unusable_data_is_refused():
    with pytest.raises(ValueError, match="expected clips of 2 eyes, got 1; use an encoder"):
        _loader(drifting_clips(eyes=1)).check(0)
    with pytest.raises(ValueError, match="at least 2 frames"):
        _loader(drifting_clips(frames=1)).check(0)
    with pytest.raises(ValueError, match="shrunk, never enlarged"):
        _loader(drifting_clips(), image_size_px=48).check(0)
    with pytest.raises(ValueError, match="got an empty one"):
        EpochFeed(MemoryClips([], frame_rate_hz=10.0), small_experiment("sfa"))
    uneven = [torch.zeros(2, t, 3, 16, 16, dtype=torch.uint8) for t in (3, 4)]
    with pytest.raises(ValueError, match="one shape in a batch"):
        _loader(MemoryClips(uneven, frame_rate_hz=10.0)).batch([0, 1], CPU)


def test_identity_follows_the_pixels():
    assert drifting_clips().identity == drifting_clips().identity
    assert drifting_clips().identity != drifting_clips(clips=9).identity


def test_cuts_are_the_same_in_both_eyes_and_all_frames():
    where = torch.arange(32 * 32.0).view(1, 1, 1, 1, 32, 32).expand(3, 2, 4, 1, -1, -1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        cut, _ = augment(where, {}, crop_share=0.875)
    assert cut.shape == (3, 2, 4, 1, 28, 28)
    upright = torch.where((cut[..., :1, :1] > cut[..., :1, -1:]), cut.flip(-1), cut)
    assert (upright == upright[:1, :1, :1]).all()


def test_a_mirrored_world_is_seen_with_the_eyes_exchanged():
    clips = torch.rand(64, 2, 2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        seen, _ = augment(clips, {}, crop_share=1.0)
    same = (seen == clips).flatten(1).all(dim=1)
    mirrored = (seen == clips.flip(-1)[:, [1, 0]]).flatten(1).all(dim=1)
    assert (same ^ mirrored).all()
    assert 16 < int(same.sum()) < 48
