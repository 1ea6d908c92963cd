"""Orientations and colours against scipy, and shapes that cannot be."""

import numpy as np
import pytest
import torch
from merkwelt.scenes.splats.gaussians import Gaussians, thickened
from merkwelt.scenes.splats.shading import add_colour, harmonic_basis
from scipy.special import sph_harm_y

from .conftest import covariances, make_gaussians


def _directions(n):
    vectors = np.random.default_rng(1).normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _real_harmonics(directions):
    """Real harmonics with the Condon-Shortley phase from scipy's complex ones, [n, 16]."""
    x, y, z = directions.T
    polar, azimuth = np.arccos(z), np.arctan2(y, x)
    columns = []
    for degree in range(4):
        for order in range(-degree, degree + 1):
            value = sph_harm_y(degree, abs(order), polar, azimuth)
            root = np.sqrt(2) if order else 1.0
            columns.append(root * (value.imag if order < 0 else value.real))
    return np.stack(columns, axis=1)


def test_axes_and_scales_give_scipys_covariance(gaussians):
    axes = gaussians.axes().numpy()
    variance = gaussians.scales.double().numpy() ** 2
    found = np.einsum("nij,nj,nkj->nik", axes, variance, axes)
    np.testing.assert_allclose(found, covariances(gaussians), atol=1e-8)


def test_a_quarter_turn_about_z_turns_the_long_axis_to_y():
    half = 2**-0.5
    one = Gaussians(
        positions=torch.zeros(1, 3),
        scales=torch.tensor([[3.0, 1.0, 1.0]]),
        rotations=torch.tensor([[half, 0.0, 0.0, half]]),
        opacities=torch.ones(1),
        harmonics=torch.zeros(1, 1, 3),
    )
    np.testing.assert_allclose(one.axes()[0, :, 0], [0, 1, 0], atol=1e-7)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_colours_are_scipys_harmonics(degree):
    gaussians = make_gaussians(40, degree)
    directions = _directions(40)
    basis = _real_harmonics(directions)[:, : (degree + 1) ** 2]
    sums = np.einsum("nk,nkc->nc", basis, gaussians.harmonics.double().numpy())
    expected = np.maximum(sums + 0.5, 0)
    assert (expected == 0).any()
    found = gaussians.colours(torch.from_numpy(directions))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_the_compiled_basis_and_colour_are_scipys():
    gaussians = make_gaussians(20, 3)
    for direction, harmonics in zip(_directions(20), gaussians.harmonics.double(), strict=True):
        basis, rgb = np.empty(16), np.zeros(3)
        harmonic_basis(*direction, 16, basis)
        expected = _real_harmonics(direction[None])[0]
        np.testing.assert_allclose(basis, expected, atol=1e-12)
        add_colour(2.0, harmonics.numpy(), *direction, basis, rgb)
        np.testing.assert_allclose(rgb, 2 * np.maximum(expected @ harmonics.numpy() + 0.5, 0))


def test_degree_0_alone_is_the_plain_colour():
    colour = torch.tensor([[0.2, 0.7, 1.0]])
    one = make_gaussians(1)
    plain = Gaussians(
        positions=one.positions,
        scales=one.scales,
        rotations=one.rotations,
        opacities=one.opacities,
        harmonics=((colour - 0.5) / 0.28209479)[:, None],
    )
    found = plain.colours(torch.tensor([[0.0, 0.0, 1.0]]))
    torch.testing.assert_close(found, colour, atol=1e-6, rtol=0)


def test_flat_gaussians_get_a_thousandth_of_their_length():
    scales = thickened(torch.tensor([[2.0, 0.0, 1.0], [1.0, 1.0, 0.5]]))
    torch.testing.assert_close(scales, torch.tensor([[2.0, 0.002, 1.0], [1.0, 1.0, 0.5]]))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("scales", torch.ones(4, 3), r"scales \[5, 3\], got \[4, 3\]"),
        ("harmonics", torch.zeros(5, 5, 3), r"1 \| 4 \| 9 \| 16"),
        ("opacities", torch.full((5,), torch.nan), "opacities of the Gaussians hold NaN"),
        ("scales", torch.zeros(5, 3), "positive scales"),
        ("rotations", torch.ones(5, 4), "unit quaternions"),
    ],
)
def test_gaussians_that_cannot_be_are_refused(part, value, message):
    g = make_gaussians(5)
    parts = {k: getattr(g, k) for k in ("positions", "scales", "rotations", "opacities")}
    with pytest.raises(ValueError, match=message):
        Gaussians(**{**parts, "harmonics": g.harmonics, part: value})
