"""How slow features are on clips they were not trained on, beside floors."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..objective import Batch, EncoderLike, frame_rate_hz_of, pairs_of_steps, valid_pairs_of
from ..spread import effective_rank, feature_std
from .closed_form import fit_sfa, measure_delta
from .slow_features import Covariance, eta_hz

LINEAR_RANK_TOLERANCE = 1e-4
"""Principal directions of pooled features below this share of variance are noise at small size."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What an encoder made of a set of clips; every list has one array for each clip."""

    pooled: list[np.ndarray]
    """``[time, channel]``; a time step may stand for several frames."""
    outputs: list[np.ndarray]
    """``[time, output]``."""
    pairs: list[np.ndarray]
    """bool ``[time - 1]``: which neighbouring time steps of the features may be compared."""
    pixel_delta: float
    """Mean squared change of the pixels over their variance within clips."""
    frame_rate_hz: float | None
    """Of the features."""
    pixel_rate_hz: float | None
    """Of the clips."""


@torch.no_grad()
def gather(
    encoder: EncoderLike, outputs_of: Callable[[Tensor], Tensor], batches: Iterable[Batch]
) -> Gathered:
    """Return features and outputs of all clips."""
    pooled, outputs, pairs = [], [], []
    change, variance, rate, frames_per_step = [], [], None, 1
    for clips, truth in batches:
        features = encoder(clips)
        frames_per_step = getattr(features, "frames_per_step", 1)
        pooled += list(features.pooled.double().cpu().numpy())
        outputs += list(outputs_of(features.pooled).double().cpu().numpy())
        valid = valid_pairs_of(clips, truth)
        pairs += list(pairs_of_steps(valid, frames_per_step).cpu().numpy())
        change += (clips[:, :, 1:] - clips[:, :, :-1]).square().mean((1, 3, 4, 5))[valid].tolist()
        variance += clips.var(dim=2, correction=0).mean((1, 2, 3, 4)).tolist()
        rate = frame_rate_hz_of(truth)
    if not pooled:
        raise ValueError("expected at least one batch of clips to evaluate on, got none")
    still = float(np.mean(variance)) == 0
    return Gathered(
        pooled=pooled,
        outputs=outputs,
        pairs=pairs,
        pixel_delta=float("nan") if still else float(np.mean(change) / np.mean(variance)),
        frame_rate_hz=None if rate is None else rate / frames_per_step,
        pixel_rate_hz=rate,
    )


def report_slowness(
    encoder: EncoderLike,
    outputs_of: Callable[[Tensor], Tensor],
    training: Iterable[Batch],
    held_out: Iterable[Batch],
    *,
    covariance: Covariance = "within",
) -> dict[str, float]:
    """Return the slowness of held-out features.

    Everything that is fitted (the rotation of the outputs, the linear readout of the pooled
    features) is fitted on training clips and measured on held-out ones.

    Returns:
        ``delta``: mean delta of the outputs (lower is slower), and ``eta_hz``, its speed;
        ``delta_1``, ``delta_2`` ..: delta of each output, in the order of training slowness, and
        ``eta_1_hz`` ..;
        ``delta_linear``: the same number of features, read linearly from the pooled features;
        ``delta_pixels``: the floor of the raw pixels, with ``eta_pixels_hz``;
        ``effective_rank`` and ``feature_std`` of the pooled features;
        ``clip_identity``: share of the outputs' variance that is which clip it is.
        Speeds are left out where the frame rate is unknown.
    """
    fit_on = gather(encoder, outputs_of, training)
    test = gather(encoder, outputs_of, held_out)
    outputs = fit_on.outputs[0].shape[1]
    rotated, deltas = _held_out_deltas(fit_on.outputs, fit_on, test, test.outputs, covariance)
    _, linear = _held_out_deltas(
        fit_on.pooled, fit_on, test, test.pooled, covariance, outputs=outputs
    )
    report = {"delta": float(deltas.mean()), "delta_linear": float(linear.mean())}
    report["delta_pixels"] = test.pixel_delta
    report |= {f"delta_{i + 1}": float(delta) for i, delta in enumerate(deltas)}
    report |= _speeds(report, test)
    pooled = torch.from_numpy(np.concatenate(test.pooled))
    report["effective_rank"] = float(effective_rank(pooled))
    report["feature_std"] = float(feature_std(pooled))
    report["clip_identity"] = _between_share(rotated)
    return report


def _speeds(report: dict[str, float], test: Gathered) -> dict[str, float]:
    """Return eta in Hz for each delta of a report; nothing where the frame rate is unknown."""
    if test.frame_rate_hz is None or test.pixel_rate_hz is None:
        return {}
    rate_hz = dict.fromkeys(report, test.frame_rate_hz) | {"delta_pixels": test.pixel_rate_hz}
    return {
        f"{name.replace('delta', 'eta')}_hz": float(eta_hz(delta, rate_hz[name]))
        for name, delta in report.items()
    }


def _held_out_deltas(
    fit_signals: list[np.ndarray],
    fit_on: Gathered,
    test: Gathered,
    test_signals: list[np.ndarray],
    covariance: Covariance,
    *,
    outputs: int | None = None,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the features of held-out clips and their deltas, by a fit on training clips."""
    tolerance = 1e-12 if outputs is None else LINEAR_RANK_TOLERANCE
    fit = fit_sfa(
        fit_signals, covariance=covariance, valid_pairs=fit_on.pairs, rank_tolerance=tolerance
    )
    rotated = [fit(clip)[:, :outputs] for clip in test_signals]
    return rotated, measure_delta(rotated, covariance=covariance, valid_pairs=test.pairs)


def _between_share(features: list[np.ndarray]) -> float:
    """Return the mean over features of the variance of clip means over all variance."""
    means = np.stack([clip.mean(axis=0) for clip in features])
    return float(np.mean(means.var(axis=0) / np.concatenate(features).var(axis=0)))
