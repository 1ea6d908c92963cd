import numpy as np
import pytest
from merkwelt.scenes.raycast.kernels import albedo_at, grid_index, grid_weights
from merkwelt.scenes.raycast.light import BallLight, PaneLight
from merkwelt.scenes.raycast.light_cache import (
    CachePoints,
    Lighting,
    LightQuality,
    cut_surface,
    with_light,
)
from merkwelt.scenes.raycast.paint import linear_from_srgb, pack_paint, srgb_from_linear
from merkwelt.scenes.raycast.shapes import box, rectangle, turned
from merkwelt.scenes.raycast.surfaces import Material, joined

GREY = Material(colour=(0.5, 0.5, 0.5))
GREY_ALBEDO = float(linear_from_srgb(np.array(0.5)))
UP = CachePoints(positions_m=np.array([[0.0, 0, 0]]), normals=np.array([[0.0, 0, 1]]))


def _lighting(meshes, lights, **quality):
    mesh = joined(meshes)
    return Lighting(mesh, pack_paint(mesh), lights, LightQuality(**quality)), mesh


def test_srgb_round_trip():
    values = np.linspace(0, 1, 101)
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(values)), values, atol=1e-9)
    assert linear_from_srgb(np.array(0.5)) == pytest.approx(0.21404, abs=1e-5)


def test_lamp_gives_inverse_square_light():
    floor = rectangle((-5, -5, 0), (10, 0, 0), (0, 10, 0), GREY)
    lamp = BallLight(centre_m=(0, 0, 2), radius_m=0.01, intensity=(3.0, 2.0, 1.0))
    lighting, _ = _lighting([floor], (lamp,))
    np.testing.assert_allclose(
        lighting.direct(UP, samples_per_light=16)[0], np.array([3, 2, 1]) / 4, rtol=1e-2
    )


def test_window_gives_the_form_factor_of_a_parallel_disc():
    """A large pane above: compare with the exact form factor of a rectangle, four quarters."""
    floor = rectangle((-5, -5, 0), (10, 0, 0), (0, 10, 0), GREY)
    pane = PaneLight(
        corner_m=(-1, 1, 1.5), edge_u_m=(2, 0, 0), edge_v_m=(0, -2, 0), radiance=(1, 1, 1)
    )
    lighting, _ = _lighting([floor], (pane,))
    side = 1 / 1.5
    root = np.sqrt(1 + side**2)
    quarter = 2 * side / root * np.arctan(side / root) / (2 * np.pi)
    found = lighting.direct(UP, samples_per_light=512)[0]
    np.testing.assert_allclose(found, 4 * quarter, rtol=5e-3)


def test_shadow_and_glowing_shade():
    floor = rectangle((-5, -5, 0), (10, 0, 0), (0, 10, 0), GREY)
    lamp = BallLight(centre_m=(0, 0, 2), radius_m=0.05, intensity=(1.0, 1.0, 1.0))
    plate = box((-1, -1, 1.0), (1, 1, 1.1), GREY)
    shade = box((-0.2, -0.2, 1.8), (0.2, 0.2, 2.2), Material(colour=(1, 1, 1), glow=1.0))
    dark, _ = _lighting([floor, plate], (lamp,))
    lit, _ = _lighting([floor, shade], (lamp,))
    assert dark.direct(UP, samples_per_light=8).max() == 0
    assert lit.direct(UP, samples_per_light=8).min() > 0.2


def test_light_bounces_in_a_closed_grey_box():
    """Where all surfaces receive light 1, one bounce brings the albedo, more the series."""
    inside = box((-1, -1, -1), (1, 1, 1), GREY)
    lighting, mesh = _lighting([inside], (), bounce_rays=32, mean_albedo=0.5)
    cache, _ = cut_surface(mesh, grid_m=0.5)
    light = np.ones_like(cache.light)
    found = lighting.bounced(UP, with_light(cache, light))
    np.testing.assert_allclose(found[0, :3], GREY_ALBEDO / 0.5, rtol=1e-4)
    assert found[0, 3] == 1


def test_covered_points_are_not_trusted():
    floor = rectangle((-5, -5, 0), (10, 0, 0), (0, 10, 0), GREY)
    rug = box((-1, -1, 0.0), (1, 1, 0.01), GREY)
    lighting, mesh = _lighting([floor, rug], (), bounce_rays=16)
    cache, _ = cut_surface(mesh, grid_m=0.5)
    assert lighting.bounced(UP, cache)[0, 3] < 0.01


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_grid_interpolation_reproduces_linear_functions(steps):
    values = np.full((steps + 1) * (steps + 2) // 2, np.nan)
    for row in range(steps + 1):
        for column in range(steps + 1 - row):
            values[grid_index(row, column, steps)] = 3 * row / steps - 2 * column / steps + 1
    assert np.isfinite(values).all()
    rng = np.random.default_rng(0)
    samples = rng.dirichlet([1, 1, 1], 200)[:, 1:]
    for second, third in [*samples, (0, 0), (1, 0), (0, 1), (0.5, 0.5)]:
        corners, weights = grid_weights(second, third, steps)
        found = sum(w * values[c] for w, c in zip(weights, corners, strict=True))
        assert sum(weights) == pytest.approx(1)
        assert found == pytest.approx(3 * second - 2 * third + 1, abs=1e-9)


def test_texture_lookup_against_a_slow_reference():
    picture = np.random.default_rng(1).random((5, 7, 3))
    tables = np.array([[0, 5, 7]])
    texels = picture.reshape(-1, 3)
    # Texel centres give the texel; row 0 of the picture is at the top, where v is near 1.
    found = albedo_at(texels, tables, 0, 2.5 / 7, 1 - 1.5 / 5)
    np.testing.assert_allclose(found, picture[1, 2], atol=1e-9)
    between = albedo_at(texels, tables, 0, 3.0 / 7, 1 - 1.5 / 5)
    np.testing.assert_allclose(between, (picture[1, 2] + picture[1, 3]) / 2, atol=1e-9)
    repeated = albedo_at(texels, tables, 0, 2.5 / 7 - 3, 1 - 1.5 / 5 + 2)
    np.testing.assert_allclose(repeated, picture[1, 2], atol=1e-9)


def test_cutting_shares_points_and_keeps_their_normals():
    floor = rectangle((0, 0, 0), (1, 0, 0), (0, 1, 0), GREY)
    cache, points = cut_surface(floor, grid_m=0.25)
    assert cache.face_steps.tolist() == [6, 6]  # The diagonal of 1.41 m in steps of 0.25 m.
    assert len(points.positions_m) == 7 * 7
    np.testing.assert_allclose(points.normals, np.tile([0, 0, 1.0], (49, 1)))


def test_shapes_look_outwards():
    cube = box((0, 0, 0), (1, 2, 3), GREY)
    middles = cube.corners_m.mean(1) - [0.5, 1, 1.5]
    assert (np.einsum("fx,fcx->fc", middles, cube.normals) > 0).all()
    tube = turned(np.array([[0.5, 0.0], [0.5, 1.0]]), GREY, sides=16)
    outward = tube.corners_m * [1, 1, 0]
    assert (np.einsum("fcx,fcx->fc", outward, tube.normals) > 0).all()
