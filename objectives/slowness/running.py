"""Running moments of outputs, and the loss whose gradient is that of slowness at these moments."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..across_ranks import mean_of_rows, second_moment


class RunningMoments(nn.Module):
    """Running mean and second moment of outputs and of their change: float64, no gradient."""

    def __init__(self, outputs: int, *, memory: float = 0.99, epsilon: float = 1e-6) -> None:
        """Start empty: the first update takes the batch as it is."""
        super().__init__()
        self.memory = memory
        self.epsilon = epsilon
        self.mean: Tensor
        self.second: Tensor
        self.rate: Tensor
        self.updates: Tensor
        self.register_buffer("mean", torch.zeros(outputs, dtype=torch.float64))
        self.register_buffer("second", torch.eye(outputs, dtype=torch.float64))
        self.register_buffer("rate", torch.zeros(outputs, outputs, dtype=torch.float64))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(
        self,
        values: Float[Tensor, "frames output"],
        change: Float[Tensor, "pairs output"],
        *,
        centred: bool = False,
    ) -> None:
        """Blend in a batch, with the share ``min(memory, n / (n + 10))`` kept at update n.

        Args:
            values: outputs; if ``centred`` they are deviations from the mean of their clip.
            change: differences of neighbouring frames.
            centred: leave the running mean at 0.
        """
        kept = min(self.memory, int(self.updates) / (int(self.updates) + 10))
        values, change = values.to(self.second.dtype), change.to(self.second.dtype)
        if not centred:
            self.mean.lerp_(mean_of_rows(values), 1 - kept)
        self.second.lerp_(second_moment(values), 1 - kept)
        self.rate.lerp_(second_moment(change), 1 - kept)
        self.updates += 1

    def precision(self) -> Float[Tensor, "output output"]:
        """Return ``P = (S - m m^T + epsilon I)^-1``."""
        eye = torch.eye(len(self.mean), dtype=self.mean.dtype, device=self.mean.device)
        covariance = self.second - torch.outer(self.mean, self.mean) + self.epsilon * eye
        return torch.linalg.inv(covariance)

    def slowness(self) -> Float[Tensor, ""]:
        """Return ``tr(P A)``, the sum of the outputs' deltas."""
        return (self.precision() * self.rate).sum()


def slowness_surrogate(
    values: Float[Tensor, "frames output"],
    change: Float[Tensor, "pairs output"],
    moments: RunningMoments,
    *,
    penalty: float = 0.1,
) -> Float[Tensor, ""]:
    """Return a scalar whose gradient is that of ``tr(C^-1 A)`` at the running C and A.

    ``d tr(C^-1 A) = tr(P dA) - tr(G dC)`` with ``P = C^-1`` and ``G = P A P``. Both are taken from
    the running moments, as constants, so that small batches estimate only dA and dC. So is the
    S - I of the penalty's ``d mean((S - I)^2) = 2 tr((S - I) dS) / k^2``: the square of a small
    batch's own S - I is mostly noise, and pulls the outputs to 0. The value itself means nothing:
    look at ``RunningMoments.slowness``.

    Args:
        values: outputs of a batch; deviations from clip means where the running mean is left at 0.
        change: differences of neighbouring frames of the same batch.
        moments: running moments, usually already updated with this batch.
        penalty: weight of ``mean((S - I)^2)`` of the second moment S.
    """
    precision = moments.precision()
    weight = (precision @ moments.rate @ precision).to(values.dtype)
    centred = values - moments.mean.to(values.dtype)
    second = second_moment(values)
    rate = second_moment(change)
    covariance = second_moment(centred)
    off_unit = moments.second - torch.eye(len(weight), dtype=torch.float64, device=weight.device)
    pull = 2 * penalty * off_unit.to(values.dtype) / off_unit.numel()
    trace = (precision.to(values.dtype) * rate).sum() - (weight * covariance).sum()
    return trace + (pull * second).sum()


class RunningStandard(nn.Module):
    """Running standardisation of each channel, without gradient: it conditions what follows.

    Trained on ill-conditioned inputs, deep slow feature analysis hardly converges.
    """

    def __init__(self, channels: int, *, memory: float = 0.99, epsilon: float = 1e-6) -> None:
        """Start empty: the first update takes the batch as it is."""
        super().__init__()
        self.memory = memory
        self.epsilon = epsilon
        self.mean: Tensor
        self.second: Tensor
        self.updates: Tensor
        self.register_buffer("mean", torch.zeros(channels, dtype=torch.float64))
        self.register_buffer("second", torch.ones(channels, dtype=torch.float64))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, values: Float[Tensor, "frames channel"]) -> None:
        """Blend in the mean and the second moment of a batch."""
        kept = min(self.memory, int(self.updates) / (int(self.updates) + 10))
        values = values.to(self.mean.dtype)
        self.mean.lerp_(mean_of_rows(values), 1 - kept)
        self.second.lerp_(mean_of_rows(values.square()), 1 - kept)
        self.updates += 1

    def forward(
        self, values: Float[Tensor, "batch time channel"]
    ) -> Float[Tensor, "batch time channel"]:
        """Return values with about zero mean and unit variance in each channel."""
        variance = (self.second - self.mean.square()).clamp_min(0)
        gain = (variance + self.epsilon).rsqrt().to(values.dtype)
        return (values - self.mean.to(values.dtype)) * gain
