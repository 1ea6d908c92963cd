"""COLMAP models written here from COLMAP's format description."""

import struct

import numpy as np
import pytest
from merkwelt.scenes.captures import read_capture
from merkwelt.scenes.captures.colmap import rotation_of

CAMERAS = {
    1: ("PINHOLE", 1, (30.0, 31.0, 9.5, 6.5)),
    2: ("SIMPLE_RADIAL", 2, (32.0, 10.0, 6.0, 0.1)),
    3: ("RADIAL", 3, (33.0, 10.0, 6.0, 0.1, 0.2)),
    4: ("OPENCV", 4, (34.0, 35.0, 10.0, 6.0, 0.1, 0.2, 0.3, 0.4)),
    5: ("SIMPLE_PINHOLE", 0, (36.0, 10.0, 6.0)),
}
# Quaternions (real part first) and translations of camera from world.
IMAGES = [
    ("a.png", 1, (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 5.0)),
    ("b c.png", 2, (0.5, 0.5, 0.5, 0.5), (1.0, 2.0, 3.0)),
    ("c.png", 3, (0.8, 0.0, 0.6, 0.0), (0.0, 1.0, 0.0)),
    ("sub/d.png", 4, (0.6, -0.8, 0.0, 0.0), (0.5, 0.0, 0.0)),
    ("e.png", 5, (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0)),
]


def write_text_model(folder, tiny, *, cameras=CAMERAS, images=IMAGES):
    folder.mkdir(parents=True)
    lines = ["# Camera list"]
    for number, (model, _, values) in cameras.items():
        lines.append(" ".join(map(str, (number, model, tiny.width, tiny.height, *values))))
    (folder / "cameras.txt").write_text("\n".join(lines) + "\n")
    lines = ["# Image list with two lines of data per image"]
    for number, (name, camera, quaternion, translation) in enumerate(images, start=1):
        lines.append(" ".join(map(str, (number, *quaternion, *translation, camera, name))))
        lines.append("1.5 2.5 -1 3.5 4.5 7" if number % 2 else "")
    (folder / "images.txt").write_text("\n".join(lines) + "\n")


def write_binary_model(folder, tiny, *, cameras=CAMERAS, images=IMAGES):
    folder.mkdir(parents=True)
    data = struct.pack("<Q", len(cameras))
    for number, (_, model, values) in cameras.items():
        data += struct.pack("<iiQQ", number, model, tiny.width, tiny.height)
        data += struct.pack(f"<{len(values)}d", *values)
    (folder / "cameras.bin").write_bytes(data)
    data = struct.pack("<Q", len(images))
    for number, (name, camera, quaternion, translation) in enumerate(images, start=1):
        data += struct.pack("<i7di", number, *quaternion, *translation, camera)
        data += name.encode() + b"\0" + struct.pack("<Q", 2)
        data += struct.pack("<ddqddq", 1.5, 2.5, -1, 3.5, 4.5, 7)
    (folder / "images.bin").write_bytes(data)


def write_photographs(root, tiny):
    for name, *_ in IMAGES:
        tiny.write_photograph(root / "images" / name)


@pytest.mark.parametrize("write", [write_text_model, write_binary_model])
@pytest.mark.parametrize("folder", ["sparse/0", "sparse", "colmap/sparse/0", "."])
def test_both_formats_are_read_wherever_they_lie(tmp_path, tiny, write, folder):
    root = tmp_path / "capture"
    write(root / folder, tiny)
    write_photographs(root, tiny)
    capture = read_capture(root)
    assert capture.kind == "colmap"
    views = {view.name: view for view in capture.views}
    assert sorted(views) == [f"images/{name}" for name in sorted(n for n, *_ in IMAGES)]
    a, d = views["images/a.png"], views["images/sub/d.png"]
    assert (a.fx, a.fy, a.cx, a.cy, a.distortion.is_zero) == (30.0, 31.0, 9.5, 6.5, True)
    assert (views["images/b c.png"].fy, views["images/b c.png"].distortion.k1) == (32.0, 0.1)
    assert views["images/c.png"].distortion.k2 == 0.2
    lens = d.distortion
    assert (d.fy, lens.k1, lens.k2, lens.p1, lens.p2) == (35.0, 0.1, 0.2, 0.3, 0.4)
    # Camera a is not turned; the world's origin is five units in front of it.
    np.testing.assert_allclose(a.world_from_camera[:3, :3], np.eye(3))
    np.testing.assert_allclose(a.world_from_camera[:3, 3], [0, 0, -5])
    for name, _, quaternion, translation in IMAGES:
        world_from_camera = views[f"images/{name}"].world_from_camera
        point_camera = rotation_of(quaternion) @ [1.0, -2.0, 3.0] + translation
        point_world = world_from_camera @ [*point_camera, 1.0]
        np.testing.assert_allclose(point_world[:3], [1.0, -2.0, 3.0], atol=1e-12)


def test_rotation_of_a_quaternion():
    # A quarter turn about +z takes x to y.
    turn = rotation_of((np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)))
    np.testing.assert_allclose(turn @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    # (1, 1, 1, 1) permutes the axes cyclically, whatever its length.
    np.testing.assert_allclose(rotation_of((2.0, 2.0, 2.0, 2.0)) @ [1, 2, 3], [3, 1, 2])


def test_missing_photographs_are_named(tmp_path, tiny):
    write_text_model(tmp_path / "sparse", tiny)
    tiny.write_photograph(tmp_path / "images" / "a.png")
    capture = read_capture(tmp_path)
    assert [view.name for view in capture.views] == ["images/a.png"]
    assert "images/b c.png" in capture.missing
    assert len(capture.missing) == 4


@pytest.mark.parametrize("write", [write_text_model, write_binary_model])
def test_unsupported_camera_models_are_named(tmp_path, tiny, write):
    write(tmp_path / "sparse", tiny, cameras={1: ("OPENCV_FISHEYE", 5, (1.0,) * 8)})
    write_photographs(tmp_path, tiny)
    with pytest.raises(ValueError, match="camera model OPENCV_FISHEYE is not supported"):
        read_capture(tmp_path)


def test_unknown_camera_numbers_and_ids(tmp_path, tiny):
    write_binary_model(tmp_path / "sparse", tiny, cameras={1: ("X", 77, (1.0,) * 8)})
    with pytest.raises(ValueError, match="camera model number 77 is not supported"):
        read_capture(tmp_path)
    other = tmp_path / "other"
    write_text_model(other / "sparse", tiny, cameras={9: CAMERAS[1]})
    with pytest.raises(ValueError, match=r"a\.png names camera 1, which is not there"):
        read_capture(other)


def test_every_truncation_is_told(tmp_path, tiny):
    write_binary_model(tmp_path / "sparse", tiny)
    write_photographs(tmp_path, tiny)
    for name in ("cameras.bin", "images.bin"):
        path = tmp_path / "sparse" / name
        whole = path.read_bytes()
        for length in (*range(0, len(whole), 7), len(whole) - 1):
            path.write_bytes(whole[:length])
            with pytest.raises(ValueError, match=f"{name} is truncated or damaged"):
                read_capture(tmp_path)
        path.write_bytes(whole)
    assert len(read_capture(tmp_path).views) == 5


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("cameras.txt", "1 PINHOLE wide", r"cameras\.txt, line 1: expected a camera, found"),
        ("cameras.txt", "1 PINHOLE 20 12 30", "expected 4 numbers for a PINHOLE camera, found 1"),
        ("images.txt", "1 1 0 0 0 0 0", r"images\.txt, line 1: expected an image, found"),
        ("images.txt", "# nothing", "holds no poses: COLMAP registered no photograph"),
        ("images.txt", "1 0 0 0 0 0 0 1 1 a.png\n\n", r"the pose of a\.png is no rotation"),
        ("images.txt", "1 nan 0 0 0 0 0 1 1 a.png\n\n", r"the pose of a\.png is no rotation"),
        ("images.txt", "1 1 0 0 0 0 0 1 1 ../../a.png\n\n", "outside the capture folder"),
    ],
)
def test_text_that_cannot_be_meant(tmp_path, tiny, name, text, message):
    write_text_model(tmp_path / "sparse", tiny)
    write_photographs(tmp_path, tiny)
    (tmp_path / "sparse" / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_capture(tmp_path)
