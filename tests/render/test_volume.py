"""Rendering of the analytic room in closed form, and rays that cannot be."""

import math

import pytest
import torch
from merkwelt.render import Rays, RenderOptions, render_rays
from merkwelt.scenes.analytic import AnalyticField, analytic_room
from merkwelt.scenes.scene import Scene

ROOM = analytic_room()


def _ray(origin, direction):
    direction = torch.tensor([direction], dtype=torch.float32)
    direction = direction / direction.norm()
    return Rays(
        origins=torch.tensor([origin], dtype=torch.float32),
        directions=direction,
        z_per_distance=torch.ones(1),
    )


@pytest.mark.parametrize(
    ("origin", "direction", "distance"),
    [
        ((0, -2, 1.6), (1, 0, 0), 3.0),
        ((0, -2, 1.6), (0, 0, -1), 1.6),
        ((0, -2, 1.6), (-1, 0, 0), 3.0),
        ((1, -2, 1.0), (1, 1, 0), math.sqrt(2) * 1.5),
    ],
)
def test_distances_to_walls_and_furniture_are_exact(origin, direction, distance):
    # The surface absorbs within a millimetre: 1 / density is half of one.
    rendered = render_rays(ROOM, _ray(origin, direction))
    assert float(rendered.depth[0]) == pytest.approx(distance, abs=2e-3)
    assert float(rendered.opacity[0]) == pytest.approx(1.0, abs=1e-3)


def test_z_depth_is_distance_times_the_cosine():
    rays = _ray((0, -2, 1.6), (1, 0, 0))
    half = Rays(
        origins=rays.origins, directions=rays.directions, z_per_distance=torch.tensor([0.5])
    )
    a, b = render_rays(ROOM, rays), render_rays(ROOM, half)
    torch.testing.assert_close(b.depth, a.depth / 2)


def test_the_world_may_be_scaled_against_the_field():
    from dataclasses import replace

    from merkwelt.scenes import Scene

    twice = tuple(
        tuple(2.0 * (i == j) if i < 3 else float(i == j) for j in range(4)) for i in range(4)
    )
    scene = Scene(replace(ROOM.card, world_from_field=twice), ROOM.field)
    rendered = render_rays(scene, _ray((0, -4, 3.2), (1, 0, 0)))
    assert float(rendered.depth[0]) == pytest.approx(6.0, abs=4e-3)


def test_no_rays_give_no_pixels():
    nothing = Rays(
        origins=torch.zeros(0, 3), directions=torch.zeros(0, 3), z_per_distance=torch.zeros(0)
    )
    assert render_rays(ROOM, nothing).rgb.shape == (0, 3)


@pytest.mark.parametrize("direction", [(0.0, 0.0, 0.0), (2.0, 0.0, 0.0), (math.nan, 0.0, 0.0)])
def test_directions_without_unit_length_are_refused(direction):
    with pytest.raises(ValueError, match="unit directions"):
        Rays(
            origins=torch.zeros(1, 3),
            directions=torch.tensor([direction]),
            z_per_distance=torch.ones(1),
        )


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_rays_that_start_nowhere_are_refused(value):
    origins = torch.zeros(3, 3)
    origins[1, 2] = value
    with pytest.raises(ValueError, match="1 of 3 rays start at NaN or infinity"):
        Rays(
            origins=origins,
            directions=torch.tensor([[1.0, 0.0, 0.0]] * 3),
            z_per_distance=torch.ones(3),
        )


def test_an_eye_inside_matter_sees_its_colour_at_no_distance():
    block = torch.tensor([[0.0, 0.0, 1.0, 20.0, 20.0, 20.0, 0.0]])
    scene = Scene(ROOM.card, AnalyticField(block, torch.tensor([[0.2, 0.5, 0.8]])))
    rendered = render_rays(scene, _ray((0, 0, 1), (1, 0, 0)))
    here = torch.tensor([[0.0, 0.0, 1.0]])
    _, colour = scene.field.radiance(here, torch.tensor([[1.0, 0.0, 0.0]]))
    torch.testing.assert_close(rendered.rgb, colour, atol=0.02, rtol=0)  # Within a centimetre.
    assert float(rendered.opacity[0]) == pytest.approx(1, abs=1e-4)
    assert 0 <= float(rendered.depth_median[0]) < 0.05


def test_an_empty_scene_is_background():
    empty = torch.tensor([[500.0, 0.0, 1.0, 0.1, 0.1, 0.1, 0.0]])
    scene = Scene(ROOM.card, AnalyticField(empty, torch.tensor([[0.2, 0.5, 0.8]])))
    rendered = render_rays(scene, _ray((0, 0, 1), (0, 1, 0)))
    assert float(rendered.opacity[0]) < 1e-3
    assert bool(rendered.depth.isfinite().all())
    assert bool(rendered.depth_median.isfinite().all())


def test_the_compiled_backend_refuses_other_fields():
    with pytest.raises(ValueError, match="compiled backend renders nerfacto fields only"):
        render_rays(ROOM, _ray((0, 0, 1), (1, 0, 0)), RenderOptions(backend="compiled"))
