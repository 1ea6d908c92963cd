import numpy as np
import torch
from merkwelt.render.nerfacto import hash_loops
from merkwelt.scenes.hash_grid import hash_encode
from merkwelt.scenes.proposal_sampling import contract

TILE = 64


def test_rows_keep_both_channels_bit_for_bit():
    table = np.array([[1.5, -0.0], [np.float32(1e-40), -3.25]], dtype=np.float32)
    words = hash_loops.rows_in_words(table)
    assert words.tobytes() == table.tobytes()


def test_look_ups_equal_the_torch_reference():
    rng = np.random.default_rng(1)
    tiles, size = 3, 1 << 10
    resolutions = np.array([16, 37, 90, 512], dtype=np.float32)
    table = rng.standard_normal((4 * size, 2)).astype(np.float32)
    unit = rng.random((3, tiles * TILE)).astype(np.float32)
    unit[:, :5] = [[0, 0.5, 0.25, 0.75, 0.125]] * 3  # On cell faces of some levels.
    features = np.zeros((tiles, 12, TILE), dtype=np.float32)
    flat = features.reshape(-1)
    words = hash_loops.rows_in_words(table)
    hash_loops.encode(unit.ravel(), tiles * TILE, tiles, words, size, 4, resolutions, flat, 12)
    expected = hash_encode(
        torch.from_numpy(unit.T.copy()), torch.from_numpy(table), torch.from_numpy(resolutions)
    ).numpy()
    ours = features[:, :8].transpose(0, 2, 1).reshape(-1, 8)
    # Cell shares of 1/512 carry round-off of 512 * 6e-8 into values of order one.
    np.testing.assert_allclose(ours, expected, atol=2e-4)
    assert not features[:, 8:].any()


def test_places_are_contracted_and_those_out_of_reach_have_no_width():
    origin, direction = np.array([0.1, -0.2, 0.3], "f"), np.array([0.6, 0.0, 0.8], "f")
    edges = np.array([0, 0.5, 1, 4, 100, 1e12], dtype=np.float32)
    x, y, z, width = (np.empty(5, dtype=np.float32) for _ in range(4))
    hash_loops.place(origin, direction, edges, 5, x, y, z, width)
    middle = (edges[:-1] + edges[1:]) / 2
    points = torch.from_numpy(origin + direction * middle[:, None])
    expected = ((contract(points) + 2) / 4).numpy()
    np.testing.assert_allclose(np.stack([x, y, z], 1)[:4], expected[:4], atol=1e-6)
    np.testing.assert_array_equal(width[:4], np.diff(edges)[:4])
    assert width[4] == x[4] == y[4] == z[4] == 0  # Contraction rounds to the cube's very face.
