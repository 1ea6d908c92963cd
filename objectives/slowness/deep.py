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
from ..spread import effective_rank, feature_std
from .closed_form import fit_sfa
from .held_out import gather, report_slowness
from .running import RunningMoments, RunningStandard, slowness_surrogate
from .slow_features import Covariance, eta_hz


@dataclass(frozen=True, kw_only=True)
class SlownessConfig:
    """Settings of ``Slowness``."""

    outputs: int = 8
    """How many slow features to learn."""
    covariance: Covariance = "within"
    """Variance within clips, or total. With short clips the total variance is mostly which clip
    it is, and so are the slowest features."""
    penalty: float = 0.1
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
        self._register_order(config.outputs)

    def _register_order(self, outputs: int) -> None:
        """Make room for what ``finish`` finds."""
        self.centre: Tensor
        self.rotation: Tensor
        self.delta: Tensor
        self.frame_rate_hz: Tensor
        self.is_finished: Tensor
        self.register_buffer("centre", torch.zeros(outputs, dtype=torch.float64))
        self.register_buffer("rotation", torch.eye(outputs, dtype=torch.float64))
        self.register_buffer("delta", torch.zeros(outputs, dtype=torch.float64))
        self.register_buffer("frame_rate_hz", torch.zeros((), dtype=torch.float64))
        self.register_buffer("is_finished", torch.zeros((), dtype=torch.bool))
        self.register_load_state_dict_pre_hook(_without_order)

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

    def slow_features(
        self, pooled: Float[Tensor, "batch time channel"]
    ) -> Float[Tensor, "batch time output"]:
        """Return the learned outputs, rotated: decorrelated, of unit variance, the slowest first.

        Features that collapsed, so that there are fewer than outputs, are 0 and come last.

        Raises:
            RuntimeError: ``finish`` was not called.
        """
        self._require_finished()
        outputs = self.outputs_of(pooled).to(self.rotation.dtype)
        return ((outputs - self.centre) @ self.rotation).to(pooled.dtype)

    def eta_hz(self) -> Float[Tensor, " output"]:
        """Return the speed in Hz of each slow feature, on the clips that ``finish`` saw.

        NaN where a feature collapsed or nobody knew the frame rate.

        Raises:
            RuntimeError: ``finish`` was not called.
        """
        self._require_finished()
        rate = float(self.frame_rate_hz)
        if rate == 0:
            return torch.full_like(self.delta, torch.nan)
        return torch.from_numpy(eta_hz(self.delta.cpu().numpy(), rate)).to(self.delta.device)

    @torch.no_grad()
    def finish(self, encoder: EncoderLike, training: Iterable[Batch]) -> None:
        """Find the rotation of the learned outputs that orders them by slowness.

        It is that of closed-form slow feature analysis of the outputs on these clips; the buffers
        ``centre``, ``rotation``, ``delta`` and ``frame_rate_hz`` (0 if unknown) hold it. Modules
        should be in evaluation mode.
        """
        seen = gather(encoder, self.outputs_of, training)
        fit = fit_sfa(seen.outputs, covariance=self.config.covariance, valid_pairs=seen.pairs)
        kept = len(fit.delta)
        self.centre.copy_(torch.from_numpy(fit.mean))
        self.rotation.zero_()[:, :kept] = torch.from_numpy(fit.weights).to(self.rotation)
        self.delta.fill_(torch.nan)[:kept] = torch.from_numpy(fit.delta).to(self.delta)
        self.frame_rate_hz.fill_(seen.frame_rate_hz or 0.0)
        self.is_finished.fill_(True)

    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return held-out slowness, with the outputs rotated by closed-form SFA on training clips.

        See ``report_slowness`` for the names.
        """
        return report_slowness(
            encoder, self.outputs_of, training, held_out, covariance=self.config.covariance
        )

    def _require_finished(self) -> None:
        if not bool(self.is_finished):
            raise RuntimeError(
                "expected a finished objective, whose outputs are ordered by slowness; call "
                "finish(encoder, training) first, as the training loop does after the last step"
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
            "feature_std": feature_std(pooled),
        }
        frame_rate_hz = frame_rate_hz_of(truth)
        if frame_rate_hz is not None:
            speed = eta_hz(float(slowness) / self.config.outputs, frame_rate_hz)
            measures["eta_hz"] = torch.tensor(float(speed))
        return measures


def _clip_means(
    outputs: Float[Tensor, "batch time output"], used: Tensor
) -> Float[Tensor, "batch 1 output"]:
    """Return the mean of each clip over the frames that are used."""
    weight = used.unsqueeze(-1).to(outputs.dtype)
    total = (outputs * weight).sum(dim=1, keepdim=True)
    return total / weight.sum(dim=1, keepdim=True).clamp_min(1)


def _without_order(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Let weights be loaded that were saved before outputs were ordered: they are not, then."""
    for name in ("centre", "rotation", "delta", "frame_rate_hz"):
        state.setdefault(prefix + name, getattr(module, name))
    # The module's own order, if it has one, is that of other weights.
    is_finished = prefix + "is_finished"
    if is_finished not in state:
        state[is_finished] = torch.zeros((), dtype=torch.bool)
