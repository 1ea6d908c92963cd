import numpy as np
import pytest
from merkwelt.alignment.views.planes import Plane, common_centre, facing_plane

from .box_room import camera_at


def test_depth_of_a_plane_lies_on_it() -> None:
    camera = camera_at((2.0, -1.0, 1.5), (0.0, 0.0, 0.5))
    plane = Plane(point=np.array([0.1, 0.2, 0.4]), normal=np.array([1.0, -0.5, 2.0]))
    depth = plane.depth(camera)
    points = camera.points_world(depth)[depth > 0]
    np.testing.assert_allclose((points - plane.point) @ plane.normal, 0, atol=1e-9)


def test_what_is_above_the_horizon_has_no_depth() -> None:
    camera = camera_at((0.0, -2.0, 1.0), (0.0, 0.0, 1.0))
    floor = Plane(point=np.zeros(3), normal=np.array([0.0, 0.0, 1.0]))
    depth = floor.depth(camera)
    horizon = camera.intrinsics_px[1, 2]
    rows = np.arange(camera.height) + 0.5
    np.testing.assert_array_equal((depth > 0).all(axis=1), rows > horizon)
    np.testing.assert_array_equal((depth == 0).all(axis=1), rows < horizon)


def test_cameras_turned_to_a_point_meet_there() -> None:
    centre = np.array([0.3, -0.2, 0.8])
    cameras = [camera_at(eye, centre) for eye in ((2, 0, 1), (0, 2, 1.5), (-1, 1, 0.2))]
    np.testing.assert_allclose(common_centre(cameras), centre, atol=1e-9)
    plane = facing_plane(centre, cameras[:2])
    for camera in cameras[:2]:
        ahead = (plane.point - camera.position_world) @ plane.normal
        assert ahead < 0


def test_zooming_cameras_have_no_centre() -> None:
    cameras = [camera_at((x, 0, 1), (0, 0, 1)) for x in (1, 2)]
    with pytest.raises(ValueError, match="parallel axes"):
        common_centre(cameras)
    with pytest.raises(ValueError, match="opposite sides"):
        facing_plane(np.zeros(3), [camera_at((x, 0, 0), (0, 0, 0)) for x in (-1, 1)])
