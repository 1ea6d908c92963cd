import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from merkwelt.alignment.scores.ranks import (
    average_ranks,
    spearman,
    spearman_matrix,
    spearman_with_ranked,
    unit_ranks,
)


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


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int16, torch.int32, torch.int64]
)
def test_ranks_of_every_type(dtype):
    maps = (_tied_maps(8) - 10).to(dtype)
    expected = scipy.stats.rankdata(maps.double().numpy(), axis=1)
    np.testing.assert_array_equal(average_ranks(maps).numpy(), expected)


def test_ranks_of_signs_zeros_infinities_and_the_smallest_numbers():
    values = torch.tensor([[0.0, -0.0, 1e-45, -1e-45, torch.inf, -torch.inf, -2.0, 2.0, -0.0]])
    expected = scipy.stats.rankdata(values.numpy(), axis=1)
    np.testing.assert_array_equal(average_ranks(values).numpy(), expected)
    np.testing.assert_array_equal(average_ranks(values.double()).numpy(), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_rows_with_nan_have_no_ranks(dtype, sign):
    values = torch.tensor([[1.0, torch.inf, -torch.inf], [1.0, sign * torch.nan, 2.0]], dtype=dtype)
    values[1, 1] = torch.copysign(values[1, 1], torch.tensor(sign))
    ranks = average_ranks(values)
    assert ranks[0].tolist() == [2, 3, 1]
    assert ranks[1].isnan().all()
    assert unit_ranks(values).isnan().any(dim=1).tolist() == [False, True]


def test_ranks_leave_their_input_alone():
    maps = _tied_maps(9)
    before = maps.clone()
    unit_ranks(maps.t().contiguous().t())
    unit_ranks(maps)
    assert torch.equal(maps, before)


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


def test_ranks_that_were_kept_give_the_same_values():
    first, second = _tied_maps(6, n=70, pixels=50), _tied_maps(7, n=70, pixels=50)
    kept = unit_ranks(second)
    torch.testing.assert_close(
        spearman_with_ranked(first, kept), spearman(first, second), rtol=0, atol=0
    )


def test_maps_of_other_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        spearman(_tied_maps(0), _tied_maps(0)[:, :5])
    assert spearman(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0,)


def test_unit_ranks_of_no_maps():
    assert unit_ranks(torch.zeros(0, 4)).shape == (0, 4)
