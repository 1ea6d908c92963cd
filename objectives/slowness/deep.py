"""Deep slow feature analysis: learn features whose outputs change as little as they can.

The loss is ``tr(C^-1 A)`` of k outputs, with C their covariance and A the second moment of their
change from frame to frame. Over linear maps its minimum is the sum of the k smallest generalised
eigenvalues (Ky Fan 1949), the deltas of closed-form slow feature analysis.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..objective import (
    Batch,
    EncoderLike,
    FeatureShapes,
    Truth,
    frame_rate_hz_of,
    frames_in_pairs,
    pairs_of_steps,
    valid_pairs_of,
)
from ..spread import effective_rank
from .closed_form import Covariance, eta_hz
from .held_out import report_slowness


@dataclass(frozen=True, kw_only=True)
class SlownessConfig:
    """Settings of ``Slowness``."""

    outputs: int = 8
    """How many slow features to learn."""
    covariance: Covariance = "within"
    """Variance within clips, or total. With short clips the total variance is mostly which clip
    it is, and so are the slowest features."""
    penalty: float = 1e-2
    """Weight of ``mean((S - I)^2)``, which keeps the outputs at a scale of 1. The trace itself
    does not change under any invertible mixing of the outputs."""
    epsilon: float = 1e-6
    """Added to the diagonal of C before it is inverted."""
    memory: float = 0.99
    """Largest share of the running moments that a step keeps."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.outputs < 1:
            raise ValueError(f"expected at least 1 output, got {self.outputs}")
        if self.covariance not in ("within", "total"):
            raise ValueError(f"expected covariance 'within' or 'total', got {self.covariance!r}")
        if not 0 <= self.memory < 1:
            raise ValueError(f"expected a memory in [0, 1), got {self.memory}")
        if self.penalty < 0 or self.epsilon < 0:
            raise ValueError(f"expected penalty and epsilon of at least 0, got {self}")


class Slowness(nn.Module):
    """Deep slow feature analysis on an encoder's pooled features."""

    def __init__(self, config: SlownessConfig, shapes: FeatureShapes) -> None:
        """Draw the linear map from pooled features to outputs from torch's random state."""
        super().__init__()
        self.config = config
        self.frames_per_step = shapes.frames_per_step
        self.standardise = RunningStandard(shapes.pooled_channels, memory=config.memory)
        self.project = nn.Linear(shapes.pooled_channels, config.outputs, bias=False)
        nn.init.orthogonal_(self.project.weight)
        self.moments = RunningMoments(config.outputs, memory=config.memory, epsilon=config.epsilon)

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the surrogate loss, whose gradient is that of ``tr(C^-1 A)``, and measures."""
        pairs = pairs_of_steps(valid_pairs_of(clips, truth), self.frames_per_step)
        used = frames_in_pairs(pairs)
        pooled = encoder(clips).pooled
        if self.training:
            self.standardise.update(pooled[used])
        outputs = self.outputs_of(pooled)
        change = (outputs[:, 1:] - outputs[:, :-1])[pairs]
        values = (outputs - _clip_means(outputs, used))[used] if self._within else outputs[used]
        if self.training:
            self.moments.update(values, change, centred=self._within)
        loss = slowness_surrogate(values, change, self.moments, penalty=self.config.penalty)
        return loss, self._measures(pooled[used], truth)

    def outputs_of(
        self, pooled: Float[Tensor, "batch time channel"]
    ) -> Float[Tensor, "batch time output"]:
        """Return the learned outputs, in no particular order, of pooled features."""
        return self.project(self.standardise(pooled))

    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return held-out slowness, with the outputs rotated by closed-form SFA on training clips.

        See ``report_slowness`` for the names.
        """
        return report_slowness(
            encoder, self.outputs_of, training, held_out, covariance=self.config.covariance
        )

    @property
    def _within(self) -> bool:
        return self.config.covariance == "within"

    @torch.no_grad()
    def _measures(self, pooled: Tensor, truth: Truth) -> dict[str, Tensor]:
        slowness = self.moments.slowness()
        measures = {
            "slowness": slowness,
            "effective_rank": effective_rank(pooled),
            "feature_std": pooled.std(dim=0).mean(),
        }
        frame_rate_hz = frame_rate_hz_of(truth)
        if frame_rate_hz is not None:
            speed = eta_hz(float(slowness) / self.config.outputs, frame_rate_hz)
            measures["eta_hz"] = torch.tensor(float(speed))
        return measures


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
            self.mean.lerp_(values.mean(dim=0), 1 - kept)
        self.second.lerp_(values.T @ values / len(values), 1 - kept)
        self.rate.lerp_(change.T @ change / len(change), 1 - kept)
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
    penalty: float = 1e-2,
) -> Float[Tensor, ""]:
    """Return a scalar whose gradient is that of ``tr(C^-1 A)`` at the running C and A.

    ``d tr(C^-1 A) = tr(P dA) - tr(G dC)`` with ``P = C^-1`` and ``G = P A P``. Both are taken from
    the running moments, as constants, so that small batches estimate only dA and dC. The value
    itself means nothing: look at ``RunningMoments.slowness``.

    Args:
        values: outputs of a batch; deviations from clip means where the running mean is left at 0.
        change: differences of neighbouring frames of the same batch.
        moments: running moments, usually already updated with this batch.
        penalty: weight of ``mean((S - I)^2)`` of the batch's second moment S.
    """
    precision = moments.precision()
    weight = (precision @ moments.rate @ precision).to(values.dtype)
    centred = values - moments.mean.to(values.dtype)
    second = values.T @ values / len(values)
    rate = change.T @ change / len(change)
    covariance = centred.T @ centred / len(values)
    off_unit = second - torch.eye(values.shape[1], dtype=values.dtype, device=values.device)
    trace = (precision.to(values.dtype) * rate).sum() - (weight * covariance).sum()
    return trace + penalty * off_unit.square().mean()


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
        self.mean.lerp_(values.mean(dim=0), 1 - kept)
        self.second.lerp_(values.square().mean(dim=0), 1 - kept)
        self.updates += 1

    def forward(
        self, values: Float[Tensor, "batch time channel"]
    ) -> Float[Tensor, "batch time channel"]:
        """Return values with about zero mean and unit variance in each channel."""
        variance = (self.second - self.mean.square()).clamp_min(0)
        gain = (variance + self.epsilon).rsqrt().to(values.dtype)
        return (values - self.mean.to(values.dtype)) * gain


def _clip_means(
    outputs: Float[Tensor, "batch time output"], used: Tensor
) -> Float[Tensor, "batch 1 output"]:
    """Return the mean of each clip over the frames that are used."""
    weight = used.unsqueeze(-1).to(outputs.dtype)
    total = (outputs * weight).sum(dim=1, keepdim=True)
    return total / weight.sum(dim=1, keepdim=True).clamp_min(1)
