import json

import numpy as np
import pytest
from merkwelt.render.paths import load_path
from merkwelt.render.paths.poses import PathError

from .writers import some_poses, write_kitti, write_nerfstudio, write_tum

IDENTITY_LINE = "1 0 0 0 0 1 0 0 0 0 1 0"


@pytest.fixture
def read(tmp_path):
    def _read(text, **options):
        file = tmp_path / "poses"
        file.write_text(text)
        return load_path(file, **options)

    return _read


def test_tum_is_read_back(tmp_path):
    poses, time_s = some_poses(), 1305031102.1758 + np.arange(12) / 30
    found = load_path(write_tum(tmp_path / "poses.txt", poses, time_s))
    assert found.kind == "tum"
    np.testing.assert_array_equal(found.time_s, time_s)
    np.testing.assert_array_equal(found.file_from_camera[:, :3, 3], poses[:, :3, 3])
    np.testing.assert_allclose(found.file_from_camera, poses, atol=1e-14)


def test_kitti_is_read_back(tmp_path):
    poses = some_poses()
    file = write_kitti(tmp_path / "00.txt", poses)
    found = load_path(file)
    assert found.kind == "kitti"
    np.testing.assert_allclose(found.time_s, np.arange(12) / 10)
    np.testing.assert_array_equal(found.file_from_camera[:, :3, 3], poses[:, :3, 3])
    np.testing.assert_allclose(found.file_from_camera, poses, atol=1e-14)
    np.testing.assert_allclose(load_path(file, rate_hz=20).time_s, np.arange(12) / 20)


def test_nerfstudio_is_read_back_at_the_rate_ns_render_shows_it(tmp_path):
    poses = some_poses()
    file = write_nerfstudio(tmp_path / "path.json", poses, rate_hz=24.0)
    found = load_path(file)
    assert found.kind == "nerfstudio"
    np.testing.assert_allclose(found.time_s, np.arange(12) / 24)
    np.testing.assert_array_equal(found.file_from_camera[:, :3, 3], poses[:, :3, 3])
    np.testing.assert_allclose(found.file_from_camera, poses, atol=1e-14)
    data = json.loads(file.read_text())
    data["seconds"] = 4.0
    file.write_text(json.dumps(data))
    np.testing.assert_allclose(load_path(file).time_s, np.arange(12) / 3)
    np.testing.assert_allclose(load_path(file, rate_hz=6).time_s, np.arange(12) / 6)
    del data["seconds"]
    file.write_text(json.dumps(data))
    np.testing.assert_allclose(load_path(file).time_s, np.arange(12) / 24)


def test_opengl_axes_become_opencv_axes(tmp_path):
    # A camera that looks along world +x with world +z up: in OpenGL its right is -y, its up +z and
    # its back -x; in OpenCV its right is -y, its down -z and its forward +x.
    opengl = [[0, 0, -1, 5], [-1, 0, 0, 6], [0, 1, 0, 7], [0, 0, 0, 1]]
    camera = {"camera_to_world": [float(v) for row in opengl for v in row], "fov": 50}
    file = tmp_path / "path.json"
    file.write_text(json.dumps({"camera_path": [camera, camera], "seconds": 1.0}))
    pose = load_path(file).file_from_camera[0]
    np.testing.assert_array_equal(pose[:3, 0], [0, -1, 0])
    np.testing.assert_array_equal(pose[:3, 1], [0, 0, -1])
    np.testing.assert_array_equal(pose[:3, 2], [1, 0, 0])
    np.testing.assert_array_equal(pose[:3, 3], [5, 6, 7])


def test_a_quaternion_by_hand(read):
    # Half a turn about x, then a quarter turn about z.
    half = np.sqrt(0.5)
    line = f"1 2 3 {half} {half} 0 0"
    found = read(f"# a comment\n\n0.5 {line}  # the first\n0.6 {line}\n")
    np.testing.assert_allclose(found.file_from_camera[0, :3, 0], [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(found.file_from_camera[0, :3, 1], [1, 0, 0], atol=1e-15)
    np.testing.assert_allclose(found.file_from_camera[0, :3, 2], [0, 0, -1], atol=1e-15)


def test_rounded_matrices_become_rotations(read):
    poses = some_poses(4)
    rows = [" ".join(f"{v:.6e}" for v in pose[:3].ravel()) for pose in poses]
    found = read("\n".join(rows)).file_from_camera[:, :3, :3]
    np.testing.assert_allclose(
        found @ found.swapaxes(1, 2), np.tile(np.eye(3), (4, 1, 1)), atol=1e-14
    )
    np.testing.assert_allclose(found, poses[:, :3, :3], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected poses, found none"),
        ("# only\n# comments\n", "expected poses, found none"),
        ("0 0 0 0 0 0 0 1\n", "expected at least 2 poses to move between, found 1"),
        (f"{IDENTITY_LINE}\n", "expected at least 2 poses to move between, found 1"),
        ("1 2 3\n", r"poses, line 1: expected 8 numbers .* or 12 .*, found 3"),
        (f"{IDENTITY_LINE}\n0 0 0 0 0 0 0 1\n", "line 2: expected 12 numbers as in .* found 8"),
        (
            "0 0 0 0 0 0 0 1\n# c\n1 0 nan 0 0 0 0 1\n",
            "line 3: expected a finite number, found 'nan'",
        ),
        (f"{IDENTITY_LINE}\n1 0 0 inf 0 1 0 0 0 0 1 0\n", "line 2: expected a finite number"),
        ("0 0 0 0 0 0 0 1\n1 0 0 x 0 0 0 1\n", "line 2: expected a number, found 'x'"),
        ("0,0,0,0,0,0,0,1\n", "expected a number, found '0,0,.*spaces between numbers"),
        (
            "0 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 2\n",
            "line 2: expected a quaternion.*length 1, found length 2",
        ),
        ("0 0 0 0 0 0 0 0\n1 0 0 0 0 0 0 1\n", "line 1: expected a quaternion.*found length 0"),
        (
            "2 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 1\n",
            "line 2: expected ascending times, found 1.0 after 2.0",
        ),
        ("1 0 0 0 0 0 0 1\n1 1 0 0 0 0 0 1\n", "line 2: expected ascending times, found 1.0 twice"),
        (f"{IDENTITY_LINE}\n2 0 0 0 0 1 0 0 0 0 1 0\n", "line 2: expected a rotation.* off by 3"),
        (
            f"{IDENTITY_LINE}\n-1 0 0 0 0 1 0 0 0 0 1 0\n",
            "line 2: expected a rotation.* that mirrors",
        ),
        ("{", "expected JSON, as it starts with a bracket"),
        ("[" * 100_000, "expected JSON, as it starts with a bracket"),
        ("[]", "expected nerfstudio's camera path, .* found list"),
        ('{"frames": [], "fl_x": 3}', r"expected nerfstudio's camera path.*\['fl_x', 'frames'\]"),
        ('{"camera_path": []}', "expected poses, found an empty camera_path"),
        (
            '{"camera_path": [3], "seconds": 1}',
            "camera 0: expected 16 numbers camera_to_world, found None",
        ),
        (
            '{"camera_path": [{"camera_to_world": [1, 2]}]}',
            "camera 0: expected 16 .*found 2 values",
        ),
    ],
)
def test_files_that_cannot_be_followed_are_refused(read, text, message):
    with pytest.raises(PathError, match=message):
        read(text)


def _cameras(matrix, **more):
    cameras = [{"camera_to_world": np.eye(4).ravel().tolist()}, {"camera_to_world": matrix}]
    return json.dumps({"camera_path": cameras, **more})


@pytest.mark.parametrize(
    ("change", "more", "message"),
    [
        ({0: 2.0}, {"seconds": 1}, "camera 1: expected a rotation"),
        ({0: -1.0}, {"seconds": 1}, "camera 1: expected a rotation.*mirrors"),
        ({3: float("nan")}, {"seconds": 1}, "camera 1: expected finite numbers"),
        ({12: 4.0, 3: 0.0}, {"seconds": 1}, r"camera 1: expected the last row 0 0 0 1, found \[4"),
        ({0: True}, {"seconds": 1}, "camera 1: expected 16 numbers"),
        ({}, {}, "expected seconds or fps above 0, found seconds=None and fps=None"),
        ({}, {"seconds": 0, "fps": 30}, "expected seconds or fps above 0, found seconds=0"),
        ({}, {"seconds": "1", "fps": 30}, "expected seconds or fps above 0, found seconds='1'"),
        ({}, {"fps": float("nan")}, "expected seconds or fps above 0"),
    ],
)
def test_camera_paths_that_cannot_be_followed_are_refused(read, change, more, message):
    matrix = np.eye(4).ravel().tolist()
    for at, value in change.items():
        matrix[at] = value
    with pytest.raises(PathError, match=message):
        read(_cameras(matrix, **more))


def test_files_that_are_not_there_and_rates_that_make_no_sense_are_refused(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="nowhere does not exist, or is no file"):
        load_path(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="is no file"):
        load_path(tmp_path)
    (tmp_path / "picture").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(PathError, match="expected a text of poses, found other bytes"):
        load_path(tmp_path / "picture")
    with pytest.raises(ValueError, match="expected a positive rate of poses, got 0"):
        read("", rate_hz=0)
    with pytest.raises(PathError, match="the file gives its own times; leave out the rate of 30"):
        read("0 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 1\n", rate_hz=30)


def test_the_drive_of_kitti(shared_data):
    found = load_path(shared_data / "noncommercial" / "stereo_video_kitti" / "poses.txt")
    assert (found.kind, len(found)) == ("kitti", 30)
    np.testing.assert_allclose(found.file_from_camera[0], np.eye(4), atol=1e-6)
    steps_m = np.linalg.norm(np.diff(found.file_from_camera[:, :3, 3], axis=0), axis=1)
    assert np.all((steps_m > 1.0) & (steps_m < 1.6))  # about 45 km/h at 10 Hz
    # Cars move forwards, which is +z of a camera with OpenCV axes.
    forward = found.file_from_camera[:-1, :3, 2]
    way = np.diff(found.file_from_camera[:, :3, 3], axis=0) / steps_m[:, None]
    assert np.all(np.sum(forward * way, axis=1) > 0.99)


def test_the_walk_through_the_red_kitchen(shared_data, tmp_path):
    files = sorted((shared_data / "noncommercial" / "redkitchen").glob("*.pose.txt"))
    poses = np.stack([np.loadtxt(file) for file in files])
    found = load_path(write_tum(tmp_path / "kitchen.txt", poses, np.arange(len(poses)) * 8 / 30))
    assert len(found) == 125
    np.testing.assert_allclose(found.file_from_camera, poses, atol=2e-3)
