import json

import numpy as np
import pytest
from merkwelt.scenes.captures import choose_split, flip_camera_axes, read_capture
from merkwelt.scenes.training.normalise import automatic_downscale, write_normalised
from PIL import Image


def _normalise(root, target, downscale):
    capture = read_capture(root)
    has_alpha = write_normalised(capture, choose_split(capture), target, downscale=downscale)
    return capture, has_alpha, json.loads((target / "transforms.json").read_text())


def test_photographs_of_training_size_stay_where_they_are(tmp_path, write_tiny_capture):
    root = write_tiny_capture(tmp_path / "capture", k1=0.25)
    before = sorted(root.rglob("*"))
    capture, has_alpha, document = _normalise(root, tmp_path / "run", 1)
    assert not has_alpha
    assert sorted(root.rglob("*")) == before
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["transforms.json"]
    frame = document["frames"][0]
    assert frame["file_path"] == str((root / "images/0.png").resolve())
    assert (frame["fl_x"], frame["cx"], frame["k1"], frame["w"]) == (30.0, 12.0, 0.25, 24)
    np.testing.assert_allclose(
        frame["transform_matrix"], flip_camera_axes(capture.views[0].world_from_camera)
    )
    assert [name[-5:] for name in document["val_filenames"]] == ["0.png", "8.png"]
    assert document["test_filenames"] == document["val_filenames"]
    assert len(document["train_filenames"]) == 7


def test_smaller_copies_are_means_in_the_run_and_intrinsics_follow(tmp_path, write_tiny_capture):
    root = write_tiny_capture(tmp_path / "capture")
    before = sorted(root.rglob("*"))
    _, _, document = _normalise(root, tmp_path / "run", 4)
    assert sorted(root.rglob("*")) == before
    frame = document["frames"][3]
    assert frame["file_path"] == "photographs/images/3.png"
    assert (frame["w"], frame["h"], frame["fl_x"], frame["cy"]) == (6, 4, 7.5, 2.0)
    small = np.asarray(Image.open(tmp_path / "run" / frame["file_path"])).astype(float)
    large = np.asarray(Image.open(root / "images/3.png")).astype(float)
    np.testing.assert_allclose(small, large.reshape(4, 4, 6, 4, 3).mean(axis=(1, 3)), atol=1.01)


def test_ready_made_copies_are_used_if_they_have_the_size(tmp_path, write_tiny_capture):
    root = write_tiny_capture(tmp_path / "capture", size=(50, 30))
    (root / "images_8").mkdir()
    Image.new("RGB", (6, 3)).save(root / "images_8/1.png")
    Image.new("RGB", (9, 3)).save(root / "images_8/2.png")
    _, _, document = _normalise(root, tmp_path / "run", 8)
    ready, wrong = document["frames"][1:3]
    assert ready["file_path"] == str((root / "images_8/1.png").resolve())
    # 50 / 8 and 30 / 8 are no whole numbers: each axis has its own factor.
    assert (ready["fl_x"], ready["fl_y"]) == (pytest.approx(3.6), pytest.approx(3.1))
    assert wrong["file_path"] == "photographs/images/2.png"


def test_hidden_colours_do_not_bleed_into_smaller_copies(tmp_path, write_tiny_capture):
    root = write_tiny_capture(tmp_path / "capture", mode="RGBA", size=(4, 4))
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., 0] = 255  # transparent red
    pixels[:, 0] = [0, 200, 0, 255]
    Image.fromarray(pixels).save(root / "images/1.png")
    _, has_alpha, document = _normalise(root, tmp_path / "run", 4)
    assert has_alpha
    small = np.asarray(Image.open(tmp_path / "run" / document["frames"][1]["file_path"]))
    np.testing.assert_allclose(small[0, 0], [0, 200, 0, 64], atol=2)


def test_masks_follow(tmp_path, write_tiny_capture):
    root = write_tiny_capture(tmp_path / "capture")
    document = json.loads((root / "transforms.json").read_text())
    for i, frame in enumerate(document["frames"]):
        frame["mask_path"] = f"masks/{i}.png"
    (root / "transforms.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"found none for 9 of 9, the first images/0\.png"):
        _normalise(root, tmp_path / "run", 1)
    (root / "masks").mkdir()
    for i in range(9):
        Image.new("L", (24, 16), 255).save(root / f"masks/{i}.png")
    _, _, same = _normalise(root, tmp_path / "same", 1)
    assert same["frames"][2]["mask_path"] == str((root / "masks/2.png").resolve())
    _, _, small = _normalise(root, tmp_path / "small", 2)
    with Image.open(tmp_path / "small" / small["frames"][2]["mask_path"]) as mask:
        assert mask.size == (12, 8)


def test_damaged_and_mixed_photographs(tmp_path, write_tiny_capture):
    root = write_tiny_capture(tmp_path / "capture")
    path = root / "images/4.png"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    for downscale in (1, 2):
        with pytest.raises(ValueError, match=r"photograph .*4\.png cannot be read"):
            _normalise(root, tmp_path / f"run{downscale}", downscale)
    Image.new("RGBA", (24, 16)).save(path)
    with pytest.raises(ValueError, match="all RGB .* or all RGBA .* found modes"):
        _normalise(root, tmp_path / "run3", 1)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 400), 1), ((499, 300), 1), ((500, 300), 2), ((640, 480), 2), ((1080, 1920), 8)],
)
def test_automatic_downscale(tmp_path, write_tiny_capture, size, expected):
    root = write_tiny_capture(tmp_path / "capture", count=1, size=size)
    assert automatic_downscale(read_capture(root).views) == expected
