"""Real recordings as a diet: looked at, and trained on."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from merkwelt.streams import ClipCut, VideoClips

from merkwelt.cli import main
from merkwelt.clip_sheet import look, sheet_of
from merkwelt.recipes import recipe
from merkwelt.training import StoredClips, train


@pytest.fixture(scope="module")
def recordings(shared_data: Path) -> Path:
    return shared_data / "noncommercial"


def _interrupt(done: float, note: str) -> None:
    if note.startswith("step 1"):
        raise InterruptedError


def test_two_steps_on_a_hand_held_camera_resumed(recordings, tmp_path):
    cut = ClipCut(frames=4, size_px=32, stride_frames=2, picture_rate_hz=30)
    clips = StoredClips(recordings / "redkitchen_video", cut=cut)
    assert clips.read(clips.clip_ids[0]).valid_pairs.all(), "a camera makes no saccades"
    given = recipe("sfa")
    experiment = replace(
        given, encoder=replace(given.encoder, eyes=1), batch_size=2, checkpoint_every=1, steps=2
    )
    whole = train(experiment, clips, tmp_path / "whole", device="cpu")
    with pytest.raises(InterruptedError):
        train(experiment, clips, tmp_path / "run", device="cpu", progress=_interrupt)
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["data"]["identity"] == clips.identity
    resumed = train(experiment, clips, tmp_path / "run", device="cpu")
    assert resumed.held_out == whole.held_out
    other = StoredClips(recordings / "redkitchen_video", cut=replace(cut, stride_frames=3))
    with pytest.raises(FileExistsError, match=r"data\.identity"):
        train(experiment, other, tmp_path / "run", device="cpu")


def test_a_video_folder_trains_from_the_command_line(recordings, tmp_path, capsys):
    words = ["train", "predict", "--data", str(recordings / "stereo_video_kitti")]
    words += ["--out", str(tmp_path / "run"), "--steps", "1", "--batch", "1"]
    words += ["--cut.picture-rate-hz", "10", "--cut.frames", "4", "--cut.size-px", "32"]
    assert main(words) == 0
    assert json.loads((tmp_path / "run/results.json").read_text())["steps"] == 1
    capsys.readouterr()
    mono = ["--data", str(recordings / "redkitchen_video"), "--cut.picture-rate-hz", "30"]
    mono += ["--cut.frames", "4", "--cut.size-px", "32", "--steps", "1", "--batch", "1"]
    assert main(["train", "sfa", *mono, "--out", str(tmp_path / "no")]) == 2
    assert "expected clips of 2 eyes, got 1" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
    assert main(["train", "sfa", *mono, "--eyes", "1", "--out", str(tmp_path / "mono")]) == 0


def test_both_eyes_of_clips_are_on_the_sheet(recordings, tmp_path, capsys):
    folder, out = recordings / "stereo_video_kitti", tmp_path / "sheet.png"
    words = ["look", str(folder), "--out", str(out), "--frames", "3", "--clips", "2"]
    assert main([*words, "--cut.picture-rate-hz", "10", "--cut.frames", "5"]) == 0
    told = capsys.readouterr().out
    assert "image_l/#.png: pair with image_r/#.png" in told
    sheet = cv2.imread(str(out))[..., ::-1]
    clips = VideoClips(folder, cut=ClipCut(picture_rate_hz=10, frames=5))
    last = clips[len(clips) - 1].video.permute(0, 1, 3, 4, 2).numpy()
    # A line of text, the left eye's row, 4 px of white, the right eye's row; twice.
    assert sheet.shape[0] == 2 * (18 + 128 + 4 + 128)
    assert (sheet[-128:, :128] == last[1, 0]).all()
    assert (sheet[-260:-132, 132:260] == last[0, 2]).all()
    first = clips[0].video[0, 0].permute(1, 2, 0).numpy()
    assert (sheet_of([clips[0]], frames=3)[18:146, :128] == first).all()


def test_sheets_that_cannot_be_drawn(tmp_path, capsys):
    for wrong in ({"clips": 0}, {"frames": 0}):
        with pytest.raises(ValueError, match="at least 1 clip, at least 1 frame"):
            look(tmp_path, tmp_path / "a.png", **wrong)
    assert main(["look", str(tmp_path), "--out", str(tmp_path / "a.png")]) == 2
    assert "found nothing" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
