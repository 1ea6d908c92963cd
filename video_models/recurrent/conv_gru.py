"""A gated recurrent unit on maps (ConvGRU; Ballas et al. 2016, arXiv 1511.06432)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ConvGRUCell(nn.Module):
    """One convolutional GRU: gates and candidate are convolutions of the input and the state.

    ``u, r = sigmoid(conv([x, h]))``, ``n = tanh(conv([x, r h]))``, ``h <- (1 - u) h + u n``. The
    convolutions of x are separate from those of h, so that all frames can pass them at once.
    """

    def __init__(self, in_channels: int, channels: int, *, size: int = 3) -> None:
        """Draw orthogonal weights; biases start at 0."""
        super().__init__()
        padding = size // 2
        self.channels = channels
        self.from_input = nn.Conv2d(in_channels, 3 * channels, size, padding=padding)
        self.gates_from_state = nn.Conv2d(channels, 2 * channels, size, padding=padding, bias=False)
        self.candidate_from_state = nn.Conv2d(channels, channels, size, padding=padding, bias=False)
        for conv in (self.from_input, self.gates_from_state, self.candidate_from_state):
            for part in conv.weight.split(channels):
                nn.init.orthogonal_(part)
        assert self.from_input.bias is not None
        nn.init.zeros_(self.from_input.bias)

    def drive(self, frames: Float[Tensor, "frames channel h w"]) -> Float[Tensor, "frames all h w"]:
        """Return what frames contribute to update gate, reset gate and candidate, in this order."""
        return self.from_input(frames)

    def forward(
        self, drive: Float[Tensor, "batch all h w"], state: Float[Tensor, "batch channel h w"]
    ) -> Float[Tensor, "batch channel h w"]:
        """Return the next state."""
        to_gates, to_candidate = drive.split([2 * self.channels, self.channels], dim=1)
        update, reset = torch.sigmoid(to_gates + self.gates_from_state(state)).chunk(2, dim=1)
        candidate = torch.tanh(to_candidate + self.candidate_from_state(reset * state))
        return (1 - update) * state + update * candidate


class ConvGRU(nn.Module):
    """A ``ConvGRUCell`` run over the frames of a video, from a state of 0."""

    def __init__(self, in_channels: int, channels: int, *, size: int = 3) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.cell = ConvGRUCell(in_channels, channels, size=size)

    def forward(
        self, video: Float[Tensor, "batch channel time h w"]
    ) -> Float[Tensor, "batch out_channel time h w"]:
        """Return the state after each frame."""
        batch, _, time, *size = video.shape
        drive = self.cell.drive(video.transpose(1, 2).flatten(0, 1)).unflatten(0, (batch, time))
        state = drive.new_zeros(batch, self.cell.channels, *size)
        states = []
        for frame in drive.unbind(1):
            state = self.cell(frame, state)
            states.append(state)
        return torch.stack(states, dim=2)
