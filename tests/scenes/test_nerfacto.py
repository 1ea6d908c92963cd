"""The pieces of nerfacto against slow, independent arithmetic."""

import math

import numpy as np
import pytest
import torch
from merkwelt.scenes.hash_grid import hash_encode, level_resolutions
from merkwelt.scenes.proposal_sampling import (
    contract,
    distance_from_spacing,
    resample,
    spacing_from_distance,
    weights_from_density,
)
from merkwelt.scenes.spherical_harmonics import spherical_harmonics
from scipy.special import sph_harm_y


def _reference_hash(position, table, resolutions):
    size = len(table) // len(resolutions)
    out = []
    for level, resolution in enumerate(resolutions):
        scaled = position * resolution
        low = np.floor(scaled)
        total = np.zeros(table.shape[1])
        for corner in np.ndindex(2, 2, 2):
            cell = [int(low[a]) + corner[a] for a in range(3)]
            share = np.prod(
                [scaled[a] - low[a] if corner[a] else 1 - (scaled[a] - low[a]) for a in range(3)]
            )
            key = cell[0] ^ (cell[1] * 2654435761) ^ (cell[2] * 805459861)
            total += share * table[level * size + key % size]
        out.append(total)
    return np.concatenate(out)


def test_hash_encoding_agrees_with_a_loop_over_corners():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(3 * 64, 2))
    resolutions = level_resolutions(3, 4, 37)
    positions = rng.uniform(0, 1, (20, 3))
    expected = [_reference_hash(p, table, resolutions.numpy()) for p in positions]
    found = hash_encode(torch.from_numpy(positions), torch.from_numpy(table), resolutions.double())
    np.testing.assert_allclose(found.numpy(), np.stack(expected), atol=1e-12)


def test_resolutions_grow_geometrically_between_their_ends():
    levels = level_resolutions(16, 16, 1024)
    assert levels[0] == 16
    assert levels[-1] in (1023, 1024)
    ratios = (levels[1:] / levels[:-1]).numpy()
    np.testing.assert_allclose(ratios, 64 ** (1 / 15), rtol=0.06)


def test_harmonics_are_scipys_up_to_sign_convention():
    rng = np.random.default_rng(1)
    d = rng.normal(size=(30, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    theta, phi = np.arccos(d[:, 2]), np.arctan2(d[:, 1], d[:, 0])
    columns = []
    for degree in range(4):
        for order in range(-degree, degree + 1):
            y = sph_harm_y(degree, abs(order), theta, phi)
            real = y.real if order >= 0 else y.imag
            columns.append(real * (math.sqrt(2) * (-1) ** order if order else 1))
    found = spherical_harmonics(torch.from_numpy(d)).numpy()
    np.testing.assert_allclose(found, np.stack(columns, axis=1), atol=1e-12)


def test_contraction_keeps_the_cube_and_bounds_the_rest():
    inside = torch.tensor([[0.3, -0.9, 0.5]])
    assert torch.equal(contract(inside), inside)
    far = contract(torch.tensor([[1000.0, 10.0, 0.0], [0.0, -2.0, 1.0]]))
    assert float(far.abs().max()) < 2
    torch.testing.assert_close(far[1], torch.tensor([0.0, -1.5, 0.75]))


def test_spacing_is_inverted():
    distance = torch.tensor([0.0, 0.2, 0.99, 1.0, 3.0, 900.0], dtype=torch.float64)
    torch.testing.assert_close(distance_from_spacing(spacing_from_distance(distance)), distance)


def test_weights_are_those_of_a_fog_in_closed_form():
    edges = torch.linspace(0, 2, 201, dtype=torch.float64)[None]
    weights = weights_from_density(torch.full((1, 200), 1.5, dtype=torch.float64), edges)
    assert float(weights.sum()) == pytest.approx(1 - math.exp(-3.0), abs=1e-12)
    middle = (edges[:, 1:] + edges[:, :-1]) / 2
    mean = float((weights * middle).sum() / weights.sum())
    expected = 1 / 1.5 - 2 * math.exp(-3.0) / (1 - math.exp(-3.0))
    assert mean == pytest.approx(expected, abs=1e-4)


def test_resampling_even_weights_gives_even_edges_and_a_peak_draws_them():
    spacing = torch.linspace(0, 1, 11, dtype=torch.float64)[None]
    even = resample(spacing, torch.ones(1, 10, dtype=torch.float64), 4)
    torch.testing.assert_close(even[0], torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9]).double())
    peak = torch.zeros(1, 10, dtype=torch.float64)
    peak[0, 6] = 1.0
    drawn = resample(spacing, peak, 20)[0]
    assert ((drawn > 0.6) & (drawn < 0.7)).sum() >= 18
    assert bool((drawn[1:] >= drawn[:-1]).all())
