"""The compiled hash encoding against loops, and against nerfstudio's own torch version."""

import itertools
import math

import numpy as np
import pytest
import torch
from merkwelt.scenes.training.environment import nerfstudio_mended
from merkwelt.scenes.training.hash_encoding import CompiledHashEncoding, compiled_hash_encoding

LEVELS, SIZE = 3, 64


def _case(seed=0, count=11):
    generator = torch.Generator().manual_seed(seed)
    positions = torch.rand(count, 3, generator=generator)
    # Corners of cells, where floor and ceiling agree, and both ends of the range.
    positions[0], positions[1], positions[2] = 0.0, 1.0, 0.5
    table = torch.rand(LEVELS * SIZE, 2, generator=generator) * 2 - 1
    scalings = torch.tensor([4.0, 7.0, 13.0])
    gradient = torch.randn(count, 2 * LEVELS, generator=generator)
    return positions, table, scalings, gradient


def _reference_encode(positions, table, scalings):
    """Every sample, level and corner by itself, in Python numbers."""
    rows = []
    for position in positions.double():
        row = []
        for level, scaling in enumerate(scalings.tolist()):
            scaled = [float(c) * scaling for c in position]
            feature = torch.zeros(2, dtype=torch.float64)
            for corner in itertools.product((0, 1), repeat=3):
                x, y, z = (
                    math.ceil(s) if up else math.floor(s)
                    for s, up in zip(scaled, corner, strict=True)
                )
                weight = math.prod(
                    (s - math.floor(s)) if up else 1 - (s - math.floor(s))
                    for s, up in zip(scaled, corner, strict=True)
                )
                entry = (x ^ (y * 2654435761) ^ (z * 805459861)) % SIZE + level * SIZE
                feature = feature + weight * table[entry].double()
            row.append(feature)
        rows.append(torch.cat(row))
    return torch.stack(rows)


def test_values_agree_with_loops():
    positions, table, scalings, _ = _case()
    encoded = CompiledHashEncoding.apply(positions, table, scalings)
    expected = _reference_encode(positions, table, scalings)
    torch.testing.assert_close(encoded.double(), expected, rtol=0, atol=2e-6)


def test_table_gradient_agrees_with_loops():
    positions, table, scalings, gradient = _case()
    table.requires_grad_()
    CompiledHashEncoding.apply(positions, table, scalings).backward(gradient)
    compiled = table.grad
    table.grad = None
    _reference_encode(positions, table, scalings).backward(gradient.double())
    torch.testing.assert_close(compiled, table.grad, rtol=0, atol=5e-6)


def test_position_gradient_agrees_with_differences():
    positions, table, scalings, gradient = _case(count=40)
    positions = positions[3:].requires_grad_()
    gradient = gradient[3:]
    CompiledHashEncoding.apply(positions, table, scalings).backward(gradient)
    step = 1e-6
    expected = np.zeros((len(positions), 3))
    for axis in range(3):
        shift = torch.zeros(3, dtype=torch.float64)
        shift[axis] = step
        ahead, behind = (
            _reference_encode(positions.detach().double() + s, table, scalings)
            for s in (shift, -shift)
        )
        expected[:, axis] = ((ahead - behind) * gradient).sum(dim=1) / (2 * step)
    np.testing.assert_allclose(positions.grad, expected, atol=2e-4)


def test_threads_change_no_bit():
    import numba

    positions, table, scalings, gradient = _case(count=500)
    results = []
    threads = numba.get_num_threads()
    for count in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(count)
        leaf = table.clone().requires_grad_()
        encoded = CompiledHashEncoding.apply(positions, leaf, scalings)
        encoded.backward(gradient)
        results.append((encoded.detach(), leaf.grad))
    numba.set_num_threads(threads)
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


@pytest.mark.needs_nerfstudio
@pytest.mark.slow
def test_nerfstudios_own_version_agrees():
    with nerfstudio_mended():
        from nerfstudio.field_components.encodings import HashEncoding

        encoding = HashEncoding(16, 16, 1024, 17, implementation="torch")
        original = HashEncoding.pytorch_fwd
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            encoding.hash_table.uniform_(-1, 1, generator=generator)
        positions = torch.rand(50, 40, 3, generator=generator, requires_grad=True)
        gradient = torch.randn(50, 40, 32, generator=generator)

        def run():
            encoding.hash_table.grad = positions.grad = None
            encoded = encoding(positions)
            encoded.backward(gradient)
            return encoded.detach(), encoding.hash_table.grad, positions.grad

        expected = run()
        with compiled_hash_encoding(position_gradients=True):
            assert HashEncoding.pytorch_fwd is not original
            found = run()
        with compiled_hash_encoding():
            values, table_gradient, no_gradient = run()
        assert HashEncoding.pytorch_fwd is original
    torch.testing.assert_close(found[0], expected[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(found[1], expected[1], rtol=0, atol=4e-6)
    torch.testing.assert_close(found[2], expected[2], rtol=1e-5, atol=1e-2)
    assert torch.equal(values, found[0])
    assert torch.equal(table_gradient, found[1])
    assert no_gradient is None


@pytest.mark.needs_nerfstudio
@pytest.mark.slow
def test_the_original_comes_back_after_an_error():
    with nerfstudio_mended():
        from nerfstudio.field_components.encodings import HashEncoding

        original = HashEncoding.pytorch_fwd
        with pytest.raises(KeyError), compiled_hash_encoding():
            raise KeyError
        assert HashEncoding.pytorch_fwd is original
        # Other feature counts are left to nerfstudio.
        wide = HashEncoding(2, 4, 8, 8, features_per_level=4, implementation="torch")
        with compiled_hash_encoding():
            assert wide(torch.rand(5, 3)).shape == (5, 8)
