import pickle
import shutil

import numpy as np
import pytest
import torch
from fake_clips import FakeClips, fake_plan
from merkwelt.streams import ClipCut, ClipDataset, VideoClips, collate, open_clips
from merkwelt.streams.engine import run_plan
from torch.utils.data import DataLoader

CUT = ClipCut(frames=4, size_px=32, stride_frames=2)
STAMPS_MS = [100 * k for k in range(20)]


@pytest.fixture
def folder(tmp_path, numbered_movie):
    walks = tmp_path / "walks"
    numbered_movie(walks / "monday/a.mp4", STAMPS_MS)
    numbered_movie(walks / "b.mkv", STAMPS_MS)
    return walks


def test_ids_stay_when_recordings_come_and_go_and_the_identity_does_not(
    tmp_path, folder, numbered_movie, shown
):
    before = VideoClips(folder, cut=CUT)
    assert len(before) == 2 * 9
    assert (np.diff(before.clip_ids) > 0).all()
    assert before.clip_ids.dtype == np.int64
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder, moved)
    again = VideoClips(moved, cut=CUT)
    assert again.identity == before.identity
    assert (again.clip_ids == before.clip_ids).all()
    numbered_movie(moved / "a_new.webm", STAMPS_MS, codec="libvpx-vp9", options={"cpu-used": "8"})
    grown = VideoClips(moved, cut=CUT)
    assert len(grown) == 3 * 9
    assert set(before.clip_ids) <= set(grown.clip_ids)
    for clip in before.clip_ids[::5]:
        assert (grown.sample(int(clip)).video == before.sample(int(clip)).video).all()
        assert grown.sample(int(clip)).scene == before.sample(int(clip)).scene
    assert grown.identity != before.identity


def test_the_identity_is_that_of_content_and_cut(folder, numbered_movie):
    first = VideoClips(folder, cut=CUT).identity
    assert VideoClips(folder, cut=CUT, streams=("video",)).identity == first
    assert VideoClips(folder, cut=ClipCut(frames=4, size_px=30, stride_frames=2)).identity != first
    data = bytearray((folder / "b.mkv").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "b.mkv").write_bytes(data)
    assert VideoClips(folder, cut=CUT).identity != first


def test_batches_are_resumed_in_order(folder):
    clips = VideoClips(folder, cut=CUT)
    stream = clips.batches(5, seed=3)
    whole = [next(stream) for _ in range(4)]
    later = next(clips.batches(5, seed=3, start_step=3))
    assert later.clips.tolist() == whole[3].clips.tolist()
    assert (later.video == whole[3].video).all()
    assert later.video.shape == (5, 1, 4, 3, 32, 32)
    epoch = torch.cat([batch.clips for batch in whole])[:18].tolist()
    assert sorted(epoch) == clips.clip_ids.tolist()
    assert epoch == clips.order(3, 0).tolist()


def test_workers_read_the_same(folder):
    clips = VideoClips(folder, cut=CUT)
    there = pickle.loads(pickle.dumps(clips))
    assert (there.clip_ids == clips.clip_ids).all()
    here = [clips[k].video for k in range(len(clips))]
    loader = DataLoader(clips, batch_size=9, num_workers=2, collate_fn=collate)
    read = torch.cat([batch.video for batch in loader])
    assert (read == torch.stack(here)).all()


def test_clips_that_are_not_there(folder):
    clips = VideoClips(folder, cut=CUT)
    for wrong in (0, int(clips.clip_ids[-1]) + 1):
        with pytest.raises(KeyError, match="expected one of the 18 clips of"):
            clips.sample(wrong)


def test_streams_that_videos_have_not(folder):
    with pytest.raises(ValueError, match="expected streams out of .* got .'flow_forward'"):
        VideoClips(folder, cut=CUT, streams=("flow_forward",))
    with pytest.raises(ValueError, match="depth_unit_m"):
        VideoClips(folder, cut=CUT, streams=("depth",))
    sample = VideoClips(folder, cut=CUT, streams=("trajectory",))[0]
    assert (sample.video, sample.trajectory, sample.caption) == (None, None, None)
    with pytest.raises(ValueError, match=r"depth was asked for, and .* has none"):
        VideoClips(folder, cut=ClipCut(frames=4, size_px=32, depth_unit_m=0.001))


def test_nothing_is_enlarged_and_every_reason_is_told(folder):
    with pytest.raises(ValueError, match=r"b\.mkv: an eye's square is 64 x 64 px, less"):
        VideoClips(folder, cut=ClipCut(frames=4, size_px=65))
    with pytest.raises(ValueError, match=r"monday/a\.mp4: it has 10 frames a second"):
        VideoClips(folder, cut=ClipCut(frames=4, size_px=32, frame_rate_hz=30))
    with pytest.raises(ValueError, match=r"it has one eye, and two were asked for"):
        VideoClips(folder, cut=ClipCut(frames=4, size_px=32, eyes=2))
    with pytest.raises(ValueError, match=r"got \['c\*'\]; there are \['b\.mkv', 'monday/a\.mp4'\]"):
        VideoClips(folder, cut=ClipCut(only=("c*",)))
    (folder.parent / "none").mkdir()
    with pytest.raises(ValueError, match="it holds no video or pictures"):
        VideoClips(folder.parent / "none")
    only = VideoClips(folder, cut=ClipCut(frames=4, size_px=32, only=("monday/*",)))
    assert [recording.name for recording in only.recordings] == ["monday/a.mp4"]


def test_a_rendered_data_set_opens_as_one(tmp_path):
    run_plan(fake_plan(3), FakeClips(), tmp_path / "data")
    clips = open_clips(tmp_path / "data", streams=("video",), cut=ClipCut())
    assert isinstance(clips, ClipDataset)
    assert clips.streams == ("video",)
    with pytest.raises(ValueError, match="what they were rendered as; a cut is for videos"):
        open_clips(str(tmp_path / "data"), cut=CUT)


def test_clips_are_opened_wherever_they_are(folder, tmp_path):
    clips = open_clips(folder, streams=("video", "trajectory"), cut=CUT)
    assert isinstance(clips, VideoClips)
    assert repr(clips).startswith("VideoClips(")
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match=r"videos and numbered pictures in .*other, found nothing"):
        open_clips(tmp_path / "other")
    (tmp_path / "other/a.txt").write_text("")
    with pytest.raises(ValueError, match=r"found 1 of \.txt"):
        open_clips(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match="found no"):
        open_clips(tmp_path / "nothing")
    with pytest.raises(NotADirectoryError, match="give the folder that it lies in"):
        open_clips(folder / "b.mkv")
