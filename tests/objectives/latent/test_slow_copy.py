import pytest
import torch
from merkwelt.objectives.latent.slow_copy import follow_slowly, lag_of, slow_copy
from torch import nn


def _network(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_a_copy_follows_as_the_closed_form_says():
    encoder = _network()
    target = slow_copy(encoder)
    start = [p.detach().clone() for p in encoder.parameters()]
    generator = torch.Generator().manual_seed(0)
    for parameter in encoder.parameters():
        parameter.data.add_(torch.randn(parameter.shape, generator=generator))
    steps, momentum = 25, 0.9
    for _ in range(steps):
        follow_slowly(target, encoder, momentum=momentum)
    kept = momentum**steps
    for first, now, goal in zip(start, target.parameters(), encoder.parameters(), strict=True):
        # 25 roundings of float32.
        torch.testing.assert_close(
            now, kept * first + (1 - kept) * goal.detach(), atol=1e-6, rtol=0
        )


def test_a_copy_follows_a_moving_encoder_as_a_loop_in_float64():
    encoder = _network()
    target = slow_copy(encoder)
    expected = [p.detach().double() for p in encoder.parameters()]
    generator = torch.Generator().manual_seed(1)
    for _ in range(10):
        for parameter in encoder.parameters():
            parameter.data.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        follow_slowly(target, encoder, momentum=0.7)
        expected = [
            0.7 * old + 0.3 * new.detach().double()
            for old, new in zip(expected, encoder.parameters(), strict=True)
        ]
    for now, then in zip(target.parameters(), expected, strict=True):
        torch.testing.assert_close(now.double(), then, atol=1e-6, rtol=0)


def test_buffers_are_taken_as_they_are():
    encoder = _network()
    target = slow_copy(encoder)
    encoder(torch.randn(8, 3))
    follow_slowly(target, encoder, momentum=0.99)
    assert torch.equal(target[1].running_mean, encoder[1].running_mean)
    assert int(target[1].num_batches_tracked) == 1


def test_lag_is_a_relative_distance():
    encoder = _network()
    target = slow_copy(encoder)
    assert float(lag_of(target, encoder)) == 0
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.mul_(2)
    assert float(lag_of(target, encoder)) == pytest.approx(0.5)


def test_a_copy_has_no_gradient_and_shares_nothing():
    encoder = _network()
    target = slow_copy(encoder)
    assert not any(p.requires_grad for p in target.parameters())
    assert all(p.requires_grad for p in encoder.parameters())
    assert not target.training
    assert encoder.training
    for mine, new in zip(target.parameters(), encoder.parameters(), strict=True):
        assert mine.data_ptr() != new.data_ptr()


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="the encoder that was followed from the start"):
        follow_slowly(slow_copy(_network()), nn.Linear(3, 4), momentum=0.9)
