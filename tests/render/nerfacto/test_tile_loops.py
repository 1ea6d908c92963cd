import numpy as np
import pytest
from merkwelt.render.nerfacto import tile_loops as tiles


def test_the_exponential_is_single_precision():
    x = np.concatenate([np.linspace(-86, 87, 200_001), np.linspace(-1, 1, 20_001)])
    x = x.astype(np.float32)
    ours = np.array([tiles.exp.py_func(value) for value in x[::97]])
    exact = np.exp(x[::97].astype(np.float64))
    # Half a unit in the last place is 6e-8; argument reduction and the polynomial cost two more.
    assert np.abs(ours / exact - 1).max() < 3e-7


@pytest.mark.parametrize("value", [-1e30, -100.0, 100.0, 1e30])
def test_the_exponential_saturates_instead_of_overflowing(value):
    result = tiles.exp.py_func(np.float32(value))
    assert np.isfinite(result)
    assert result < 1e-37 if value < 0 else result > 1e38


@pytest.mark.parametrize(("inputs", "outputs"), [(4, 4), (12, 16), (32, 64), (64, 8)])
def test_a_layer_is_a_matrix_product(inputs, outputs):
    rng = np.random.default_rng(inputs * outputs)
    x, weight = rng.standard_normal((inputs, 64)), rng.standard_normal((inputs, outputs))
    bias = rng.standard_normal(outputs)
    out = np.empty(outputs * 64, dtype=np.float32)
    flat = [array.astype(np.float32).ravel() for array in (x, weight, bias)]
    tiles.layer(flat[0], inputs, flat[1], flat[2], outputs, out)
    expected = weight.T @ x + bias[:, None]
    # Sums of 64 products of order one, each rounded to 6e-8.
    np.testing.assert_allclose(out.reshape(outputs, 64), expected, atol=2e-5)


def test_light_that_passes_an_interval():
    rng = np.random.default_rng(0)
    raw, width = rng.normal(0, 3, 64).astype("f"), rng.uniform(0, 2, 64).astype("f")
    expected = np.exp(-0.01 * np.exp(raw.astype(float)) * width)
    tiles.transmit(raw, width, np.float32(0.01))
    np.testing.assert_allclose(width, expected, rtol=1e-6)
