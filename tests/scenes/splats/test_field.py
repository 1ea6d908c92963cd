"""The density of Gaussians: against sums over all of them, and what it was defined for."""

import math

import numpy as np
import pytest
import torch
from merkwelt.render.navigation.surfaces import first_hits
from merkwelt.scenes.card import SceneCard
from merkwelt.scenes.field import Field
from merkwelt.scenes.scene import Scene
from merkwelt.scenes.splats import GaussianConfig, GaussianField, Gaussians
from merkwelt.scenes.splats.hierarchy import FAN_OUT, Hierarchy
from scipy.stats import multivariate_normal

from .conftest import covariances, make_gaussians

CONFIG = GaussianConfig(grain=0.03, far=100.0)


def _reference_density(gaussians, points, grain):
    total = np.zeros(len(points))
    scales = np.sort(gaussians.scales.double().numpy(), axis=1)
    for i, covariance in enumerate(covariances(gaussians)):
        depth = -math.log(1 - min(float(gaussians.opacities[i]), 0.99))
        mass = depth * 2 * math.pi * scales[i, 1] * scales[i, 2]
        normal = multivariate_normal(
            gaussians.positions[i].numpy(), covariance + grain**2 * np.eye(3)
        )
        total += mass * normal.pdf(points)
    return total


def _disc(opacity=0.7, grain=0.01):
    """One large disc in the plane z = 0, a tenth as thick as a grain."""
    disc = Gaussians(
        positions=torch.zeros(1, 3),
        scales=torch.tensor([[1.0, 0.8, 0.001]]),
        rotations=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        opacities=torch.tensor([opacity]),
        harmonics=torch.full((1, 1, 3), 1.0),
    )
    return GaussianField(GaussianConfig(grain=grain, far=10.0), disc)


def test_density_is_the_sum_over_all_gaussians():
    gaussians = make_gaussians(200, seed=3)
    field = GaussianField(CONFIG, gaussians)
    points = np.random.default_rng(0).uniform(-0.7, 0.7, (300, 3)).astype(np.float32)
    expected = _reference_density(gaussians, points, CONFIG.grain)
    found = field.density(torch.from_numpy(points)).numpy()
    # What lies beyond four standard deviations is left out: at most exp(-8) of each peak.
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-3 * expected.max())
    assert isinstance(field, Field)


def test_a_ray_through_a_disc_loses_what_the_disc_absorbs():
    field = _disc(opacity=0.7)
    z = torch.linspace(-0.2, 0.2, 4001)
    density = field.density(torch.stack([0 * z, 0 * z, z], dim=1)).double()
    depth = float(torch.trapezoid(density, z.double()))
    assert 1 - math.exp(-depth) == pytest.approx(0.7, abs=2e-4)


def test_the_grain_moves_matter_but_makes_none():
    masses = []
    for grain in (0.02, 0.1):
        field = _disc(grain=grain)
        axes = [np.arange(-w, w, s) for w, s in ((4, 0.1), (4, 0.1), (0.5, grain / 2))]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        cell = 0.1 * 0.1 * grain / 2
        masses.append(float(field.density(torch.from_numpy(points)).sum()) * cell)
    expected = -math.log(0.3) * 2 * math.pi * 0.8
    np.testing.assert_allclose(masses, expected, rtol=2e-3)


def test_colours_are_means_weighted_by_density():
    gaussians = make_gaussians(100, degree=2, seed=5)
    field = GaussianField(CONFIG, gaussians)
    rng = np.random.default_rng(1)
    # Near matter: farther off only what lies beyond four standard deviations would be seen.
    points = gaussians.positions[:40].double().numpy() + rng.normal(0, 0.02, (40, 3))
    directions = rng.normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    density, rgb = field.radiance(torch.from_numpy(points), torch.from_numpy(directions))
    torch.testing.assert_close(density, field.density(torch.from_numpy(points)))
    for point, direction, found in zip(points, directions, rgb, strict=True):
        single = [
            _reference_density(_one(gaussians, i), point[None], CONFIG.grain).item()
            for i in range(100)
        ]
        colours = gaussians.colours(torch.from_numpy(direction).expand(100, 3)).numpy()
        expected = np.average(colours, axis=0, weights=single).clip(0, 1)
        np.testing.assert_allclose(found.numpy(), expected, atol=5e-3)


def _one(g, i):
    names = ("positions", "scales", "rotations", "opacities", "harmonics")
    return Gaussians(**{name: getattr(g, name)[i : i + 1] for name in names})


def test_a_line_of_sight_ends_at_a_wall_of_thin_gaussians():
    y, z = (a.ravel() for a in np.meshgrid(np.arange(-1, 1, 0.05), np.arange(-1, 1, 0.05)))
    n = len(y)
    wall = Gaussians(
        positions=torch.from_numpy(np.stack([0 * y + 3.0, y, z], axis=1)).float(),
        scales=torch.tensor([[0.001, 0.04, 0.04]]).expand(n, 3),
        rotations=torch.tensor([[1.0, 0.0, 0.0, 0.0]]).expand(n, 4),
        opacities=torch.full((n,), 0.9),
        harmonics=torch.zeros(n, 1, 3),
    )
    card = SceneCard(name="wall", licence="x", source="x", field_kind="gaussians")
    scene = Scene(card, GaussianField(GaussianConfig(grain=0.025, far=100.0), wall))
    origins = np.array([[0, 0, 0.0], [0, 0.31, 0.2], [0, 2.5, 0]])
    found = first_hits(scene, origins, np.tile([1.0, 0, 0], (3, 1)), near=0.2, far=8.0)
    np.testing.assert_allclose(found[:2], 3.0, atol=0.08)
    assert np.isnan(found[2])


def test_samples_cover_all_gaussians_and_show_the_disc():
    from merkwelt.render.volume import render_field

    field = _disc(opacity=0.9, grain=0.05)
    origins = torch.tensor([[0.0, 0.0, 3.0], [0.0, 0.0, 30.0]])
    directions = torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
    edges = field.sample_edges(origins, directions)
    assert edges.shape == (2, 257)
    assert bool((edges.diff(dim=1) > 0).all())
    seen = render_field(field, origins, directions)
    assert float(seen[0, 5]) == pytest.approx(0.9, abs=5e-3)
    # The front of a disc as thick as the grain is seen most.
    assert 3.0 - 0.05 < float(seen[0, 3]) < 3.0
    assert float(seen[1, 5]) == 0


def test_every_ball_lies_in_the_spheres_above_it():
    rng = np.random.default_rng(2)
    centres, radii = rng.normal(size=(777, 3)), rng.uniform(0, 0.3, 777)
    tree = Hierarchy.of(centres, radii)
    np.testing.assert_array_equal(np.sort(tree.order), np.arange(777))
    np.testing.assert_array_equal(tree.centres[:777], centres[tree.order])
    assert tree.starts[-1] - tree.starts[-2] == 1
    for level in range(1, len(tree.starts) - 1):
        below = np.arange(tree.starts[level - 1], tree.starts[level])
        above = tree.starts[level] + (below - below[0]) // FAN_OUT
        gap = np.linalg.norm(tree.centres[below] - tree.centres[above], axis=1)
        assert np.all(gap + tree.radii[below] <= tree.radii[above])


def test_a_field_without_gaussians_or_with_other_tensors_is_refused():
    nothing = {k: v[:0] for k, v in _disc().tensors().items()}
    with pytest.raises(ValueError, match="at least one Gaussian"):
        GaussianField.from_tensors(CONFIG, nothing)
    with pytest.raises(ValueError, match=r"found \['boxes'\]"):
        GaussianField.from_tensors(CONFIG, {"boxes": torch.zeros(1)})
    with pytest.raises(ValueError, match="positive grain"):
        GaussianConfig(grain=0.0, far=1.0)
    with pytest.raises(ValueError, match="black or white"):
        GaussianConfig(grain=1.0, far=1.0, background="last_sample")
