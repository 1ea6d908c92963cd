import math

import numpy as np
import pytest
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.fisheye import FisheyeCamera
from merkwelt.render.retina import FoveatedRetina
from merkwelt.render.volume import render_rays

EYES = [
    FisheyeCamera(width=40, height=30, hfov_rad=math.radians(120)),
    FoveatedRetina(rings=24, spokes=41),
    PinholeCamera.from_hfov(1.1, (40, 30)),
]


@pytest.mark.parametrize("eye", EYES, ids=lambda eye: type(eye).__name__)
def test_directions_are_unit_and_project_back_to_their_cells(eye):
    directions = eye.directions()
    assert directions.shape == (eye.height, eye.width, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=-1), 1, atol=1e-12)
    y, x = np.mgrid[: eye.height, : eye.width] + 0.5
    np.testing.assert_allclose(eye.project(3.7 * directions), np.stack([x, y], -1), atol=1e-9)


@pytest.mark.parametrize("eye", EYES, ids=lambda eye: type(eye).__name__)
def test_points_behind_the_eye_have_no_cell(eye):
    assert np.isnan(eye.project(np.array([0.1, 0.2, -1.0]))).all()


def test_fisheye_puts_equal_angles_at_equal_distances():
    eye = FisheyeCamera(width=200, height=100, hfov_rad=math.radians(100))
    angle = np.radians([-40, -20, 0, 20, 40])
    points = np.stack([np.sin(angle), np.zeros(5), np.cos(angle)], axis=-1)
    np.testing.assert_allclose(eye.project(points)[:, 0], [20, 60, 100, 140, 180], atol=1e-9)
    np.testing.assert_allclose(eye.project(points)[:, 1], 50, atol=1e-9)


def test_fisheye_corners_that_would_look_sideways_are_told():
    wide = FisheyeCamera(width=64, height=64, hfov_rad=math.radians(150))
    assert not wide.visible()[0, 0]
    assert wide.visible()[32].all()
    assert (wide.directions()[..., 2] > 0).all()


def test_ring_spacing_follows_cortical_magnification():
    retina = FoveatedRetina(rings=50, half_rad=math.radians(0.75))
    edges = retina.eccentricity_rad(np.arange(51))
    middle, spacing = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    share = spacing / (middle + retina.half_rad)
    np.testing.assert_allclose(share, share[0], rtol=1e-12)
    assert edges[0] == 0
    assert edges[-1] == pytest.approx(math.radians(30))


def test_square_cells_cost_as_many_rays_as_the_closed_form():
    # Cells of side h (E + a) / a over a disc of radius R: 2 pi a^2 / h^2 (ln((R+a)/a) - R/(R+a)).
    a, radius, h = 2.0, 30.0, 0.1
    rings = round(a / h * math.log((radius + a) / a))
    retina = FoveatedRetina(rings=rings, spokes=8, half_rad=math.radians(a))
    edges = np.degrees(retina.eccentricity_rad(np.arange(rings + 1)))
    middle, spacing = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    cells = (2 * np.pi * middle / spacing).sum()
    expected = 2 * np.pi * a**2 / h**2 * (math.log((radius + a) / a) - radius / (radius + a))
    assert cells == pytest.approx(expected, rel=0.02)
    assert expected == pytest.approx(4600, rel=0.02)


def test_direct_rays_see_what_a_fine_picture_shows(room):
    pose = np.eye(4)
    pose[:3, :3] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # Looks along +y.
    pose[:3, 3] = [0.3, -1.0, 1.5]
    retina = FoveatedRetina(rings=32, spokes=54)
    fine = PinholeCamera.from_hfov(math.radians(66), (900, 900))
    direct = render_rays(room, rays_of(retina, pose[None])).rgb.numpy().reshape(32, 54, 3)
    picture = render_rays(room, rays_of(fine, pose[None])).rgb.numpy().reshape(900, 900, 3)
    difference = np.abs(direct - retina.from_picture(picture, fine)).max(axis=-1)
    # A pixel of 0.07 degrees blends what a ray does not, at edges only.
    assert np.quantile(difference, 0.9) < 0.02


def test_a_picture_of_the_retina_is_sharp_in_the_middle_and_black_outside():
    camera = PinholeCamera.from_hfov(math.radians(80), (320, 320))
    y, x = np.mgrid[:320, :320] / 320
    picture = np.stack([x, y, 0.5 + 0.4 * np.sin(40 * x) * np.cos(40 * y)], -1).astype("f")
    retina = FoveatedRetina(rings=96, spokes=163)
    back = retina.to_picture(retina.from_picture(picture, camera), camera)
    error = np.abs(back - picture).max(axis=-1)
    assert error[155:165, 155:165].max() < 0.01
    assert error[130:190, 130:190].max() < 0.05
    assert not back[160, :20].any()
    assert back[160, 215:].any()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: FisheyeCamera(width=0, height=4, hfov_rad=1), "at least 1x1"),
        (lambda: FisheyeCamera(width=4, height=4, hfov_rad=3.2), "field of view"),
        (lambda: FoveatedRetina(rings=0), "at least 1 ring"),
        (lambda: FoveatedRetina(radius_rad=2), "radius between 0 and 90"),
        (lambda: FoveatedRetina(half_rad=0), "half-magnification"),
    ],
)
def test_eyes_that_cannot_be_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()
