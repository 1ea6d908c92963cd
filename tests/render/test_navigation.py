import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.navigation.ground import estimate_floor
from merkwelt.render.navigation.navigation import Navigation, NoPath
from merkwelt.render.navigation.surfaces import SIGHT_STEPS, first_hits
from merkwelt.render.observer.presets import adult, crawler, static
from merkwelt.render.rigid import look_at
from merkwelt.scenes.analytic import AnalyticField
from merkwelt.scenes.scene import Scene

from .conftest import as_matrices

RADIUS_M = adult().body.radius_m.value


def distance_to_matter_m(card, points_xy):
    """Exact horizontal distance to furniture and walls, from the boxes alone."""
    low, high = np.asarray(card.bounds)[:, :2]
    nearest = np.minimum(points_xy - low, high - points_xy).min(axis=1)
    for thing in card.objects:
        points = np.column_stack([points_xy, np.full(len(points_xy), thing.box.centre_m[2])])
        outside = np.abs(thing.box.box_from_world(points)) - np.asarray(thing.box.size_m) / 2
        nearest = np.minimum(nearest, np.linalg.norm(np.maximum(outside[:, :2], 0), axis=1))
    return nearest


def test_every_reachable_place_keeps_the_body_out_of_matter(room, room_navigation):
    ground = room_navigation.ground
    places = ground.centre_of(np.argwhere(ground.reachable))
    exact = distance_to_matter_m(room.card, places)
    assert exact.min() >= RADIUS_M
    # And nearly everything that is free is found: cells well away from matter are reachable.
    cells = np.argwhere(np.ones_like(ground.reachable))
    free = distance_to_matter_m(room.card, ground.centre_of(cells)) > RADIUS_M + 0.15
    assert ground.reachable[tuple(cells[free].T)].mean() > 0.99


def test_clearance_never_exceeds_the_true_distance(room, room_navigation):
    points = np.random.default_rng(0).uniform([-3, -2.5], [3, 2.5], (500, 2))
    clearance = room_navigation.ground.clearance_at(points)
    assert np.all(clearance <= distance_to_matter_m(room.card, points) + 1e-6)


def test_nothing_is_clear_outside_the_map(room_navigation):
    outside = np.array([[50.0, 0.0], [0.0, -50.0]])
    np.testing.assert_array_equal(room_navigation.ground.clearance_at(outside), 0)


def test_routes_join_neighbours_both_ways_and_avoid_walls(room_navigation):
    routes = room_navigation.routes
    assert (routes.cost != routes.cost.T).nnz == 0
    cost, _ = routes.from_node(0)
    assert np.isfinite(cost).all()


def test_the_part_with_the_training_cameras_is_kept(room):
    walled = replace(
        room.card,
        bounds=((-3.0, -2.5, 0.0), (3.0, 6.0, 2.7)),
        world_from_training_camera=as_matrices(
            look_at(np.array([[0.0, 5.0, 1.5]]), np.array([[0.0, 4.0, 1.0]]))
        ),
    )
    ground = Navigation.of(Scene(walled, room.field), adult()).ground
    assert ground.centre_of(np.argwhere(ground.reachable))[:, 1].min() > 2.6
    assert ground.coverage.max() <= 1
    assert ground.coverage[ground.reachable].max() > 0.9


def test_a_room_full_of_matter_has_no_path(full_room):
    with pytest.raises(NoPath, match=r"no free ground in scene 'analytic_room': 100% of its floor"):
        Navigation.of(full_room, adult())


def test_a_closet_is_too_small_to_walk_in(room):
    closet = replace(room.card, bounds=((-1.1, 0.9, 0.0), (-0.2, 1.8, 2.7)), objects=())
    with pytest.raises(NoPath, match=r"only 0\.\d+ m long"):
        Navigation.of(Scene(closet, room.field), adult())


def test_a_scene_without_ground_and_views_says_what_is_missing(room):
    card = replace(room.card, metres_per_unit=None)
    with pytest.raises(NoPath, match="neither a floor to walk on .* nor training views"):
        Navigation.of(Scene(card, room.field), adult())


def _watched(room, looks_at):
    rng = np.random.default_rng(0)
    position = rng.uniform([-1, 0.5, 1.5], [1.5, 1.2, 1.7], (30, 3))
    poses = look_at(position, looks_at(position, rng))
    card = replace(room.card, floor_height=None, world_from_training_camera=as_matrices(poses))
    return Scene(card, room.field)


def test_the_floor_is_found_under_hand_held_cameras(room):
    angle = np.linspace(0, 2 * math.pi, 30, endpoint=False)
    around = np.stack([np.cos(angle), np.sin(angle), -0.1 * np.ones(30)], axis=1)
    scene = _watched(room, lambda position, rng: position + around)
    assert estimate_floor(scene, scene.card) == pytest.approx(0, abs=0.1)
    navigation = Navigation.of(scene, adult())
    assert navigation.is_walkable
    assert navigation.ground.floor_height_m == pytest.approx(0, abs=0.1)


def test_cameras_around_one_thing_are_not_walked_with(room):
    scene = _watched(room, lambda position, rng: np.array([0.4, -0.6, 0.7]))
    navigation = Navigation.of(scene, static())
    assert not navigation.is_walkable
    assert navigation.views.is_object_like
    np.testing.assert_allclose(navigation.views.focus, [0.4, -0.6, 0.7], atol=1e-3)


def test_lines_of_sight_end_at_surfaces(room):
    origin = np.array([[0.0, 1.2, 1.5]] * 3)
    directions = np.array([[-1.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]])
    hits = first_hits(room, origin, directions, near=0.1, far=8.0)
    step = (8.0 / 0.1) ** (1 / (SIGHT_STEPS - 1))
    np.testing.assert_array_less(np.abs(np.log(hits / [3.0, 1.2, 1.3])), 1.5 * math.log(step))
    assert np.isnan(first_hits(room, origin[:1], directions[:1], near=0.1, far=2.0)).all()


def test_who_sits_up_needs_room_to_sit_up(room):
    """Under a board 0.52 m up a crawler can pass, but not sit, with the eyes up to 0.54 m high."""
    low, high = np.asarray(room.card.bounds)
    middle, size = (low + high) / 2, high - low
    board = torch.tensor([[middle[0], middle[1], 0.55, size[0], size[1], 0.06, 0.0]])
    scene = Scene(room.card, AnalyticField(board, torch.tensor([[0.5, 0.5, 0.5]])))
    with pytest.raises(NoPath, match="no free ground"):
        Navigation.of(scene, crawler())
    assert Navigation.of(scene, replace(crawler(), bouts=None)).is_walkable
