import math

import numpy as np
import pytest
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.rigid import apply, inverse, rotation_from_angles, transform


def _pose(yaw=0.4, pitch=-0.2, roll=0.1):
    return transform(rotation_from_angles(yaw, pitch, roll), np.array([0.5, -1.0, 1.6]))


def test_focal_length_of_90_degrees_is_half_the_width():
    camera = PinholeCamera.from_hfov(math.pi / 2, (256, 128))
    assert camera.fx == pytest.approx(128)
    assert camera.fy == camera.fx
    assert (camera.cx, camera.cy) == (128, 64)


def test_rays_of_the_four_pixels_of_a_small_camera():
    camera = PinholeCamera.from_hfov(math.pi / 2, (2, 2))
    expected = np.array([[[-0.5, -0.5, 1], [0.5, -0.5, 1]], [[-0.5, 0.5, 1], [0.5, 0.5, 1]]])
    expected /= math.sqrt(1.5)
    np.testing.assert_allclose(camera.directions(), expected)
    rays = rays_of(camera, np.eye(4)[None])
    np.testing.assert_allclose(rays.directions.numpy(), expected.reshape(-1, 3), rtol=1e-6)
    np.testing.assert_allclose(rays.z_per_distance.numpy(), 1 / math.sqrt(1.5), rtol=1e-6)


def test_points_along_a_ray_project_to_its_pixel():
    camera = PinholeCamera(width=6, height=4, fx=5.0, fy=6.0, cx=2.7, cy=2.1)
    poses = np.stack([_pose(), _pose(yaw=-2.0)])
    rays = rays_of(camera, poses)
    points = rays.origins.double().numpy() + 3.0 * rays.directions.double().numpy()
    points = points.reshape(2, 24, 3)
    rows, columns = np.meshgrid(np.arange(4) + 0.5, np.arange(6) + 0.5, indexing="ij")
    for pose, seen in zip(poses, points, strict=True):
        pixels = camera.project(apply(inverse(pose), seen))
        np.testing.assert_allclose(pixels[:, 0], columns.ravel(), atol=1e-5)
        np.testing.assert_allclose(pixels[:, 1], rows.ravel(), atol=1e-5)


def test_z_per_distance_turns_distance_into_depth_along_the_axis():
    camera = PinholeCamera.from_hfov(1.2, (5, 5))
    pose = _pose()
    rays = rays_of(camera, pose[None])
    depth = (rays.directions.double().numpy() * 2.0) @ pose[:3, 2]
    np.testing.assert_allclose(depth, 2.0 * rays.z_per_distance.numpy(), rtol=1e-6)


def test_points_behind_the_camera_have_no_pixel():
    camera = PinholeCamera.from_hfov(1.0, (4, 4))
    assert np.isnan(camera.project(np.array([0.0, 0.0, -1.0]))).all()


def test_a_resized_camera_sees_the_same_field():
    camera = PinholeCamera.from_hfov(1.0, (64, 48))
    point = np.array([0.2, -0.1, 1.0])
    share = camera.resized(16, 12).project(point) / camera.project(point)
    np.testing.assert_allclose(share, 0.25)


def test_bad_cameras_are_refused():
    with pytest.raises(ValueError, match="between 0 and 180 degrees"):
        PinholeCamera.from_hfov(math.pi, (4, 4))
    with pytest.raises(ValueError, match="at least 1x1"):
        PinholeCamera(width=0, height=4, fx=1, fy=1, cx=0, cy=0)
    with pytest.raises(ValueError, match=r"\[m, 4, 4\]"):
        rays_of(PinholeCamera.from_hfov(1.0, (4, 4)), np.eye(4))
