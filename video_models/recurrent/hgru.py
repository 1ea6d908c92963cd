"""The horizontal gated recurrent unit (Linsley, Kim, Veerabadran, Windolf & Serre 2018).

A model of the recurrent circuits within one cortical area (arXiv 1805.08315), from its equations.
With X the drive, H the state, ``*`` convolution, products by element and Greek letters one number
for each channel:

    G1 = sigmoid(U1 * H + b1)               which part of the state suppresses
    C1 = norm(W1 * (G1 H))                  what the surround adds up to
    H1 = tanh(X - C1 (alpha H + mu))        the input, suppressed
    G2 = sigmoid(U2 * H1 + b2)              how much of the state is replaced
    C2 = norm(W2 * H1)
    H2 = tanh(kappa H1 + beta C2 + omega H1 C2)     the suppressed input, facilitated
    H <- eta (H (1 - G2) + H2 G2)

Differences from the paper, each for video without end. The norms are of every frame and time step
by itself, where the paper has none and later versions take statistics over the batch.
``eta`` has one number for each time step within a frame, not for each since the start. W1 and W2
may be one kernel, as in the paper, or two, as in the authors' later versions.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..causal_layers import FrameNorm


class HGRUCell(nn.Module):
    """One time step of an hGRU."""

    def __init__(
        self,
        channels: int,
        *,
        kernel: int,
        shared_kernel: bool,
        memory_steps: float,
        steps: int,
        norm_groups: int,
    ) -> None:
        """Draw orthogonal weights, and gate biases for a memory (Tallec & Ollivier 2018).

        Args:
            channels: of drive and state.
            kernel: height and width of the horizontal connections; odd.
            shared_kernel: one kernel for suppression and facilitation.
            memory_steps: biases of ``b2`` are ``-log(uniform(1, memory_steps - 1))``: states last
                up to about that many time steps; above 2. ``b1`` is the opposite, as in the paper.
            steps: time steps for each frame.
            norm_groups: groups of channels that are normalised together.
        """
        super().__init__()
        kernels = 1 if shared_kernel else 2
        weights = torch.empty(kernels, channels, channels, kernel, kernel)
        for weight in weights:
            nn.init.orthogonal_(weight)
        self.horizontal = nn.Parameter(weights)
        self.suppressing_gate = nn.Conv2d(channels, channels, 1)
        self.mixing_gate = nn.Conv2d(channels, channels, 1)
        self.suppression_norm = FrameNorm(channels, norm_groups)
        self.facilitation_norm = FrameNorm(channels, norm_groups)
        self.alpha, self.mu = _each(channels, 0.1), _each(channels, 1.0)
        self.kappa, self.beta, self.omega = (_each(channels, 0.5) for _ in range(3))
        self.eta = nn.Parameter(torch.ones(steps))
        self._start_gates(memory_steps)

    def forward(
        self,
        drive: Float[Tensor, "batch channel h w"],
        state: Float[Tensor, "batch channel h w"],
        step: int = 0,
    ) -> Float[Tensor, "batch channel h w"]:
        """Return the next state; ``step`` counts the time steps within a frame."""
        gain = torch.sigmoid(self.suppressing_gate(state))
        surround = self._normal(self.suppression_norm, self._across(gain * state, 0))
        suppressed = torch.tanh(drive - surround * (self.alpha * state + self.mu))
        mix = torch.sigmoid(self.mixing_gate(suppressed))
        across = self._normal(self.facilitation_norm, self._across(suppressed, -1))
        excited = self.kappa * suppressed + self.beta * across + self.omega * suppressed * across
        return self.eta[step] * (state * (1 - mix) + torch.tanh(excited) * mix)

    def _across(self, maps: Tensor, kernel: int) -> Tensor:
        weight = self.horizontal[kernel]
        return F.conv2d(maps, weight, padding=weight.shape[-1] // 2)

    @staticmethod
    def _normal(norm: FrameNorm, maps: Float[Tensor, "batch channel h w"]) -> Tensor:
        return norm(maps.unsqueeze(2)).squeeze(2)

    @torch.no_grad()
    def _start_gates(self, memory_steps: float) -> None:
        for gate in (self.suppressing_gate, self.mixing_gate):
            nn.init.orthogonal_(gate.weight)
        assert self.suppressing_gate.bias is not None
        assert self.mixing_gate.bias is not None
        memory = torch.empty_like(self.mixing_gate.bias).uniform_(1, memory_steps - 1).log()
        self.suppressing_gate.bias.copy_(memory)
        self.mixing_gate.bias.copy_(-memory)


def _each(channels: int, start: float) -> nn.Parameter:
    """Return one number for each channel of a map."""
    return nn.Parameter(torch.full((channels, 1, 1), start))


class HGRU(nn.Module):
    """An ``HGRUCell`` run over the frames of a video, from a state of 0."""

    def __init__(self, cell: HGRUCell) -> None:
        """Take a cell."""
        super().__init__()
        self.cell = cell

    def forward(
        self, video: Float[Tensor, "batch channel time h w"]
    ) -> Float[Tensor, "batch channel time h w"]:
        """Return the state after the last time step of each frame."""
        state = torch.zeros_like(video[:, :, 0])
        states = []
        for frame in video.unbind(2):
            for step in range(len(self.cell.eta)):
                state = self.cell(frame, state, step)
            states.append(state)
        return torch.stack(states, dim=2)
