"""One step of each memory against the same equations in numpy."""

import numpy as np
import pytest
import torch
from merkwelt.video_models.recurrent.conv_gru import ConvGRU, ConvGRUCell
from merkwelt.video_models.recurrent.hgru import HGRU, HGRUCell
from merkwelt.video_models.recurrent.hgru_net import HGRUNet, HGRUNetConfig, hgru_linsley2018
from scipy.signal import correlate2d


def _sigmoid(values):
    return 1 / (1 + np.exp(-values))


def _conv(maps, weight, bias=None):
    """Return ``[out, h, w]`` of maps ``[in, h, w]`` and weights ``[out, in, k, k]``."""
    answers = np.stack(
        [
            sum(correlate2d(one, kernel, "same") for one, kernel in zip(maps, filters, strict=True))
            for filters in weight
        ]
    )
    return answers if bias is None else answers + bias[:, None, None]


def _norm(maps, norm):
    grouped = maps.reshape(norm.groups, -1)
    mean, variance = grouped.mean(axis=1), grouped.var(axis=1)
    normal = (grouped - mean[:, None]) / np.sqrt(variance[:, None] + norm.epsilon)
    gain, bias = _numbers(norm.gain), _numbers(norm.bias)
    return normal.reshape(maps.shape) * gain[:, None, None] + bias[:, None, None]


def _numbers(tensor):
    return tensor.detach().numpy()


def _shuffled(module):
    """Return a module with all weights random, so that nothing is 0 or 1 by its start."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator, dtype=weight.dtype))
    return module


def _maps(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def test_a_step_of_the_gru():
    cell = _shuffled(ConvGRUCell(3, 4).double())
    frame, state = _maps(1, 3, 6, 5), _maps(1, 4, 6, 5).flip(-1)
    drive = _conv(frame[0].numpy(), *map(_numbers, (cell.from_input.weight, cell.from_input.bias)))
    before = state[0].numpy()
    gates = drive[:8] + _conv(before, _numbers(cell.gates_from_state.weight))
    update, reset = _sigmoid(gates[:4]), _sigmoid(gates[4:])
    across = _conv(reset * before, _numbers(cell.candidate_from_state.weight))
    expected = (1 - update) * before + update * np.tanh(drive[8:] + across)
    # Both are float64; sums are taken in another order.
    np.testing.assert_allclose(
        _numbers(cell(cell.drive(frame), state))[0], expected, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("shared_kernel", [False, True])
def test_a_step_of_the_hgru(shared_kernel):
    cell = HGRUCell(
        4, kernel=5, shared_kernel=shared_kernel, memory_steps=8.0, steps=2, norm_groups=2
    )
    cell = _shuffled(cell.double())
    drive, state = _maps(1, 4, 6, 7), _maps(1, 4, 6, 7).flip(-1)
    x, h = drive[0].numpy(), state[0].numpy()
    kernels = _numbers(cell.horizontal)
    assert len(kernels) == (1 if shared_kernel else 2)
    alpha, mu, kappa, beta, omega = (
        _numbers(each) for each in (cell.alpha, cell.mu, cell.kappa, cell.beta, cell.omega)
    )
    gates = cell.suppressing_gate, cell.mixing_gate
    g1, g2 = ((_numbers(gate.weight), _numbers(gate.bias)) for gate in gates)
    gain = _sigmoid(_conv(h, *g1))
    c1 = _norm(_conv(gain * h, kernels[0]), cell.suppression_norm)
    h1 = np.tanh(x - c1 * (alpha * h + mu))
    mix = _sigmoid(_conv(h1, *g2))
    c2 = _norm(_conv(h1, kernels[-1]), cell.facilitation_norm)
    h2 = np.tanh(kappa * h1 + beta * c2 + omega * h1 * c2)
    expected = float(cell.eta[1].detach()) * (h * (1 - mix) + h2 * mix)
    np.testing.assert_allclose(_numbers(cell(drive, state, 1))[0], expected, rtol=0, atol=1e-12)


def test_memories_run_over_frames_from_a_state_of_zero():
    video = _maps(2, 4, 3, 6, 5)
    gru = _shuffled(ConvGRU(4, 4).double())
    hgru = _shuffled(
        HGRU(
            HGRUCell(4, kernel=3, shared_kernel=False, memory_steps=8.0, steps=2, norm_groups=2)
        ).double()
    )
    for memory, steps in ((gru, 1), (hgru, 2)):
        state = torch.zeros_like(video[:, :, 0])
        for t in range(3):
            for step in range(steps):
                if memory is gru:
                    state = gru.cell(gru.cell.drive(video[:, :, t]), state)
                else:
                    state = hgru.cell(video[:, :, t], state, step)
            torch.testing.assert_close(memory(video)[:, :, t], state)


def test_gates_start_with_the_memory_asked_for():
    cell = HGRUCell(256, kernel=1, shared_kernel=True, memory_steps=20.0, steps=1, norm_groups=2)
    steps = cell.suppressing_gate.bias.exp()
    assert 1 <= steps.min() < 2
    assert 18 < steps.max() <= 19
    assert torch.equal(cell.mixing_gate.bias, -cell.suppressing_gate.bias)


def test_weights_start_orthogonal():
    cell = ConvGRUCell(8, 8)
    for part in cell.gates_from_state.weight.split(8):
        rows = part.flatten(1)
        torch.testing.assert_close(rows @ rows.T, torch.eye(8), rtol=0, atol=1e-5)


def test_the_published_size_of_the_hgru():
    with torch.device("meta"):
        net = HGRUNet(hgru_linsley2018())
    # Two kernels of 15 x 15 over 32 channels: 0.46 M.
    assert net.horizontal.cell.horizontal.numel() == 2 * 15 * 15 * 32 * 32 == 460_800
    assert sum(p.numel() for p in net.parameters()) == 484_184


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="an odd kernel, got 4"):
        HGRUNetConfig(kernel=4)
    with pytest.raises(ValueError, match="memory_steps above 2, got 2.0"):
        HGRUNetConfig(memory_steps=2.0)
    with pytest.raises(ValueError, match="divisible by norm_groups 4, got readout_width 6"):
        HGRUNetConfig(readout_width=6)
