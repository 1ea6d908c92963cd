"""Where a body can be in a scene of Gaussians: from their density, or around them."""

import math
from dataclasses import replace

import numpy as np
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import adult, static
from merkwelt.scenes import Scene
from merkwelt.scenes.splats import GaussianConfig, GaussianField

from .test_trace import CARD, FAR, plain_gaussians, real_scene


def _room():
    """A floor 4 m x 4 m at z = 0 and a pillar in its middle, of thin overlapping Gaussians."""
    grid = np.arange(-2, 2.01, 0.08)
    floor = np.array([[x, y, 0.0] for x in grid for y in grid])
    turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    pillar = np.array(
        [[0.3 * math.cos(a), 0.3 * math.sin(a), z] for a in turn for z in np.arange(0, 2, 0.08)]
    )
    top = np.array([[x, y, 1.9] for x in grid for y in grid if math.hypot(x, y) < 0.3])
    flat, round_ = [[0.06, 0.06, 0.002]], [[0.04, 0.04, 0.04]]
    positions = np.concatenate([floor, pillar, top])
    n = len(positions)
    scales = np.array(flat * len(floor) + round_ * len(pillar) + round_ * len(top))
    gaussians = plain_gaussians(positions, scales, [0.95] * n, [[0.5, 0.5, 0.5]] * n)
    card = replace(
        CARD, metres_per_unit=1.0, floor_height=0.0, bounds=((-2.0, -2.0, 0.0), (2.0, 2.0, 2.5))
    )
    return Scene(card, GaussianField(GaussianConfig(grain=0.025, far=FAR), gaussians))


def test_a_body_walks_around_a_pillar_of_gaussians():
    ground = Navigation.of(_room(), adult()).ground
    assert ground is not None
    places = ground.centre_of(np.argwhere(ground.reachable))
    radius = adult().body.radius_m.value
    assert np.linalg.norm(places, axis=1).min() >= 0.3 + radius - 0.05
    free = np.linalg.norm(places, axis=1) > 0.3 + radius + 0.2
    assert free.sum() * ground.cell_m**2 > 0.5 * 3.4**2
    assert np.all(ground.clearance_at(np.zeros((1, 2))) == 0)


def test_an_imported_thing_is_looked_at_from_around(shared_data):
    scene = real_scene(shared_data, "plant")
    navigation = Navigation.of(scene, static())
    assert not navigation.is_walkable
    assert navigation.views.is_object_like
    middle = np.mean(scene.card.bounds, axis=0)
    np.testing.assert_allclose(navigation.views.focus, middle, atol=1e-3)
