import numpy as np
import pytest
import torch
from merkwelt.render.nerfacto import march_loops, proposal_loops, shading_loops
from merkwelt.scenes import proposal_sampling as reference
from merkwelt.scenes.spherical_harmonics import spherical_harmonics


@pytest.mark.parametrize("kind", ["random", "one_peak", "empty"])
def test_resampling_equals_the_torch_reference(kind):
    rng = np.random.default_rng(2)
    weights = np.zeros((6, 64), dtype=np.float32)
    if kind == "random":
        weights = rng.dirichlet(np.full(64, 0.3), 6).astype("f")
    elif kind == "one_peak":
        weights[np.arange(6), [0, 1, 20, 40, 62, 63]] = 1
    edges = np.sort(rng.random((6, 65)), axis=1).astype("f")
    expected = reference.resample(torch.from_numpy(edges), torch.from_numpy(weights), 24).numpy()
    out = np.empty(25, dtype=np.float32)
    for ray in range(6):
        proposal_loops.resample(edges[ray], weights[ray], 64, 24, out)
        # Round-off of the cumulated weights, over the smallest share 0.01 / 1.64 of an interval.
        np.testing.assert_allclose(out, expected[ray], atol=2e-5)


def test_distances_equal_the_torch_reference():
    spacing = np.linspace(0, 0.9995, 41).astype("f")
    out = np.empty_like(spacing)
    proposal_loops.distances(spacing, len(spacing), out)
    expected = reference.distance_from_spacing(torch.from_numpy(spacing)).numpy()
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_harmonics_equal_the_torch_reference():
    directions = np.random.default_rng(3).standard_normal((50, 3)).astype("f")
    expected = spherical_harmonics((torch.from_numpy(directions) + 1) / 2).numpy()
    out = np.empty(16, dtype=np.float32)
    for direction, row in zip(directions, expected, strict=True):
        shading_loops.spherical_harmonics(direction, out)
        np.testing.assert_allclose(out, row, rtol=2e-5, atol=1e-5)


def test_spent_rays_drop_out_and_the_others_keep_their_order():
    light = np.array([0.5, 0, 1, 1e-8, 0.1], dtype=np.float32)
    alive = np.arange(5)
    assert march_loops.keep_lit(alive, 5, light) == 3
    assert alive[:3].tolist() == [0, 2, 4]
