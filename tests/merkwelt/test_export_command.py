import json

import pytest

from merkwelt.cli import main


@pytest.fixture(scope="module")
def clips(library, tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "clips"
    words = ["render", "--scene", "room", "--clips", "2", "--frames", "3", "--size", "16"]
    assert main([*words, "--out", str(out), "--library", str(library)]) == 0
    return out


def test_rendered_clips_are_exported_with_depth(clips, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["export", str(clips), "--to", "lerobot", "--out", str(out)]
    assert main([*words, "--streams", "video", "depth"]) == 0
    said = capsys.readouterr()
    assert f"{out}: 2 episodes, 6 frames, " in said.out
    assert "exporting: 100 %" in said.err
    info = json.loads((out / "meta/info.json").read_text())
    assert (info["total_episodes"], info["fps"], info["robot_type"]) == (2, 10, "adult")
    assert sum("images" in key for key in info["features"]) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "{there}"], "exists; choose another folder"),
        (["--out", "{new}", "--streams", "depth"], "expected streams 'video' or 'video depth'"),
        (["--out", "{new}", "--video-files-mb", "0"], "files of at least 1 MB"),
    ],
)
def test_bad_input_is_one_message(clips, tmp_path, capsys, words, message):
    words = [word.format(there=tmp_path, new=tmp_path / "new") for word in words]
    assert main(["export", str(clips), *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "new").exists()


def test_no_data_set_is_no_export(tmp_path, capsys):
    assert main(["export", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "does not exist" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())
