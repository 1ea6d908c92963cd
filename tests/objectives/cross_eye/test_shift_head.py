import pytest
import torch
from merkwelt.objectives.cross_eye.shift_head import ShiftHead, moved


def _maps(*, seed=0):
    return torch.randn(2, 3, 4, 9, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_a_certain_shift_takes_that_column(shift):
    left = _maps()
    shares = torch.zeros(2, 5, 4, 9)
    shares[:, 2 + shift] = 1
    right = moved(left, shares)
    for column in range(9):
        # Beyond the border its last column is repeated.
        source = min(max(column + shift, 0), 8)
        assert torch.equal(right[..., column], left[..., source])


def test_half_a_column_is_the_mean_of_two():
    left = _maps()
    shares = torch.zeros(2, 5, 4, 9)
    shares[:, 3:5] = 0.5
    right = moved(left, shares)
    expected = (left[..., 1:-1] + left[..., 2:]) / 2
    torch.testing.assert_close(right[..., :-2], expected)


def test_an_impulse_comes_out_where_the_right_eye_sees_it():
    # What the left eye sees at column 6 with a disparity of 2, the right eye sees at column 4.
    left = torch.zeros(1, 1, 1, 9)
    left[..., 6] = 1
    shares = torch.zeros(1, 5, 1, 9)
    shares[:, 4] = 1
    assert int(moved(left, shares).argmax()) == 4


def test_a_head_starts_close_to_the_identity():
    head, left = ShiftHead(3, largest_shift=4, width=8), _maps()
    shares = head.shares_of(left)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(2, 4, 9))
    assert float(shares[:, 4].min().detach()) > 0.9
    # A twentieth is spread evenly over the other shifts.
    assert float((head(left) - left).abs().mean().detach()) < 0.1


def test_a_head_without_shifts_is_the_identity():
    left = _maps()
    torch.testing.assert_close(ShiftHead(3, largest_shift=0, width=8)(left), left)
