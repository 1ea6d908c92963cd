"""The parts of tiny-cuda-nn's nerfacto against formulas written out in loops."""

import numpy as np
import pytest
import torch
from merkwelt.scenes.tcnn.grid import TcnnGridConfig, tcnn_encode
from merkwelt.scenes.tcnn.nerfacto import signed_harmonics
from merkwelt.scenes.tcnn.network import TcnnNetworkConfig

from .tcnn_reference import (
    encode,
    grid_size,
    harmonics,
    level_shapes,
    network,
    numbers,
)

GRID = {"levels": 6, "base": 4, "top": 60, "log2_size": 11}
PROPOSAL = {"levels": 5, "base": 16, "top": 64, "log2_size": 13}


def test_a_default_nerfacto_has_the_known_number_of_parameters():
    grid = TcnnGridConfig(levels=16, base_resolution=16, max_resolution=2048, log2_table_size=19)
    network = TcnnNetworkConfig(inputs=32, outputs=16, width=64, hidden_layers=1, padding=0)
    assert grid.parameters == 12_196_240
    assert network.parameters == 3_072
    assert grid.parameters + network.parameters == 12_199_312


@pytest.mark.parametrize("shape", [GRID, PROPOSAL])
def test_levels_are_those_of_the_formula(shape):
    config = _config(shape)
    for found, (scale, resolution, entries) in zip(
        config.shape(), level_shapes(**shape), strict=True
    ):
        assert found.scale == pytest.approx(scale, rel=1e-6)
        assert (found.resolution, found.entries) == (resolution, entries)
        assert found.is_dense == (resolution**3 <= 2 ** shape["log2_size"])
    kinds = {level.is_dense for level in config.shape()}
    assert kinds == {True, False}


def _config(shape):
    return TcnnGridConfig(
        levels=shape["levels"],
        base_resolution=shape["base"],
        max_resolution=shape["top"],
        log2_table_size=shape["log2_size"],
    )


@pytest.mark.parametrize("shape", [GRID, PROPOSAL])
def test_the_grid_is_the_loop_over_levels_and_corners(shape):
    config, flat = _config(shape), numbers(grid_size(shape), 0, 1.0).double()
    tables, start = [], 0
    for level in config.shape():
        tables.append(flat[start : start + 2 * level.entries].view(-1, 2))
        start += 2 * level.entries
    points = np.random.default_rng(0).uniform(0, 1, (20, 3))
    # At and near the faces, where a dense level is read beyond its last place and wraps.
    points[:5] = [[0, 0, 0], [0.9999, 0.9999, 0.9999], [0, 0.9999, 0.5], [1e-4] * 3, [0.5] * 3]
    found = tcnn_encode(torch.from_numpy(points), config.shape(), tables).numpy()
    for point, row in zip(points, found, strict=True):
        expected, used = encode(point, flat, **shape)
        assert used == len(flat) == config.parameters
        # Scales differ in the last bit of a float between the two ways of rounding powers.
        np.testing.assert_allclose(row, expected, atol=2e-4)


@pytest.mark.parametrize(
    ("inputs", "hidden", "padding"), [(10, 1, 1.0), (10, 1, 0.0), (32, 2, 1.0)]
)
def test_a_network_is_the_loop_over_its_rows(inputs, hidden, padding):
    config = TcnnNetworkConfig(
        inputs=inputs, outputs=3, width=16, hidden_layers=hidden, padding=padding
    )
    flat = numbers(config.parameters, 0, 0.5).double()
    values = numbers(4 * inputs, 1, 1.0).double().view(4, inputs)
    found = config.apply(config.split(flat), values.clone()).numpy()
    for row, value in zip(found, values.tolist(), strict=True):
        np.testing.assert_allclose(row, network(value, flat, 16, hidden, 3, padding), atol=1e-12)


def test_harmonics_are_scipys_with_the_condon_shortley_sign():
    d = np.random.default_rng(1).normal(size=(30, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    found = signed_harmonics(torch.from_numpy(d)).numpy()
    np.testing.assert_allclose(found, [harmonics(one) for one in d], atol=1e-12)
