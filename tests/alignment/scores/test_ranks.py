import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from merkwelt.alignment.scores.ranks import average_ranks, spearman, spearman_matrix, unit_ranks


def _tied_maps(seed: int, n: int = 7, pixels: int = 400) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(n, pixels, generator=generator)
    return torch.where(values < 0.6, torch.zeros(()), (values * 20).round())


def test_ranks_by_hand():
    values = torch.tensor([[3.0, 1.0, 3.0, 2.0], [5.0, 5.0, 5.0, 5.0]])
    expected = [[3.5, 1.0, 3.5, 2.0], [2.5, 2.5, 2.5, 2.5]]
    assert average_ranks(values).tolist() == expected


def test_ranks_equal_scipy_with_many_ties():
    maps = _tied_maps(0)
    expected = scipy.stats.rankdata(maps.numpy(), axis=1)
    np.testing.assert_array_equal(average_ranks(maps).numpy(), expected)


def test_ranks_of_integers():
    maps = _tied_maps(1).to(torch.uint8)
    expected = scipy.stats.rankdata(maps.numpy(), axis=1)
    np.testing.assert_array_equal(average_ranks(maps).numpy(), expected)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=30), st.randoms(use_true_random=False))
def test_spearman_equals_scipy(values, random):
    other = [random.randint(-3, 3) for _ in values]
    ours = spearman(torch.tensor([values]), torch.tensor([other])).item()
    if len(set(values)) == 1 or len(set(other)) == 1:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(scipy.stats.spearmanr(values, other).statistic, abs=1e-12)


@pytest.mark.parametrize(("side", "expected"), [(224, 0.0517), (288, 0.0562), (512, 0.0586)])
def test_large_sparse_maps_do_not_overflow(side, expected):
    generator = torch.Generator().manual_seed(0)
    dense = torch.rand(side * side, generator=generator)
    is_zero = torch.rand(side * side, generator=generator) < 0.8
    sparse = torch.where(is_zero, torch.zeros(()), dense)
    ours = spearman(dense[None], sparse[None]).item()
    assert ours == pytest.approx(expected, abs=5e-5)
    assert ours == pytest.approx(scipy.stats.spearmanr(dense, sparse).statistic, abs=1e-12)


def test_spearman_ignores_monotone_changes_and_pixel_order():
    first, second = _tied_maps(2), _tied_maps(3)
    shuffle = torch.randperm(first.shape[1], generator=torch.Generator().manual_seed(0))
    changed = spearman(torch.exp(first[:, shuffle] / 10), 3 * second[:, shuffle] - 7)
    torch.testing.assert_close(changed, spearman(first, second), rtol=0, atol=1e-12)


def test_constant_and_nan_maps_are_nan_and_only_they():
    first, second = _tied_maps(4), _tied_maps(5)
    first[1] = 2.0
    second[3, 17] = torch.nan
    is_nan = spearman(first, second).isnan()
    assert is_nan.tolist() == [False, True, False, True, False, False, False]


def test_matrix_has_row_by_row_values_across_chunks():
    first, second = _tied_maps(6, n=70, pixels=50), _tied_maps(7, n=70, pixels=50)
    matrix = spearman_matrix(first, second)
    torch.testing.assert_close(matrix.diagonal(), spearman(first, second))
    expected = scipy.stats.spearmanr(first[66], second[3]).statistic
    assert matrix[66, 3].item() == pytest.approx(expected, abs=1e-12)


def test_unit_ranks_of_no_maps():
    assert unit_ranks(torch.zeros(0, 4)).shape == (0, 4)
