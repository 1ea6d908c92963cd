from dataclasses import replace

import numpy as np
import pytest
from merkwelt.alignment.maps.human_maps import Cameras, HumanMaps
from merkwelt.alignment.views.view_camera import ViewCamera, view_cameras
from merkwelt.render.camera import PinholeCamera
from merkwelt.render.rigid import inverse, look_at

from .box_room import camera_at, cast


def test_projects_what_it_lifts() -> None:
    camera = camera_at((1.0, 2.0, 1.5), (0.0, 0.0, 1.0))
    depth = np.random.default_rng(0).uniform(0.5, 4.0, camera.size_rowcol_px)
    xy, deep = camera.project(camera.points_world(depth))
    rows, columns = np.indices(depth.shape)
    np.testing.assert_allclose(xy[..., 0], columns + 0.5, atol=1e-9)
    np.testing.assert_allclose(xy[..., 1], rows + 0.5, atol=1e-9)
    np.testing.assert_allclose(deep, depth, rtol=1e-12)


def test_lifts_to_the_points_that_rays_hit(box_views) -> None:
    for view in box_views:
        _, points, _ = cast(view.camera)
        np.testing.assert_allclose(view.camera.points_world(view.depth), points, atol=1e-9)


def test_is_the_camera_of_the_renderer() -> None:
    """The renderer has a pinhole of its own; the two must not disagree by half a pixel."""
    pose = look_at(np.array([1.0, -2.0, 1.4]), np.array([0.0, 0.3, 0.8]))
    pinhole = PinholeCamera(width=40, height=30, fx=33.0, fy=35.0, cx=19.0, cy=16.0)
    camera = ViewCamera(
        camera_from_world=inverse(pose),
        intrinsics_px=np.array([[33.0, 0, 19.0], [0, 35.0, 16.0], [0, 0, 1]]),
        width=40,
        height=30,
    )
    rays = pinhole.directions() / pinhole.directions()[..., 2:]
    np.testing.assert_allclose(camera.rays_world(), rays @ pose[:3, :3].T, atol=1e-12)


def test_resized_and_cropped_cameras_see_the_same_points() -> None:
    camera = camera_at((1.0, 2.0, 1.5), (0.0, 0.0, 1.0))
    point = np.array([0.1, -0.2, 0.9])
    (x, y), _ = camera.project(point)
    np.testing.assert_allclose(camera.resized(192, 40).project(point)[0], [2 * x, y / 2])
    np.testing.assert_allclose(camera.cropped(5, 7, 60, 50).project(point)[0], [x - 5, y - 7])


def test_nothing_is_ahead_of_a_camera_that_looks_away() -> None:
    xy, depth = camera_at((1.0, 0.0, 1.0), (2.0, 0.0, 1.0)).project(np.zeros((2, 3)))
    assert np.isnan(xy).all()
    assert np.isnan(depth).all()


def test_unknown_cameras_are_none() -> None:
    camera = camera_at((1.0, 2.0, 1.5), (0.0, 0.0, 1.0))
    poses = np.stack([camera.camera_from_world, np.full((4, 4), np.nan)])
    maps = HumanMaps(
        images=np.zeros((2, 80, 96, 3), dtype=np.uint8),
        maps=np.zeros((2, 80, 96), dtype=np.float32),
        names=("a", "b"),
        labels=("", ""),
        kind="toy",
        are_human=True,
        source="test",
        licence="CC0-1.0",
        cameras=Cameras(
            camera_from_world=poses,
            intrinsics_px=np.stack([camera.intrinsics_px] * 2),
            scale=np.ones(2),
        ),
    )
    known, unknown = view_cameras(maps)
    assert unknown is None
    assert known is not None
    assert known.size_rowcol_px == (80, 96)
    assert view_cameras(replace(maps, cameras=None)) == (None, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"camera_from_world": np.diag([2.0, 2, 2, 1])}, "turn and move only"),
        ({"camera_from_world": np.diag([1.0, 1, -1, 1])}, "mirrored"),
        ({"camera_from_world": np.full((4, 4), np.nan)}, "not known"),
        ({"intrinsics_px": np.diag([-1.0, 1, 1])}, "positive focal"),
    ],
)
def test_refuses_what_is_no_camera(change, said) -> None:
    with pytest.raises(ValueError, match=said):
        replace(camera_at((1, 2, 1.5), (0, 0, 1)), **change)


def test_refuses_depth_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"expected depth of \(80, 96\)"):
        camera_at((1, 2, 1.5), (0, 0, 1)).points_world(np.ones((96, 80)))
