import numpy as np
import pytest
from merkwelt.scenes.raycast.views import (
    CaptureCamera,
    Exposure,
    look_at,
    opengl_pose,
)

CAMERA = CaptureCamera(width=64, height=48, hfov_rad=np.deg2rad(80))
AHEAD = look_at(np.zeros(3), np.array([1.0, 0.0, 0.0]))


def _moved(pose: np.ndarray, *offset_m: float) -> np.ndarray:
    moved = pose.copy()
    moved[:3, 3] += offset_m
    return moved


def _project(camera: CaptureCamera, world_from_camera: np.ndarray, point_m: np.ndarray):
    local = np.linalg.inv(world_from_camera) @ np.append(point_m, 1.0)
    middle = np.array([camera.width, camera.height]) / 2
    return local[:2] / local[2] * camera.focal_px + middle, local[2]


def test_focal_length_by_hand():
    camera = CaptureCamera(width=100, height=50, hfov_rad=np.pi / 2)
    assert camera.focal_px == pytest.approx(50.0)
    np.testing.assert_allclose(camera.directions(np.array([50.0, 25.0])), [0, 0, 1])
    np.testing.assert_allclose(camera.directions(np.array([100.0, 25.0])), [1, 0, 1])
    np.testing.assert_allclose(camera.pixel_centres()[0, 0], [0.5, 0.5])


@pytest.mark.parametrize("bad", [{"width": 0}, {"height": 0}, {"hfov_rad": 4.0}])
def test_impossible_camera(bad):
    with pytest.raises(ValueError, match="expected a picture of positive size"):
        CaptureCamera(**{"width": 4, "height": 4, "hfov_rad": 1.0, **bad})


def test_look_at_has_opencv_axes():
    np.testing.assert_allclose(AHEAD[:3, 2], [1, 0, 0], atol=1e-12)  # Forward.
    np.testing.assert_allclose(AHEAD[:3, 0], [0, -1, 0], atol=1e-12)  # Right.
    np.testing.assert_allclose(AHEAD[:3, 1], [0, 0, -1], atol=1e-12)  # Down.
    assert np.linalg.det(AHEAD[:3, :3]) == pytest.approx(1)


def test_opengl_pose_looks_the_same_way():
    opengl = opengl_pose(AHEAD)
    np.testing.assert_allclose(-opengl[:3, 2], AHEAD[:3, 2])  # OpenGL looks along -z.
    np.testing.assert_allclose(opengl[:3, 1], -AHEAD[:3, 1])  # And has y up.
    np.testing.assert_allclose(opengl[:3, 0], AHEAD[:3, 0])
    np.testing.assert_allclose(opengl[:3, 3], AHEAD[:3, 3])
    np.testing.assert_allclose(opengl_pose(opengl), AHEAD)


def test_z_depth_of_a_fronto_parallel_wall_is_constant(wall_camera):
    view = wall_camera.truth(CAMERA, _moved(AHEAD, 0.0, 0.0, -2.5))
    lower = view.depth_m[24:]  # Below the cube's lower edge everything is wall.
    np.testing.assert_allclose(lower, 4.0, rtol=1e-6)
    assert (view.ids[24:] == 0).all()


def test_depth_and_ids_of_the_cube(wall_camera):
    view = wall_camera.truth(CAMERA, _moved(AHEAD, 0.0, 0.0, 0.5))
    np.testing.assert_allclose(view.depth_m[view.ids == 1], 2.0, rtol=1e-6)
    np.testing.assert_allclose(view.depth_m[view.ids == 0], 4.0, rtol=1e-6)
    # The front is 1 m wide 2 m away.
    assert (view.ids[24] == 1).sum() == pytest.approx(CAMERA.focal_px / 2, abs=1.01)


def test_nothing_is_infinitely_far(wall_camera):
    view = wall_camera.truth(CAMERA, look_at(np.zeros(3), np.array([-1.0, 0.0, 0.0])))
    assert np.isinf(view.depth_m).all()
    assert (view.ids == 0).all()


def test_flow_is_the_difference_of_projections(wall_camera):
    source_pose = _moved(AHEAD, 0.0, 0.1, 0.4)
    target_pose = look_at(np.array([0.3, -0.2, 0.6]), np.array([3.0, 0.2, 0.3]))
    source, target = (wall_camera.truth(CAMERA, pose) for pose in (source_pose, target_pose))
    flow = wall_camera.flow_between(source, target)
    for row, column in ((3, 5), (24, 32), (40, 60)):
        xy = np.array([column + 0.5, row + 0.5])
        ray = source_pose[:3, :3] @ CAMERA.directions(xy)
        point = source_pose[:3, 3] + ray * float(source.depth_m[row, column])
        there, _ = _project(CAMERA, target_pose, point)
        np.testing.assert_allclose(flow.flow_px[row, column], there - xy, atol=1e-4)


def test_flow_across_the_eyes_is_disparity(wall_camera):
    left_pose = _moved(AHEAD, 0.0, 0.0, 0.5)
    right_pose = _moved(left_pose, 0.0, -0.1, 0.0)  # Right of a head that looks along +x is -y.
    left, right = (wall_camera.truth(CAMERA, pose) for pose in (left_pose, right_pose))
    flow = wall_camera.flow_between(left, right)
    np.testing.assert_allclose(
        -flow.flow_px[..., 0], CAMERA.focal_px * 0.1 / left.depth_m, atol=1e-4
    )
    np.testing.assert_allclose(flow.flow_px[..., 1], 0.0, atol=1e-4)


def test_flow_knows_what_is_hidden_and_what_is_outside(wall_camera):
    source = wall_camera.truth(CAMERA, _moved(AHEAD, 0.0, 1.5, 0.5))
    target = wall_camera.truth(CAMERA, _moved(AHEAD, 0.0, -0.3, 0.5))
    flow = wall_camera.flow_between(source, target)
    there = CAMERA.pixel_centres() + flow.flow_px
    inside = ((there >= 0) & (there <= [64, 48])).all(-1)
    assert not flow.visible[~inside].any()
    # A point of the wall is hidden exactly where the target sees the cube there instead.
    hidden = inside & ~flow.visible & (source.ids == 0)
    assert hidden.any()
    column, row = np.floor(there[hidden]).astype(int).T
    assert (target.ids[np.clip(row, 0, 47), np.clip(column, 0, 63)] == 1).mean() > 0.9
    same = wall_camera.flow_between(source, source)
    assert same.visible.all()
    np.testing.assert_allclose(same.flow_px, 0.0, atol=1e-4)


def test_flow_behind_the_target_is_undefined(wall_camera):
    source = wall_camera.truth(CAMERA, AHEAD)
    target = wall_camera.truth(CAMERA, look_at(np.array([5.0, 0, 0]), np.array([6.0, 0, 0])))
    flow = wall_camera.flow_between(source, target)
    assert not flow.visible.any()
    assert np.isnan(flow.flow_px).all()


def test_exposure_is_monotone_and_reaches_white():
    exposure = Exposure(gain=2.0, white=4.0)
    radiance = np.linspace(0, 5, 50)
    value = exposure.develop(radiance)
    assert value[0] == 0
    assert (np.diff(value) >= 0).all()
    assert exposure.develop(np.array([2.0])) == pytest.approx(1.0)  # 2 times the gain is white.


def test_picture_needs_light(wall_camera):
    with pytest.raises(ValueError, match="light the room first"):
        wall_camera.picture(CAMERA, AHEAD, Exposure(), jitter=np.zeros((48, 64, 1, 1, 2)))
