import json
import math

import numpy as np
import pytest
from merkwelt.scenes.captures import choose_split, read_capture


def test_views_have_the_pose_and_the_lens_of_the_file(capture_folder, tiny):
    tiny.write_transforms(
        capture_folder, ["images/0.png", "./images/1.png", "images/2"], k1=0.1, p2=0.2
    )
    capture = read_capture(capture_folder)
    assert (capture.kind, capture.missing, capture.extras) == ("nerfstudio", (), None)
    assert [view.name for view in capture.views] == ["images/0.png", "images/1.png", "images/2.png"]
    view = capture.views[0]
    assert (view.fx, view.fy, view.cx, view.cy) == (30.0, 31.0, 9.5, 6.5)
    assert (view.width, view.height) == (tiny.width, tiny.height)
    assert isinstance(view.width, int)
    assert (view.distortion.k1, view.distortion.p2, view.distortion.k2) == (0.1, 0.2, 0.0)
    # It stands at (1, 0, 0), looks at the origin, and its image's down is the world's.
    np.testing.assert_allclose(view.world_from_camera[:3, 3], [1, 0, 0])
    np.testing.assert_allclose(view.world_from_camera[:3, 2], [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(view.world_from_camera[:3, 1], [0, 0, -1], atol=1e-12)
    assert view.world_from_camera.dtype == np.float64


def test_intrinsics_of_a_frame_win_over_those_of_the_file(capture_folder, tiny):
    meta = tiny.write_transforms(capture_folder, ["images/0.png", "images/1.png"])
    meta["frames"][1].update(fl_x=50, fl_y=51, cx=1, cy=2, k1=0.5)
    (capture_folder / "transforms.json").write_text(json.dumps(meta))
    first, second = read_capture(capture_folder).views
    assert (first.fx, first.distortion.k1) == (30.0, 0.0)
    assert (second.fx, second.fy, second.cx, second.cy) == (50.0, 51.0, 1.0, 2.0)
    assert second.distortion.k1 == 0.5


def test_focal_length_from_the_angle_of_view_and_size_from_the_photograph(capture_folder, tiny):
    drop = {"fl_x": None, "fl_y": None, "cx": None, "cy": None, "w": None, "h": None}
    angle = 2 * math.atan(0.5)
    tiny.write_transforms(capture_folder, ["images/0.png"], **drop, camera_angle_x=angle)
    view = read_capture(capture_folder / "transforms.json").views[0]
    assert view.fx == pytest.approx(tiny.width)
    assert view.fy == pytest.approx(tiny.width)
    assert (view.cx, view.cy, view.width, view.height) == (
        tiny.width / 2,
        tiny.height / 2,
        tiny.width,
        tiny.height,
    )


def test_missing_photographs_are_named_and_left_out(capture_folder, tiny):
    tiny.write_transforms(capture_folder, ["images/0.png", "images/7.png", "images/8.png"])
    capture = read_capture(capture_folder)
    assert [view.name for view in capture.views] == ["images/0.png"]
    assert capture.missing == ("images/7.png", "images/8.png")
    message = capture.missing_message()
    assert message == "2 of 3 listed photographs do not exist: images/7.png, images/8.png"


def test_listed_split_is_kept_and_loses_missing_photographs(capture_folder, tiny):
    tiny.write_transforms(
        capture_folder,
        ["images/0.png", "images/1.png", "images/2.png", "images/9.png"],
        train_filenames=["images/0.png", "./images/2.png", "images/9.png"],
        val_filenames=["images/1.png"],
        test_filenames=["images/1.png"],
    )
    split = choose_split(read_capture(capture_folder))
    assert split.train == ("images/0.png", "images/2.png")
    assert split.held_out == ("images/1.png",)


def test_without_a_listed_split_every_eighth_is_held_out(tmp_path, tiny):
    names = [f"{i:02}.png" for i in range(17)]
    for name in names:
        tiny.write_photograph(tmp_path / name)
    tiny.write_transforms(tmp_path, names[::-1])
    split = choose_split(read_capture(tmp_path))
    assert split.held_out == ("00.png", "08.png", "16.png")
    assert len(split.train) == 14
    with pytest.raises(ValueError, match="every 2nd photograph or fewer, got every 1"):
        choose_split(read_capture(tmp_path), every=1)


def test_too_few_photographs_to_train(capture_folder, tiny):
    tiny.write_transforms(capture_folder, ["images/0.png", "images/1.png"])
    with pytest.raises(ValueError, match=r"at least two photographs to train on, found 1 \(1 are"):
        choose_split(read_capture(capture_folder))


def test_blender_folders_give_views_and_split(tmp_path, tiny):
    for part, count in (("train", 3), ("val", 1), ("test", 2)):
        for i in range(count):
            tiny.write_photograph(tmp_path / part / f"r_{i}.png", mode="RGBA")
        frames = [
            {"file_path": f"./{part}/r_{i}", "transform_matrix": tiny.opengl_pose(i)}
            for i in range(count)
        ]
        meta = {"camera_angle_x": 0.7, "frames": frames}
        (tmp_path / f"transforms_{part}.json").write_text(json.dumps(meta))
    capture = read_capture(tmp_path)
    assert capture.kind == "blender"
    assert len(capture.views) == 6
    split = choose_split(capture)
    assert split.train == ("train/r_0.png", "train/r_1.png", "train/r_2.png")
    assert split.held_out == ("val/r_0.png", "test/r_0.png", "test/r_1.png")
    assert capture.views[0].fx == pytest.approx(0.5 * tiny.width / math.tan(0.35))


def _change(folder, **entries):
    meta = json.loads((folder / "transforms.json").read_text())
    (folder / "transforms.json").write_text(json.dumps({**meta, **entries}))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"frames": []}, "transforms.json holds no poses"),
        ({"frames": None}, "transforms.json holds no poses"),
        ({"frames": [{"transform_matrix": []}]}, "frame 0 of .* has no file_path"),
        ({"camera_model": "OPENCV_FISHEYE"}, "camera model 'OPENCV_FISHEYE' is not supported"),
        ({"is_fisheye": True}, "camera model 'OPENCV_FISHEYE' is not supported"),
        ({"fl_x": "wide"}, "expected fl_x to be a finite number, found 'wide'"),
        ({"fl_x": -1.0}, "expected positive focal lengths, found -1.0"),
        ({"w": 20.5}, "expected whole numbers of pixels, found 20.5 x 12"),
        ({"w": 40, "h": 24}, "20x12 pixels, but .* says 40x24; use the photographs"),
        ({"distortion_params": [1, 2]}, "expected distortion_params to be"),
        ({"train_filenames": "all"}, "expected train_filenames to be a list of file names"),
        (
            {"train_filenames": ["images/0.png"], "val_filenames": ["images/0.png"]},
            "lists images/0.png both for training and as held out",
        ),
    ],
)
def test_entries_that_cannot_be_meant(capture_folder, entries, message):
    _change(capture_folder, **entries)
    with pytest.raises(ValueError, match=message):
        read_capture(capture_folder)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 0], [0, 1]], "frame 0 .* expected transform_matrix to be 4x4 finite numbers"),
        (None, "expected transform_matrix to be 4x4 finite numbers"),
        (np.full((4, 4), math.nan).tolist(), "expected transform_matrix to be 4x4 finite numbers"),
        (
            np.diag([2.0, 2, 2, 1]).tolist(),
            "expected a rotation in the pose, found one that is off",
        ),
        (np.diag([-1.0, 1, 1, 1]).tolist(), "with determinant -1"),
    ],
)
def test_poses_that_are_no_poses(capture_folder, matrix, message):
    _change(capture_folder, frames=[{"file_path": "images/0.png", "transform_matrix": matrix}])
    with pytest.raises(ValueError, match=message):
        read_capture(capture_folder)


def test_no_focal_length(capture_folder, tiny):
    tiny.write_transforms(capture_folder, ["images/0.png"], fl_x=None)
    with pytest.raises(ValueError, match="neither fl_x nor camera_angle_x"):
        read_capture(capture_folder)


def test_a_photograph_listed_twice(capture_folder, tiny):
    tiny.write_transforms(capture_folder, ["images/0.png", "./images/0.png"])
    with pytest.raises(ValueError, match=r"lists the photograph images/0.png twice"):
        read_capture(capture_folder)


@pytest.mark.parametrize("listed", ["../secret.png", "/etc/hostname"])
def test_photographs_outside_the_capture_are_refused(capture_folder, listed, tiny):
    tiny.write_transforms(capture_folder, [listed])
    with pytest.raises(ValueError, match="frame 0 .* lies outside the capture folder"):
        read_capture(capture_folder)


def test_files_that_are_no_capture(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no capture folder"):
        read_capture(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"holds no poses: expected transforms\.json"):
        read_capture(tmp_path)
    (tmp_path / "transforms.json").write_text("{")
    with pytest.raises(ValueError, match=r"transforms\.json is not JSON"):
        read_capture(tmp_path)
    (tmp_path / "transforms.json").write_text("[]")
    with pytest.raises(ValueError, match="expected a JSON object, found list"):
        read_capture(tmp_path)


def test_all_photographs_missing_or_damaged(capture_folder, tiny):
    tiny.write_transforms(capture_folder, ["images/8.png", "images/9.png"])
    with pytest.raises(FileNotFoundError, match=r"none of the 2 photographs .*images/8\.png"):
        read_capture(capture_folder)
    (capture_folder / "images/8.png").write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=r"photograph .*8\.png cannot be read"):
        read_capture(capture_folder)


def test_the_fox_names_its_seventeen_missing_photographs(shared_data):
    capture = read_capture(shared_data / "noncommercial" / "fox")
    assert (len(capture.views), len(capture.missing)) == (50, 17)
    assert capture.missing[0] == "images/0005.jpg"
    assert capture.missing_message().startswith("17 of 67 listed photographs do not exist")
    view = capture.views[0]
    assert (view.name, view.width, view.height) == ("images/0001.jpg", 1080, 1920)
    assert (view.fx, view.distortion.k1) == (1375.52, 0.0578421)
    assert len(choose_split(capture).held_out) == 7


def test_the_chair_looks_at_its_middle(shared_data):
    capture = read_capture(shared_data / "captures" / "chair")
    split = choose_split(capture)
    assert (len(split.train), len(split.held_out)) == (100, 60)
    poses = np.stack([view.world_from_camera for view in capture.views])
    # nerf-synthetic cameras stand 4.03 units from the origin and look at it.
    np.testing.assert_allclose(np.linalg.norm(poses[:, :3, 3], axis=1), 4.031, atol=1e-3)
    towards = -poses[:, :3, 3] / np.linalg.norm(poses[:, :3, 3], axis=1, keepdims=True)
    np.testing.assert_allclose((poses[:, :3, 2] * towards).sum(axis=1), 1.0, atol=1e-4)
    assert capture.views[0].fx == pytest.approx(200 / math.tan(0.6911112070083618 / 2))
