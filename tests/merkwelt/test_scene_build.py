"""Importing with photographs, and checking against them."""

import imageio.v3 as imageio
import numpy as np
import pytest
from merkwelt.render.photographs import psnr_db, ssim
from merkwelt.scenes import Scene
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from merkwelt.cli import main


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
