"""``merkwelt scene optimise`` and what follows from it, as a person uses it."""

import json

import imageio.v3 as imageio
import numpy as np
import pytest
from merkwelt.scenes import Scene
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.library import bundled_folder
from merkwelt.scenes.scene import save_scene
from merkwelt.streams import ClipDataset

from merkwelt.cli import main

QUICK = ["--cells", "128", "--steps", "15", "15", "20", "--rays-per-step", "2048"]


def _said(capsys):
    captured = capsys.readouterr()
    return " ".join((captured.out + captured.err).split())


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    save_scene(analytic_room(), folder / "room")
    assert main(["scene", "optimise", "room", "--library", str(folder), *QUICK]) == 0
    return folder


def test_the_card_tells_what_was_lost(library, capsys):
    quality = Scene.load("room", library=library).card.quality
    assert quality["fast_walk_psnr_db"] > 14
    assert quality["fast_megabytes"] > 0
    assert main(["scene", "show", "room", "--library", str(library)]) == 0
    assert "walk_psnr_db" in _said(capsys)


def test_asking_again_tells_what_is_there(library, capsys):
    before = (library / "room" / "fast.safetensors").read_bytes()
    assert main(["scene", "optimise", "room", "--library", str(library), *QUICK]) == 0
    said = _said(capsys)
    assert "has a fast form already" in said
    assert "dB to the exact rendering on free walks" in said
    assert (library / "room" / "fast.safetensors").read_bytes() == before


def test_clips_are_rendered_fast_where_asked_for(library, tmp_path, capsys):
    words = ["render", "--scene", "room", "--library", str(library), "--clips", "1", "--size", "16"]
    words += ["--frames", "2", "--truth", "flow"]
    assert main([*words, "--out", str(tmp_path / "exact")]) == 0
    fast = [*words, "--renderer.path", "fast", "--out", str(tmp_path / "fast")]
    assert main(fast) == 0
    assert main(["verify", str(tmp_path / "fast")]) == 0
    a, b = (ClipDataset(tmp_path / name)[0] for name in ("exact", "fast"))
    assert a.video.shape == b.video.shape
    difference = np.abs(np.asarray(a.video, dtype=float) - np.asarray(b.video, dtype=float))
    assert 0 < difference.mean() < 60
    np.testing.assert_allclose(a.trajectory.world_from_eye, b.trajectory.world_from_eye)
    plans = [json.loads((tmp_path / n / "plan.json").read_text()) for n in ("exact", "fast")]
    assert plans[0]["id"] != plans[1]["id"]
    assert plans[0]["scenes"][0]["sha256"] != plans[1]["scenes"][0]["sha256"]
    capsys.readouterr()
    # The same command resumes; the other path is another data set.
    assert main(fast) == 0
    assert main([*words, "--out", str(tmp_path / "fast")]) == 2


def test_a_scene_without_a_fast_form_is_refused_with_what_to_do(tmp_path, capsys):
    save_scene(analytic_room(), tmp_path / "room")
    words = ["render", "--scene", "room", "--library", str(tmp_path), "--clips", "1"]
    words += ["--out", str(tmp_path / "clips"), "--renderer.path", "fast"]
    assert main(words) == 2
    assert "merkwelt scene optimise" in _said(capsys)
    assert not (tmp_path / "clips").exists()


def test_a_damaged_fast_form_is_named(library, tmp_path, capsys):
    scene = save_scene(Scene.load("room", library=library), tmp_path / "room")
    path = scene.folder / "fast.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    words = ["render", "--scene", str(scene.folder), "--clips", "1", "--out", str(tmp_path / "o")]
    assert main([*words, "--renderer.path", "fast"]) == 2
    assert "fast.safetensors is damaged" in _said(capsys)


@pytest.mark.slow
def test_the_scene_of_the_package_stays_and_a_copy_is_optimised(tmp_path, capsys):
    library = ["--library", str(tmp_path)]
    assert main(["scene", "optimise", "living_room", *library, *QUICK]) == 0
    assert not (bundled_folder() / "living_room" / "fast.safetensors").exists()
    assert (tmp_path / "living_room" / "fast.safetensors").is_file()
    assert Scene.load("living_room", library=tmp_path).has_bricks


def test_photographs_are_checked_exactly_and_fast(shared_data, tmp_path, capsys):
    words = ["scene", "import", str(shared_data / "trained" / "fox_nerfacto"), "--name", "fox"]
    words += ["--capture", str(shared_data / "noncommercial" / "fox"), "--library", str(tmp_path)]
    assert main([*words, "--views", "1"]) == 0
    assert main(["scene", "optimise", "fox", "--library", str(tmp_path), *QUICK]) == 0
    quality = Scene.load("fox", library=tmp_path).card.quality
    assert quality["fast_held_out_psnr_db"] > 13
    assert quality["held_out_psnr_db"] > 20
    out = tmp_path / "check"
    words = ["scene", "check", "fox", "--library", str(tmp_path), "--out", str(out)]
    capsys.readouterr()
    assert main([*words, "--size", "100", "--views", "2"]) == 0
    said = _said(capsys)
    for part in ("exact", "fast", "times as fast", "fast beside exact", "rays per second"):
        assert part in said
    found = json.loads((out / "check.json").read_text())
    assert found["fast"]["held_out_views"] == found["held_out_views"] == 2
    # Photograph, two renderings and three differences of 56 pixels, and five gaps.
    assert imageio.imread(out / "check.png").shape[1] == 6 * 56 + 5 * 6
