"""Importing with photographs, and checking against them."""

import json
from dataclasses import replace

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from merkwelt.render.photographs import photograph_camera, psnr_db, ssim
from merkwelt.scenes import Scene
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.captures import read_capture
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from merkwelt.cli import main

CHAIR = "captures/chair"


def test_import_with_photographs_places_cameras_and_measures(shared_data, tmp_path, capsys):
    words = ["scene", "import", str(shared_data / "trained" / "fox_nerfacto"), "--name", "fox"]
    words += ["--capture", str(shared_data / "noncommercial" / "fox"), "--library", str(tmp_path)]
    assert main([*words, "--metres-per-unit", "0.3"]) == 0
    scene = Scene.load("fox", library=tmp_path)
    assert len(scene.card.world_from_training_camera) + len(scene.card.held_out) == 50
    # The run held out other photographs than every eighth, so most of these it has seen.
    assert scene.card.quality["held_out_psnr_db"] > 24
    preview = imageio.imread(tmp_path / "fox" / "preview.png")
    assert preview.std() > 20
    assert main(words) == 2
    assert "already has a scene 'fox'" in " ".join(capsys.readouterr().err.split())
    out = tmp_path / "check"
    words = ["scene", "check", "fox", "--library", str(tmp_path), "--out", str(out)]
    assert main([*words, "--size", "120"]) == 0
    assert "mean of 7 held-out views" in capsys.readouterr().out
    assert imageio.imread(out / "check.png").shape[1] > 3 * 60


def test_picture_metrics_agree_with_scikit_image():
    rng = np.random.default_rng(0)
    smooth = np.cumsum(rng.normal(0, 2, (48, 64, 3)), axis=1) + 120
    a = smooth.clip(0, 255).astype(np.uint8)
    b = (smooth + rng.normal(0, 8, smooth.shape)).clip(0, 255).astype(np.uint8)
    assert psnr_db(a, b) == pytest.approx(peak_signal_noise_ratio(a, b), abs=1e-9)
    # kornia reflects at the border where scikit-image crops it, hence not to the last digit.
    expected = structural_similarity(
        a, b, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(a, b) == pytest.approx(expected, abs=0.02)


@pytest.fixture
def checkpoint(tmp_path):
    """A NeRF of two small layers that knows nothing of any photograph."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    shapes = {"layer1": (8, 15), "layers_xyz.0": (8, 8), "fc_out": (4, 8)}
    for name, shape in shapes.items():
        state[f"{name}.weight"] = torch.randn(shape, generator=generator)
        state[f"{name}.bias"] = torch.zeros(shape[0])
    path = tmp_path / "nerf" / "checkpoint9.ckpt"
    path.parent.mkdir()
    torch.save({"model_coarse_state_dict": state, "model_fine_state_dict": state}, path)
    return path


def test_a_vanilla_nerf_is_checked_against_the_captures_own_held_out_views(
    shared_data, checkpoint, tmp_path, capsys
):
    library, capture = ["--library", str(tmp_path)], ["--capture", str(shared_data / CHAIR)]
    words = ["scene", "import", str(checkpoint), "--name", "small", *library]
    assert main(words) == 2
    assert "say --near and --far" in " ".join(capsys.readouterr().err.split())
    assert main([*words, "--near", "2", "--far", "6", "--background", "black"]) == 0
    scene = Scene.load("small", library=tmp_path)
    assert (scene.card.field_kind, scene.field.background) == ("vanilla", "black")
    assert scene.card.held_out == ()
    out = tmp_path / "check"
    check = ["scene", "check", "small", "--size", "24", "--out", str(out), *library]
    assert main(check) == 2
    assert "name their folder with --capture" in " ".join(capsys.readouterr().err.split())
    assert main([*check, *capture]) == 0
    assert "mean of 4 held-out views" in capsys.readouterr().out
    assert main([*check, *capture, "--views", "3"]) == 0
    names = [view["name"] for view in json.loads((out / "check.json").read_text())["views"]]
    assert len(names) == 3
    assert all(name.split("/")[0] in ("val", "test") for name in names)
    assert {name.split("/")[0] for name in names} == {"val", "test"}
    assert main([*check, *capture, "--views", "0"]) == 2


def test_a_vanilla_nerf_gets_cameras_and_held_out_views_from_its_photographs(
    shared_data, checkpoint, tmp_path
):
    words = ["scene", "import", str(checkpoint.parent), "--name", "small", "--library"]
    words += [str(tmp_path), "--near", "2", "--far", "6", "--views", "1"]
    assert main([*words, "--capture", str(shared_data / CHAIR), "--metres-per-unit", "0.5"]) == 0
    card = Scene.load("small", library=tmp_path).card
    assert len(card.world_from_training_camera) == 100
    assert len(card.held_out) == 60
    assert card.quality["held_out_views"] == 1
    # Blender's cameras of this capture stand 4.03 units from the chair's middle.
    eyes = np.asarray(card.world_from_training_camera)[:, :3, 3]
    np.testing.assert_allclose(np.linalg.norm(eyes, axis=1), 0.5 * 4.031, rtol=1e-3)


def test_a_pixels_ray_passes_where_the_card_says(shared_data):
    capture = read_capture(shared_data / CHAIR)
    room, view = analytic_room(), capture.views[0]
    corner = Scene(replace(room.card, pixel_centre_px=0.0), room.field)
    middles = photograph_camera(room, view, 400).directions()
    corners = photograph_camera(corner, view, 400).directions()
    # The corner of pixel (i, j) lies midway between the middles of four pixels, up to curvature.
    midway = (middles[:-1, :-1] + middles[1:, :-1] + middles[:-1, 1:] + middles[1:, 1:]) / 4
    midway /= np.linalg.norm(midway, axis=-1, keepdims=True)
    np.testing.assert_allclose(corners[1:, 1:], midway, atol=1e-6)
    assert np.abs(corners - middles).max() > 5e-4
