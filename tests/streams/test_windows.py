"""Windows over clips: the same as cutting whole clips, and little else is decoded."""

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from fake_clips import FakeClips, fake_plan
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.render.rigid import look_at
from merkwelt.render.truth.quantities import QUANTITIES, Fate, Target
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.scene import Scene
from merkwelt.streams import ClipDataset, Storage, Windows, decoding, make_plan, render_dataset
from merkwelt.streams.decoding import decoded_frames, needed_frames
from merkwelt.streams.engine import run_plan
from merkwelt.streams.truth_members import TRUTH_STREAMS
from merkwelt.streams.windows import clip_and_frame, window_id

FRAMES = 11
FLOWS = ("flow_forward", "flow_backward")
AS_THEY_ARE = ("video", "depth", *(set(TRUTH_STREAMS) - {*FLOWS, "masks"}))


@pytest.fixture(scope="module", params=["lossless", "compact"])
def folder(request, tmp_path_factory):
    room = analytic_room()
    poses = look_at(
        np.array([[-1.0, -1.5, 1.4], [0.5, 1.0, 1.4], [1.8, -1.8, 1.4]]), np.array([0.0, 0.0, 0.8])
    )
    cameras = tuple(tuple(map(tuple, pose)) for pose in poses.tolist())
    scene = Scene(replace(room.card, world_from_training_camera=cameras), room.field)
    settings = ClipSettings(frames=FRAMES, size=16, truth=QUANTITIES, signals=True)
    storage = Storage(profile=request.param)
    plan = make_plan([scene], load_observer("adult"), settings, clips=2, storage=storage)
    folder = tmp_path_factory.mktemp(request.param)
    render_dataset(plan, {room.card.name: scene}, folder)
    return folder


def _tensors(sample):
    return {"video": sample.video, "depth": sample.depth, **sample.truth.held()}


@pytest.mark.parametrize(
    "frames", [range(11), range(1), range(4, 8), range(3, 9), range(10, 11), range(2, 11, 1)]
)
def test_parts_are_the_frames_of_the_whole(folder, frames):
    streams = tuple(s for s in ClipDataset(folder).streams if s != "signals")
    data = ClipDataset(folder, streams=streams)
    whole, part = data.sample(1), data.cut(1, frames)
    at = list(frames)
    assert (part.clip, part.first_frame, part.scene) == (1, frames[0], whole.scene)
    assert part.description == whole.description
    there, here = _tensors(whole), _tensors(part)
    assert set(there) == set(here)
    for name in AS_THEY_ARE:
        torch.testing.assert_close(
            here[name], there[name][:, at], rtol=0, atol=0, equal_nan=True, msg=name
        )
    for f in fields(whole.trajectory):
        before, after = getattr(whole.trajectory, f.name), getattr(part.trajectory, f.name)
        wanted = before[:, at] if f.name == "world_from_eye" else before[at]
        assert np.array_equal(after, wanted), f.name
    # Within the part flow and masks are the whole's; beyond its ends there is no other frame.
    forward, backward, masks = (here[name] for name in (*FLOWS, "masks"))
    inner = {"rtol": 0, "atol": 0, "equal_nan": True}
    torch.testing.assert_close(forward[:, :-1], there["flow_forward"][:, at[:-1]], **inner)
    torch.testing.assert_close(backward[:, 1:], there["flow_backward"][:, at[1:]], **inner)
    assert forward[:, -1].isnan().all()
    assert backward[:, 0].isnan().all()
    assert torch.equal(masks[:, :-1, Target.NEXT], there["masks"][:, at[:-1], Target.NEXT])
    assert torch.equal(masks[:, 1:, Target.PREVIOUS], there["masks"][:, at[1:], Target.PREVIOUS])
    assert torch.equal(masks[:, :, Target.OTHER_EYE], there["masks"][:, at, Target.OTHER_EYE])
    assert (masks[:, -1, Target.NEXT] == Fate.UNKNOWN).all()
    assert (masks[:, 0, Target.PREVIOUS] == Fate.UNKNOWN).all()


def test_the_part_that_is_all_is_the_whole(folder):
    data = ClipDataset(folder)
    whole, part = data.sample(0), data.cut(0, range(FRAMES))
    for name, tensor in _tensors(whole).items():
        torch.testing.assert_close(_tensors(part)[name], tensor, rtol=0, atol=0, equal_nan=True)
    for f in fields(whole.signals):
        assert np.array_equal(getattr(part.signals, f.name), getattr(whole.signals, f.name))


@pytest.mark.parametrize("frames", [range(2, 11, 3), range(0, 11, 5), range(1, 10, 2)])
def test_frames_are_left_out(folder, frames):
    streams = tuple(s for s in ClipDataset(folder).streams if s not in FLOWS)
    data = ClipDataset(folder, streams=streams)
    whole, part = data.sample(0), data.cut(0, frames)
    at = list(frames)
    for name in AS_THEY_ARE:
        torch.testing.assert_close(
            _tensors(part)[name], _tensors(whole)[name][:, at], rtol=0, atol=0, equal_nan=True
        )
    assert part.trajectory.time_s.tolist() == whole.trajectory.time_s[at].tolist()
    masks = part.truth.masks
    assert torch.equal(masks[:, :, Target.OTHER_EYE], whole.truth.masks[:, at, Target.OTHER_EYE])
    assert (masks[:, :, Target.NEXT :] == Fate.UNKNOWN).all()


def test_signals_last_from_the_first_frame_to_the_last(folder):
    data = ClipDataset(folder, streams=("signals", "trajectory"))
    whole, part = data.sample(1), data.cut(1, range(2, 9, 3))
    first_s, last_s = part.trajectory.time_s[[0, -1]]
    assert part.signals.time_s[0] == pytest.approx(first_s, abs=1e-9)
    assert part.signals.time_s[-1] == pytest.approx(last_s, abs=1e-9)
    assert part.signals.rate_hz == pytest.approx(whole.signals.rate_hz)
    start = int(np.argmin(np.abs(whole.signals.time_s - first_s)))
    for f in fields(part.signals):
        cut, full = getattr(part.signals, f.name), getattr(whole.signals, f.name)
        axis = 1 if f.name.startswith("eye_in_head") else 0
        rows = np.arange(start, start + len(part.signals.time_s))
        assert np.array_equal(cut, np.take(full, rows, axis=axis)), f.name


def test_flow_is_refused_where_its_next_frame_is_left_out(folder):
    data = ClipDataset(folder, streams=("video", "flow_forward"))
    message = r"\['flow_forward'\] lead .* a step of 2 leaves out; .*streams=\('video',\)"
    with pytest.raises(ValueError, match=message):
        data.windows(Windows(frames=3, step=2))
    with pytest.raises(ValueError, match=message):
        data.cut(0, range(0, 5, 2))
    with pytest.raises(ValueError, match="signals .* need at least 2 frames, got 1"):
        ClipDataset(folder, streams=("signals",)).windows(Windows(frames=1))


@pytest.mark.parametrize("frames", [range(9, 12), range(-1, 2), range(3, 3), range(4, 1, -1)])
def test_frames_that_a_clip_has_not_are_refused(folder, frames):
    with pytest.raises(ValueError, match="ascending range within the 11 frames of clip 1, got"):
        ClipDataset(folder, streams=("video",)).cut(1, frames)


def test_only_frames_from_the_key_frame_before_are_decoded(folder, monkeypatch):
    """Colour has a key frame every four frames, depth and truth have nothing else."""
    fed = []

    def noted(is_key, wanted):
        fed.append((list(is_key), needed_frames(is_key, wanted)))
        return fed[-1][1]

    monkeypatch.setattr(decoding, "needed_frames", noted)
    ClipDataset(folder, streams=("video",)).cut(0, range(6, 10))
    is_key = [frame % 4 == 0 for frame in range(FRAMES)]
    assert fed == [(is_key, [4, 5, 6, 7, 8, 9])] * 2
    fed.clear()
    ClipDataset(folder, streams=("depth",)).cut(0, range(1, 11, 4))
    assert fed == [([True] * FRAMES, [1, 5, 9])] * 2


def test_needed_frames_are_those_back_to_a_key_frame():
    is_key = [True, False, False, False, True, False, True, False, False]
    for count in (1, 2, 3):
        for wanted in itertools.combinations(range(len(is_key)), count):
            expected = {
                frame
                for frame in range(len(is_key))
                if any(frame <= w and not any(is_key[frame + 1 : w + 1]) for w in wanted)
            }
            assert needed_frames(is_key, wanted) == sorted(expected)


def test_frames_that_a_video_has_not_are_an_error(folder):
    data = ClipDataset(folder, streams=("video",))
    left = data._members(0, ("video",))["left.mkv"]
    with pytest.raises(RuntimeError, match=r"cannot decode .*: expected frames 10 to 11, found 11"):
        decoded_frames(left, [10, 11])


@pytest.mark.parametrize(
    ("windows", "starts"),
    [
        (Windows(frames=3), list(range(9))),
        (Windows(frames=3, stride=4), [0, 4, 8]),
        (Windows(frames=3, stride=2, step=4), [0, 2]),
        (Windows(frames=11, stride=5), [0]),
        (Windows(frames=1, stride=10), [0, 10]),
    ],
)
def test_windows_are_all_that_fit(folder, windows, starts):
    data = ClipDataset(folder, streams=("video",)).windows(windows)
    assert [clip_and_frame(window) for window in data.clip_ids.tolist()] == [
        (clip, start) for clip in (0, 1) for start in starts
    ]
    assert len(data) == 2 * len(starts)


def test_windows_are_clips_of_their_own(folder):
    clips = ClipDataset(folder, streams=("video", "trajectory"))
    windows = clips.windows(Windows(frames=3, stride=2, step=2))
    sample = windows.at(clip=1, first_frame=4)
    assert torch.equal(sample.video, clips.sample(1).video[:, 4:9:2])
    assert torch.equal(windows.sample(window_id(1, 4)).video, sample.video)
    seen = []
    for batch in windows.loader(4, seed=1, epochs=1, workers=1):
        assert batch.video.shape[2] == 3
        seen += zip(batch.clips.tolist(), batch.first_frames.tolist(), strict=True)
    assert sorted(seen) == [(clip, start) for clip in (0, 1) for start in (0, 2, 4, 6)]
    assert "windows=8" in repr(windows)


@pytest.mark.parametrize(("clip", "first"), [(1, 3), (2, 0), (1, 9), (0, -1), (0, 1 << 20)])
def test_windows_that_are_not_there_are_refused(folder, clip, first):
    windows = ClipDataset(folder, streams=("video",)).windows(Windows(frames=3, stride=2))
    with pytest.raises(KeyError, match=f"expected one of the 10 windows .*clip {clip} from frame"):
        windows.at(clip, first)


def test_windows_that_do_not_fit_are_refused(folder):
    data = ClipDataset(folder, streams=("video",))
    with pytest.raises(ValueError, match="at least 12 frames, which a window of 12 .* at most 11"):
        data.windows(Windows(frames=12))
    with pytest.raises(ValueError, match="frames, stride and step of at least 1, got 3, 0 and 1"):
        Windows(frames=3, stride=0)


def test_ids_of_windows_stay_when_the_data_set_grows(tmp_path):
    run_plan(fake_plan(3, frames=5), FakeClips(skip={1}), tmp_path)
    before = ClipDataset(tmp_path, streams=("video",)).windows(Windows(frames=2, stride=2))
    run_plan(fake_plan(6, frames=5), FakeClips(skip={1}), tmp_path)
    after = ClipDataset(tmp_path, streams=("video",)).windows(Windows(frames=2, stride=2))
    assert after.clip_ids[: len(before)].tolist() == before.clip_ids.tolist()
    for window in before.clip_ids.tolist():
        assert torch.equal(before.sample(window).video, after.sample(window).video)
