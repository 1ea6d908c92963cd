"""The vanilla NeRF's field and sampler against slow, independent arithmetic."""

import numpy as np
import pytest
import torch
from merkwelt.scenes.vanilla.checkpoint import read_vanilla_checkpoint
from merkwelt.scenes.vanilla.field import VanillaConfig, VanillaField, quantiles
from merkwelt.scenes.vanilla.network import Wiring
from merkwelt.scenes.vanilla.positional_encoding import EncodingConfig

from .nerf_checkpoints import encode, flexible_state, write_checkpoint


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    path = tmp_path_factory.mktemp("nerf") / "checkpoint1.ckpt"
    fine = flexible_state(1)
    fine["fc_alpha.bias"] -= 2.0  # so that there is empty space
    read = read_vanilla_checkpoint(write_checkpoint(path, flexible_state(0), fine))
    config = VanillaConfig(
        coarse=read.coarse, fine=read.fine, near=0.5, far=3.0, coarse_samples=16, fine_samples=32
    )
    return VanillaField(config, read.weights)


def _rays(count):
    generator = torch.Generator().manual_seed(3)
    directions = torch.randn(count, 3, generator=generator)
    directions /= directions.norm(dim=1, keepdim=True)
    return torch.randn(count, 3, generator=generator), directions


@pytest.mark.parametrize(
    ("frequencies", "includes_input", "is_geometric"),
    [(10, True, True), (4, True, True), (5, False, True), (6, True, False), (0, True, True)],
)
def test_the_encoding_is_the_formula(frequencies, includes_input, is_geometric):
    config = EncodingConfig(
        frequencies=frequencies, includes_input=includes_input, is_geometric=is_geometric
    )
    points = np.random.default_rng(0).uniform(-2, 2, (7, 3))
    expected = [encode(p, frequencies, geometric=is_geometric) for p in points]
    found = config.encode(torch.from_numpy(points)).numpy()
    np.testing.assert_allclose(
        found, np.stack(expected)[:, 0 if includes_input else 3 :], atol=1e-9
    )
    assert found.shape[1] == config.size
    assert EncodingConfig.of_size(config.size, is_geometric=is_geometric) == config


@pytest.mark.parametrize("size", [0, -3, 1, 62, 64])
def test_sizes_that_no_encoding_has_are_refused(size):
    with pytest.raises(ValueError, match=f"6 L or 6 L \\+ 3 encoded values, found {size}"):
        EncodingConfig.of_size(size)


def test_quantiles_are_those_of_numpys_inverse_cdf():
    rng = np.random.default_rng(1)
    edges = np.sort(rng.uniform(2, 6, (5, 12)), axis=1)
    weights = rng.uniform(0.01, 1, (5, 11)) ** 4
    found = quantiles(torch.from_numpy(edges), torch.from_numpy(weights), 9).numpy()
    u = (np.arange(9) + 0.5) / 9
    for row in range(5):
        cdf = np.concatenate([[0], np.cumsum(weights[row])]) / weights[row].sum()
        np.testing.assert_allclose(found[row], np.interp(u, cdf, edges[row]), atol=1e-12)


def test_quantiles_of_even_weights_are_even_and_of_a_peak_are_in_it():
    edges = torch.linspace(2, 6, 9, dtype=torch.float64)[None]
    even = quantiles(edges, torch.ones(1, 8, dtype=torch.float64), 4)
    torch.testing.assert_close(even[0], torch.tensor([2.5, 3.5, 4.5, 5.5], dtype=torch.float64))
    peak = torch.full((1, 8), 1e-5, dtype=torch.float64)
    peak[0, 3] = 1.0
    drawn = quantiles(edges, peak, 50)
    assert bool(((drawn > 3.5) & (drawn < 4.0)).all())


def test_samples_lie_between_the_planes_in_order_and_do_not_change(field):
    origins, directions = _rays(50)
    edges = field.sample_edges(origins, directions)
    assert edges.shape == (50, 16 + 32 + 1)
    assert bool((edges[:, 1:] >= edges[:, :-1]).all())
    torch.testing.assert_close(edges[:, 0], torch.full((50,), 0.5))
    torch.testing.assert_close(edges[:, -1], torch.full((50,), 3.0))
    assert torch.equal(edges, field.sample_edges(origins, directions))
    assert torch.equal(edges[7:9], field.sample_edges(origins[7:9], directions[7:9]))


def test_fine_samples_gather_where_the_coarse_network_absorbs(field):
    origins, directions = _rays(200)
    edges = field.sample_edges(origins, directions)
    for ray in range(0, 200, 20):
        # The median of the added edges is the median of the coarse weights, by definition.
        even = np.linspace(0.5, 3.0, 17)
        middle = torch.from_numpy((even[1:] + even[:-1]) / 2).float()
        density = field.coarse.density(origins[ray] + middle[:, None] * directions[ray])
        optical = density.double().numpy() * np.diff(even)
        weight = np.exp(-(np.cumsum(optical) - optical)) * (1 - np.exp(-optical)) + 1e-5
        cdf = np.concatenate([[0], np.cumsum(weight)]) / weight.sum()
        added = np.setdiff1d(edges[ray].numpy(), even.astype(np.float32))
        assert len(added) == 32
        np.testing.assert_allclose(
            np.interp(added, even, cdf), (np.arange(32) + 0.5) / 32, atol=2e-4
        )


def test_bins_can_be_even_in_disparity(field):
    config = VanillaConfig(
        coarse=field.config.coarse,
        fine=field.config.fine,
        near=0.5,
        far=3.0,
        coarse_samples=10,
        fine_samples=0,
        is_linear_in_disparity=True,
    )
    edges = VanillaField(config, field.weights).sample_edges(*_rays(1))[0]
    np.testing.assert_allclose(1 / edges.numpy(), np.linspace(2, 1 / 3, 11), rtol=1e-5)


def test_empty_space_is_black_and_the_rest_is_lit(field):
    points = torch.randn(300, 3, generator=torch.Generator().manual_seed(0))
    density, rgb = field.radiance(points, points / points.norm(dim=1, keepdim=True))
    assert bool((density == 0).any())
    assert bool((density > 0).any())
    assert not rgb[density == 0].any()
    assert bool(((rgb[density > 0] > 0) & (rgb[density > 0] < 1)).all())
    torch.testing.assert_close(density, field.density(points))
    assert field.radiance(points[:0], points[:0])[1].shape == (0, 3)
    assert field.density(points[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"near": 6.0, "far": 2.0}, "0 <= near < far, got near 6.0 and far 2.0"),
        ({"near": -1.0}, "0 <= near < far"),
        ({"far": float("nan")}, "0 <= near < far"),
        ({"far": float("inf")}, "0 <= near < far"),
        ({"coarse_samples": 1}, "at least 2 coarse"),
        ({"fine_samples": -1}, "at least 2 coarse"),
        ({"near": 0.0, "is_linear_in_disparity": True}, "positive near plane"),
    ],
)
def test_configurations_that_cannot_be_are_refused(field, changes, message):
    with pytest.raises(ValueError, match=message):
        VanillaConfig.from_dict({**field.config.to_dict(), **changes})


def test_a_configuration_survives_plain_data(field):
    assert VanillaConfig.from_dict(field.config.to_dict()) == field.config


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("fine.density.weight", lambda w: None, r"fine network.*'density.weight' is missing"),
        (
            "coarse.trunk.2.weight",
            lambda w: w[:, :5],
            r"coarse network.*trunk\.2\.weight.*\[8, 5\]",
        ),
        ("fine.view.0.weight", lambda w: w[:, 1:], r"fine network.*view\.0\.weight"),
        ("fine.colour.bias", lambda w: w * torch.nan, r"colour\.bias.*NaN"),
        ("fine.colour.weight", lambda w: w[:2], r"'colour\.weight' \[3, 4\]"),
    ],
)
def test_weights_that_do_not_fit_are_named(field, name, change, message):
    weights = field.tensors()
    changed = change(weights.pop(name))
    with pytest.raises(ValueError, match=message):
        VanillaField(field.config, weights if changed is None else {**weights, name: changed})


def test_a_network_without_layers_is_refused():
    wiring = Wiring(position=EncodingConfig(frequencies=2), direction=None)
    with pytest.raises(ValueError, match="no layer 'trunk.0'"):
        VanillaField(VanillaConfig(coarse=wiring, fine=wiring, near=1, far=2), {})
