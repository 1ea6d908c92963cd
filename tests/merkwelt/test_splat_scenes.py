"""Files of Gaussians as a person uses them: imported, shown, listed, looked around."""

import imageio.v3 as imageio
import numpy as np
import pytest
from merkwelt.scenes import Scene
from merkwelt.streams import ClipDataset

from merkwelt.cli import main


def _refused(capsys, words, *expected):
    assert main(words) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert "Traceback" not in message
    assert message.count("error:") == 1
    for part in expected:
        assert part in message


def _file(shared_data, name):
    return str(next((shared_data / "splats" / name).glob("*.splat")))


@pytest.mark.parametrize("name", ["plant", "academic_tarot_cards"])
def test_a_real_splat_is_imported_shown_and_rendered(shared_data, tmp_path, capsys, name):
    library = ["--library", str(tmp_path / "library")]
    words = ["scene", "import", _file(shared_data, name), "--name", name, *library]
    words += ["--licence", "CC-BY-4.0", "--metres-per-unit", "0.4", "--background", "white"]
    assert main(words) == 0
    folder = tmp_path / "library" / name
    assert {p.name for p in folder.iterdir()} == {"scene.json", "field.safetensors", "preview.png"}
    preview = imageio.imread(folder / "preview.png")
    assert (preview < 128).any(axis=-1).mean() > 0.01
    assert (preview == 255).all(axis=-1).mean() > 0.5
    capsys.readouterr()
    assert main(["scene", "show", name, *library]) == 0
    shown = capsys.readouterr().out
    for part in ("CC-BY-4.0", "gaussians", "viewpoints", "96", "0.4"):
        assert part in shown
    assert main(["scene", "list", *library]) == 0
    assert "gaussians" in capsys.readouterr().out
    out = tmp_path / "clips"
    render = ["render", "--scene", name, "--clips", "1", "--frames", "4", "--size", "64"]
    assert main([*render, "--out", str(out), *library]) == 0
    assert main(["verify", str(out)]) == 0
    clip = ClipDataset(out).read(0)
    video = np.asarray(clip.video)
    assert video.shape == (2, 4, 3, 64, 64)
    # The thing is in every frame of both eyes, and the eyes see it from two places.
    seen = (video < 200).any(axis=2).mean(axis=(2, 3))
    assert np.all(seen > 0.01)
    assert np.any(video[0] != video[1])
    scene = Scene.load(folder)
    depth = np.asarray(clip.depth)
    near = depth[depth < 10]
    size = np.linalg.norm(np.ptp(np.asarray(scene.card.bounds), axis=0))
    assert near.min() >= 0.3
    assert near.max() < 4 * size


def test_without_scale_stereo_is_refused_as_for_any_scene(shared_data, tmp_path, capsys):
    library = ["--library", str(tmp_path / "library")]
    words = ["scene", "import", _file(shared_data, "teapot"), "--name", "teapot", *library]
    assert main(words) == 0
    words = ["render", "--scene", "teapot", "--clips", "1", "--frames", "2", "--size", "16"]
    words += ["--out", str(tmp_path / "clips"), *library]
    _refused(capsys, words, "has no metric scale", "--metres-per-unit")
    assert main([*words, "--no-stereo"]) == 0


def test_files_that_cannot_be_read_are_one_error_and_leave_nothing(tmp_path, capsys):
    path = tmp_path / "short.splat"
    path.write_bytes(b"\0" * 33)
    words = ["scene", "import", "--name", "x", "--library", str(tmp_path / "library")]
    _refused(capsys, [*words, str(path)], "short.splat", "no multiple of 32")
    _refused(capsys, [*words, str(tmp_path / "gone.ply")], "gone.ply does not exist")
    capture = ["--capture", str(tmp_path)]
    _refused(capsys, [*words, str(path), *capture], "imported without photographs")
    _refused(capsys, [*words, str(tmp_path), "--up", "z-up"], "is no .splat or .ply file")
    assert not (tmp_path / "library" / "x").exists()
