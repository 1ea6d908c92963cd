import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from merkwelt.alignment.views.carry import fetch_map, throw_clicks
from merkwelt.alignment.views.planes import Plane

from .box_room import camera_at, cast, paint


def test_a_plane_carries_by_its_homography() -> None:
    """Fetching equals cv2's perspective warp with the homography of the plane in closed form."""
    source = camera_at((2.0, -1.0, 1.5), (0.0, 0.0, 0.5))
    target = camera_at((2.2, 0.6, 1.2), (0.0, 0.2, 0.5))
    plane = Plane(point=np.array([0.0, 0.0, 0.4]), normal=np.array([1.0, 0.1, 0.3]))
    values = np.random.default_rng(0).random(source.size_rowcol_px)
    values = cv2.GaussianBlur(values, (0, 0), 3)
    found = fetch_map(values, source, plane.depth(target), target)

    source_from_target = source.camera_from_world @ np.linalg.inv(target.camera_from_world)
    turn, normal = target.camera_from_world[:3, :3], plane.normal
    offset = (plane.point - target.position_world) @ normal
    across = (
        source_from_target[:3, :3] + np.outer(source_from_target[:3, 3], turn @ normal) / offset
    )
    homography = source.intrinsics_px @ across @ np.linalg.inv(target.intrinsics_px)
    # cv2 counts pixels from the centre of the first.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    by_cv2 = cv2.warpPerspective(
        values,
        np.linalg.inv(half) @ homography @ half,
        (target.width, target.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert found.share > 0.5
    # cv2 rounds positions to 1/32 px, on a map whose steps are below 0.05.
    np.testing.assert_allclose(found.values[found.visible], by_cv2[found.visible], atol=3e-3)


def test_a_texture_painted_on_the_world_is_seen_in_the_other_view(box_views) -> None:
    source, target = box_views
    _, points, _ = cast(source.camera)
    _, own_points, _ = cast(target.camera)
    found = fetch_map(
        paint(points), source.camera, target.depth, target.camera, source.depth, tolerance=1.03
    )
    error = np.abs(found.values - paint(own_points))[found.visible]
    assert found.share > 0.4
    # What is left is bilinear interpolation (median 0.0003, of a range of 1) and, in 2 % of the
    # pixels, mixing across edges of the box.
    assert np.median(error) < 1e-3
    assert np.quantile(error, 0.98) < 0.02


def test_what_the_source_cannot_see_is_marked(box_views) -> None:
    """The oracle asks of each point of the target whether the box is in the way, in closed form."""
    source, target = box_views
    _, points, _ = cast(target.camera)
    eye = source.camera.position_world
    low, high = np.array([-0.5, -0.4, 0.0]), np.array([0.3, 0.5, 1.3])
    ray = points - eye
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = np.stack([(low - eye) / ray, (high - eye) / ray])
    enter, leave = sides.min(axis=0).max(axis=-1), sides.max(axis=0).min(axis=-1)
    hidden = (enter < leave) & (enter < 1 - 1e-6)
    xy, _ = source.camera.project(points)
    size = np.array([source.camera.width, source.camera.height])
    inside = ((xy >= 0) & (xy < size)).all(axis=-1)
    found = fetch_map(
        np.ones(source.depth.shape), source.camera, target.depth, target.camera, source.depth
    )
    wrong = found.visible != (inside & ~hidden)
    assert (inside & hidden).mean() > 0.05
    # Within a pixel of an edge the nearest pixel sees the other side of it.
    assert wrong.mean() < 0.02
    without_depth = fetch_map(
        np.ones(source.depth.shape), source.camera, target.depth, target.camera
    )
    np.testing.assert_array_equal(without_depth.visible, inside)


def test_there_and_back_is_the_same_map_where_both_see_it(box_views) -> None:
    first, second = box_views
    _, points, _ = cast(first.camera)
    values = paint(points)
    there = fetch_map(values, first.camera, second.depth, second.camera, first.depth)
    back = fetch_map(there.values, second.camera, first.depth, first.camera, second.depth)
    seen = fetch_map(
        there.visible.astype(float), second.camera, first.depth, first.camera, second.depth
    )
    both = back.visible & (seen.values == 1)
    error = np.abs(back.values - values)[both]
    assert both.mean() > 0.35
    # Interpolated twice, and edges twice.
    assert np.median(error) < 2e-3
    assert np.quantile(error, 0.95) < 0.03


@pytest.mark.parametrize("seed", range(5))
def test_a_click_lands_on_its_point(box_views, seed) -> None:
    source, target = box_views
    rng = np.random.default_rng(seed)
    counts = np.zeros(source.depth.shape)
    _, _, on_box = cast(source.camera)
    row, column = rng.permutation(np.argwhere(on_box))[0]
    counts[row, column] = 3
    thrown = throw_clicks(counts, source.depth, source.camera, target.camera, target.depth)
    assert thrown.arrived + thrown.hidden + thrown.outside == 3
    point = source.camera.points_world(source.depth)[row, column]
    if thrown.arrived:
        (there,) = np.argwhere(thrown.carried.values)
        # In closed form: the point as the target's matrix has it.
        x, y, z = target.camera.intrinsics_px @ (target.camera.camera_from_world @ [*point, 1])[:3]
        assert (math.floor(y / z), math.floor(x / z)) == tuple(there)
        lifted = target.camera.points_world(target.depth)[tuple(there)]
        # Half a pixel's diagonal at the depth, seen at up to 80 degrees from the surface's normal.
        assert np.linalg.norm(lifted - point) < 6 * 0.71 * z / 70


@pytest.mark.parametrize("seed", range(4))
def test_turning_and_moving_the_world_changes_nothing(box_views, seed) -> None:
    """Both cameras in another world frame: the same pixels."""
    source, target = box_views
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    world = np.eye(4)
    world[:3, :3] = turn * np.linalg.det(turn)
    world[:3, 3] = rng.normal(size=3)
    counts = rng.integers(0, 3, source.depth.shape).astype(float)
    first, second = (
        replace(v.camera, camera_from_world=v.camera.camera_from_world @ world)
        for v in (source, target)
    )
    here = fetch_map(counts, source.camera, target.depth, target.camera, source.depth)
    moved = fetch_map(counts, first, target.depth, second, source.depth)
    np.testing.assert_allclose(moved.values, here.values, atol=1e-6)
    thrown = throw_clicks(counts, source.depth, source.camera, target.camera, target.depth)
    again = throw_clicks(counts, source.depth, first, second, target.depth)
    assert again.arrived == pytest.approx(thrown.arrived, abs=10)


def test_the_same_camera_carries_every_click_to_itself(box_views) -> None:
    view = box_views[0]
    counts = np.random.default_rng(1).integers(0, 4, view.depth.shape).astype(float)
    thrown = throw_clicks(counts, view.depth, view.camera, view.camera, view.depth)
    np.testing.assert_array_equal(thrown.carried.values, counts)
    assert thrown.hidden == thrown.outside == 0


def test_clicks_behind_the_box_are_hidden(box_views) -> None:
    """Thrown from afar into one pixel each: the z-buffer alone must hide walls behind the box."""
    source, target = box_views
    _, _, on_box = cast(source.camera)
    walls = (~on_box).astype(float)
    small = target.camera.resized(12, 10)
    alone = throw_clicks(walls, source.depth, source.camera, small)
    assert alone.hidden > 0
    everything = throw_clicks(np.ones(walls.shape), source.depth, source.camera, small)
    assert alone.arrived < everything.arrived
    assert alone.arrived + alone.hidden + alone.outside == walls.sum()


def test_pixels_without_a_surface_are_outside(box_views) -> None:
    source, target = box_views
    depth = source.depth.copy()
    depth[:40], depth[40:42] = 0, np.inf
    counts = np.zeros(depth.shape)
    counts[:42] = 1
    thrown = throw_clicks(counts, depth, source.camera, target.camera, target.depth)
    assert thrown.outside == counts.sum()
    assert thrown.arrived == 0
    fetched = fetch_map(counts, target.camera, depth, source.camera)
    assert not fetched.visible[:42].any()


def test_refuses_maps_of_another_size(box_views) -> None:
    source, target = box_views
    with pytest.raises(ValueError, match="rows and columns"):
        fetch_map(np.ones((3, 3)), source.camera, target.depth, target.camera)
    with pytest.raises(ValueError, match="ratio of depths"):
        fetch_map(source.depth, source.camera, target.depth, target.camera, tolerance=0.5)
