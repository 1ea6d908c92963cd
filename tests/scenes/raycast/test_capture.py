import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from merkwelt.scenes.card import OrientedBox
from merkwelt.scenes.raycast import CaptureSettings, capture_living_room
from merkwelt.scenes.raycast.furniture import open_furniture
from merkwelt.scenes.raycast.layout import LIVING_ROOM, ROOM_SIZE_M
from merkwelt.scenes.raycast.light_cache import LightQuality, cut_surface
from merkwelt.scenes.raycast.photographer import CLEARANCE_M, Photographer, walkable_floor
from merkwelt.scenes.raycast.room import FurnishedRoom, living_room
from merkwelt.scenes.raycast.tracer import RayTracer

TINY = CaptureSettings(
    width=32,
    height=24,
    train_views=3,
    held_out_views=2,
    walk_frames=2,
    supersampling=1,
    light=LightQuality(grid_m=0.3, samples_per_light=2, bounce_rays=4),
)


@pytest.fixture(scope="module")
def capture(box_furniture, tmp_path_factory) -> Path:
    return capture_living_room(
        box_furniture, tmp_path_factory.mktemp("captures") / "room", settings=TINY
    )


def _json(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def test_files_of_a_capture(capture):
    transforms = _json(capture, "transforms.json")
    names = [frame["file_path"] for frame in transforms["frames"]]
    assert len(names) == 5
    assert transforms["train_filenames"] == names[:3]
    assert transforms["val_filenames"] == transforms["test_filenames"] == names[3:]
    assert (transforms["w"], transforms["h"]) == (32, 24)
    for frame in transforms["frames"]:
        picture = cv2.imread(str(capture / frame["file_path"]))
        assert picture.shape == (24, 32, 3)
        assert 10 < picture.mean() < 245
        depth = np.load(capture / frame["depth_path"])["depth_m"]
        assert depth.dtype == np.float32
        assert 0.1 < depth.min() < depth.max() < 8
        assert cv2.imread(str(capture / frame["ids_path"]), cv2.IMREAD_UNCHANGED).shape == (24, 32)


def test_poses_stand_in_the_room(capture):
    for frame in _json(capture, "transforms.json")["frames"]:
        pose = np.array(frame["transform_matrix"])
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-9)
        assert (np.abs(pose[:2, 3]) < np.array(ROOM_SIZE_M[:2]) / 2).all()
        assert 0.5 <= pose[2, 3] <= 1.8
        assert pose[2, 1] > 0  # Upright: OpenGL's y is up.


def test_card_of_a_capture(capture):
    card = _json(capture, "capture.json")
    assert card["licence"] == "CC0-1.0"
    assert card["metres_per_unit"] == 1.0
    assert card["floor_height"] == 0.0
    assert "workers" not in card["settings"]
    names = [thing["name"] for thing in card["objects"]]
    assert len(set(names)) == len(names) >= len(LIVING_ROOM)
    assert [thing["id"] for thing in card["objects"]] == list(range(1, len(names) + 1))
    boxes = [
        OrientedBox(
            centre_m=tuple(t["box"]["centre_m"]),
            size_m=tuple(t["box"]["size_m"]),
            yaw_rad=t["box"]["yaw_rad"],
        )
        for t in card["objects"]
    ]
    for frame in _json(capture, "transforms.json")["frames"]:
        _check_points_lie_in_their_boxes(capture, frame, boxes)


def _check_points_lie_in_their_boxes(folder: Path, frame: dict, boxes: list[OrientedBox]):
    """Depth, ids, poses and boxes must tell the same story."""
    depth = np.load(folder / frame["depth_path"])["depth_m"].astype(np.float64)
    ids = cv2.imread(str(folder / frame["ids_path"]), cv2.IMREAD_UNCHANGED)
    transforms = _json(folder, "transforms.json")
    x, y = np.meshgrid(np.arange(32) + 0.5, np.arange(24) + 0.5)
    local = (
        np.stack([(x - transforms["cx"]) * depth, -(y - transforms["cy"]) * depth], axis=-1)
        / (transforms["fl_x"])
    )
    local = np.concatenate([local, -depth[..., None]], axis=-1)
    pose = np.array(frame["transform_matrix"])
    world = local @ pose[:3, :3].T + pose[:3, 3]
    for number, box in enumerate(boxes):
        assert box.contains(world[ids == number + 1], margin_m=1e-3).all()


def test_walk_has_stereo_flow_and_depth(capture):
    walk = capture / "ground_truth/walk"
    poses = _json(walk, "poses.json")
    left, right = (np.array(poses[f"world_from_{eye}"]) for eye in ("left", "right"))
    baseline = np.linalg.norm(left[0, :3, 3] - right[0, :3, 3])
    assert baseline == pytest.approx(0.063)
    truth = np.load(walk / "flow/left_0000.npz")
    assert set(truth) == {
        "flow_forward_px",
        "visible_forward",
        "disparity_px",
        "visible_other_eye",
    }
    depth = np.load(walk / "depth/left_0000.npz")["depth_m"]
    np.testing.assert_allclose(
        truth["disparity_px"], poses["focal_px"] * baseline / depth, rtol=1e-3, atol=1e-3
    )
    last = np.load(walk / "flow/right_0001.npz")
    assert "flow_backward_px" in last
    assert (last["disparity_px"] > 0).all()


def test_same_settings_same_capture(capture, box_furniture, tmp_path):
    again = capture_living_room(box_furniture, tmp_path / "again", settings=TINY)
    files = sorted(p.relative_to(capture) for p in capture.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    for file in files:
        if file.suffix == ".npz":
            one, other = np.load(capture / file), np.load(again / file)
            for name in one:
                np.testing.assert_array_equal(one[name], other[name])
        else:
            assert (capture / file).read_bytes() == (again / file).read_bytes(), file


def test_other_seed_other_poses(box_furniture):
    with open_furniture(box_furniture) as furniture:
        room = living_room(furniture)
    photographer = _photographer(room)
    one, other, same = (photographer.poses(4, seed=s, purpose=1) for s in (0, 1, 0))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def _photographer(room: FurnishedRoom) -> Photographer:
    _, points = cut_surface(room.mesh, grid_m=0.1)
    floor = walkable_floor(points.positions_m, room.bounds_m)
    return Photographer(RayTracer(room.mesh.corners_m), floor, room.objects)


def test_full_folder_is_refused(box_furniture, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="expected a new or empty folder"):
        capture_living_room(box_furniture, tmp_path, settings=TINY)
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


def test_nothing_is_left_after_a_failure(box_furniture, tmp_path):
    def stop(share: float, message: str) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        capture_living_room(box_furniture, tmp_path / "room", settings=TINY, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_missing_furniture_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no furniture at"):
        capture_living_room(tmp_path / "none.tar.xz", tmp_path / "room", settings=TINY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"width": 0}, "expected width >= 1"),
        ({"train_views": 0}, "expected train_views >= 1"),
        ({"hfov_deg": 170.0}, "hfov_deg <= 150"),
        ({"workers": 0}, "workers >= 1"),
    ],
)
def test_impossible_settings(bad, message):
    with pytest.raises(ValueError, match=message):
        CaptureSettings(**bad)


def test_one_can_stand_everywhere_but_near_things():
    bounds = np.array([[-3.0, -2.0, 0.0], [3.0, 2.0, 2.7]])
    walls = [[x, y, 1.0] for x in (-3, 3) for y in np.arange(-2, 2, 0.02)]
    walls += [[x, y, 1.0] for y in (-2, 2) for x in np.arange(-3, 3, 0.02)]
    pillar, crumb = [[0.0, 0.0, 1.0]], [[1.0, 1.0, 0.01]]
    floor = walkable_floor(np.array(walls + pillar + crumb), bounds)
    points = floor.standing_points()
    assert np.linalg.norm(points, axis=1).min() > CLEARANCE_M - 0.03
    assert np.abs(points[:, 0]).max() < 3 - CLEARANCE_M + 0.03
    assert floor.is_free(np.array([[1.0, 1.0]])).all()
    assert not floor.is_free(np.array([[0.1, 0.0], [9.0, 0.0]])).any()


def test_no_floor_to_stand_on():
    bounds = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 2.0]])
    with pytest.raises(ValueError, match="expected floor to stand on"):
        walkable_floor(np.array([[0.25, 0.25, 1.0]]), bounds)


def test_living_room_of_the_real_furniture(shared_data):
    with open_furniture(shared_data / "furniture_cc0.tar.xz") as furniture:
        room = living_room(furniture)
    wnids = {thing.wnid for thing in room.objects if thing.wnid}
    assert len(wnids) >= 14
    low, high = room.bounds_m
    for number, thing in enumerate(room.objects):
        vertices = room.mesh.corners_m[room.face_object == number + 1].reshape(-1, 3)
        assert thing.box.contains(vertices, margin_m=1e-6).all(), thing.name
        assert (vertices >= low - 0.01).all(), thing.name
        assert (vertices <= high + 0.01).all(), thing.name
    photographer = _photographer(room)
    assert len(photographer.walk(12, seed=0)) == 12
