"""The scene's points."""

from dataclasses import replace

import numpy as np
import pytest
from merkwelt.render.volume import RenderOptions
from merkwelt.scenes import Scene

from merkwelt.viewer.cloud import (
    LAYERS,
    Cloud,
    at_edges,
    cloud_camera,
    cloud_views,
    layer_tops,
    layers_of,
    merged,
    render_cloud,
    spread,
)


@pytest.fixture(scope="module")
def cloud(room, navigation):
    poses = cloud_views(room.card, navigation)
    return render_cloud(room, cloud_camera(room.card, navigation), poses, RenderOptions())


def test_points_lie_on_surfaces(room, cloud):
    assert len(cloud) > 1000
    low, high = (np.asarray(corner) for corner in room.card.bounds)
    points = cloud.points.astype(float)
    from_walls = np.minimum(points - low, high - points).min(axis=1)
    on_things = np.any([t.box.contains(points, margin_m=0.1) for t in room.card.objects], axis=0)
    assert np.mean(on_things | (from_walls < 0.1)) > 0.98


def test_a_scene_without_cameras_is_looked_at_from_its_ground_or_its_corners(room, navigation):
    card = replace(room.card, world_from_training_camera=(), world_from_viewpoint=())
    standing = cloud_views(card, navigation)
    height = navigation.ground.floor_height_m + 1.5
    np.testing.assert_allclose(standing[:, 2, 3], height)
    cells = (standing[:, :2, 3] - navigation.ground.origin_xy_m) / navigation.ground.cell_m
    assert navigation.ground.reachable[tuple(cells.round().astype(int).T)].all()
    corners = cloud_views(card, None)
    assert len(render_cloud(Scene(card, room.field), cloud_camera(card, None), corners[:2],
                            RenderOptions())) > 0  # fmt: skip


def test_spread_takes_far_poses_first():
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, 0, 3] = [0.0, 0.1, 0.2, 5.0, 10.0]
    assert list(spread(poses, 3)) == [0, 4, 3]
    assert sorted(spread(poses, 99)) == [0, 1, 2, 3, 4]


def test_edges_are_where_depth_jumps():
    depth = np.full((1, 3, 4), 2.0)
    depth[0, :, 2:] = 3.0
    np.testing.assert_array_equal(at_edges(depth)[0], np.tile([False, True, True, False], (3, 1)))
    assert not at_edges(np.full((2, 3, 4), 1.0)).any()


def test_merging_thins_evenly_and_keeps_colours_with_points(room):
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (4000, 3)).astype(np.float32)
    colours = ((points + 1) * 127).astype(np.uint8)
    whole = Cloud(points=points, colours=colours)
    thin = merged([whole.chosen(slice(2000)), whole.chosen(slice(2000, None))], room.card, 500)
    assert 250 < len(thin) <= 500
    np.testing.assert_array_equal(thin.colours, ((thin.points + 1) * 127).astype(np.uint8))
    assert np.abs(thin.points.mean(axis=0)).max() < 0.15


def test_layers_are_the_cloud_cut_at_heights(room, cloud):
    tops = layer_tops(room.card)
    layers = layers_of(cloud, tops)
    assert len(layers) == len(tops) == LAYERS
    assert sum(map(len, layers)) == len(cloud)
    for layer, low, high in zip(layers[1:-1], tops[:-2], tops[1:-1], strict=True):
        assert np.all((layer.points[:, 2] > low - 1e-6) & (layer.points[:, 2] <= high + 1e-6))


def test_an_object_is_looked_at_as_wide_as_it_is(statue):
    from merkwelt.render.navigation.navigation import Navigation
    from merkwelt.render.observer.presets import load_observer

    navigation = Navigation.of(statue, replace(load_observer("adult"), eyes=1))
    camera = cloud_camera(statue.card, navigation)
    hfov = 2 * np.arctan(camera.width / 2 / camera.fx)
    half = np.sqrt(3) * 1.5
    assert hfov == pytest.approx(2 * np.arctan(half / navigation.views.distance))
