"""Signs of collapse in features, whatever the objective: what a loss that falls may hide."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..objectives.objective import Batch, EncoderLike
from ..objectives.spread import effective_rank

DEAD = 1e-3
"""A feature is dead if it varies by less than this share of the features' root mean square."""
LEAST_RANK = 1.5
MOST_DEAD = 0.9
MOST_CORRELATION = 0.95
RIDGE = 1e-3
"""Of the fit of luminance, as a share of the features' mean variance."""
NO_GRADIENT = (
    "the gradient of all weights is exactly 0, so nothing is learned: no unit that the loss "
    "depends on is above 0 any more; begin again with a lower optimiser.learning_rate or another "
    "seed"
)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """How the features of held-out clips are spread."""

    measures: dict[str, float]
    spectrum: list[float]
    """Shares of variance along the principal directions, descending."""
    collapse: str | None
    """What is wrong, if anything."""


@torch.no_grad()
def diagnose(
    encoder: EncoderLike, training: Sequence[Batch], held_out: Sequence[Batch]
) -> Diagnosis:
    """Return how the pooled features of held-out clips are spread.

    Args:
        encoder: in evaluation mode.
        training: clips on which the luminance is fitted.
        held_out: all else is measured on these.

    Measures:
        ``effective_rank`` of the centred features; ``feature_std_min``, ``feature_std_median``
        over features; ``dead_share``, the share of features that hardly vary;
        ``mean_abs_correlation`` between different features that are not dead;
        ``clip_identity``, the share of variance that is which clip it is;
        ``luminance_r2``, how well a linear map from features, fitted on training clips, tells the
        mean luminance of a frame: 1 if the features are pixels' leftovers.
    """
    clips, light = _pooled(encoder, held_out)
    rows = clips.flatten(0, 1)
    spread = rows.std(dim=0, correction=0)
    dead = spread <= DEAD * rows.square().mean().sqrt()
    measures = {
        "effective_rank": float(effective_rank(rows)),
        "feature_std_min": float(spread.min()),
        "feature_std_median": float(spread.median()),
        "dead_share": float(dead.double().mean()),
        "mean_abs_correlation": mean_abs_correlation(rows[:, ~dead]),
        "clip_identity": clip_identity(clips),
    }
    if training:
        fitted, their_light = _pooled(encoder, training)
        measures["luminance_r2"] = linear_r2(
            fitted.flatten(0, 1), their_light.flatten(), rows, light.flatten()
        )
    return Diagnosis(measures=measures, spectrum=spectrum(rows), collapse=collapse(measures))


def spectrum(rows: Float[Tensor, "samples channel"]) -> list[float]:
    """Return the shares of variance along the principal directions, descending."""
    centred = rows - rows.mean(dim=0)
    values = torch.linalg.eigvalsh(centred.T @ centred).clamp_min(0).flip(0)
    total = values.sum()
    return (values / total if total > 0 else values).tolist()


def mean_abs_correlation(rows: Float[Tensor, "samples channel"]) -> float:
    """Return the mean absolute correlation of two different features; NaN for fewer than two."""
    channels = rows.shape[1]
    if channels < 2:
        return float("nan")
    standard = (rows - rows.mean(dim=0)) / rows.std(dim=0, correction=0)
    correlation = (standard.T @ standard / len(rows)).abs()
    return float((correlation.sum() - correlation.trace()) / (channels * (channels - 1)))


def clip_identity(clips: Float[Tensor, "clip time channel"]) -> float:
    """Return the share of all variance that lies between the means of clips; NaN without any."""
    everywhere = clips.flatten(0, 1).var(dim=0, correction=0).sum()
    between = clips.mean(dim=1).var(dim=0, correction=0).sum()
    return float(between / everywhere) if everywhere > 0 else float("nan")


def linear_r2(
    fit: Float[Tensor, "samples channel"],
    fit_target: Float[Tensor, " samples"],
    test: Float[Tensor, "others channel"],
    test_target: Float[Tensor, " others"],
) -> float:
    """Return the R2 on test rows of a ridge regression fitted on others; NaN if nothing varies."""
    mean, target_mean = fit.mean(dim=0), fit_target.mean()
    centred = fit - mean
    covariance = centred.T @ centred / len(fit)
    ridge = RIDGE * covariance.diagonal().mean()
    variance = (test_target - test_target.mean()).square().mean()
    if not ridge > 0 or not variance > 0:
        return float("nan")
    eye = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
    both = centred.T @ (fit_target - target_mean) / len(fit)
    weights = torch.linalg.solve(covariance + ridge * eye, both)
    error = ((test - mean) @ weights + target_mean - test_target).square().mean()
    return float(1 - error / variance)


def collapse(measures: dict[str, float]) -> str | None:
    """Return what says that features have collapsed, or None."""
    signs = []
    if measures["dead_share"] > MOST_DEAD:
        signs.append(f"{measures['dead_share']:.0%} of the features hardly vary")
    if measures["effective_rank"] < LEAST_RANK:
        signs.append(f"the features' effective rank is {measures['effective_rank']:.2f}")
    if measures["mean_abs_correlation"] > MOST_CORRELATION:
        signs.append(
            f"the features' mean correlation is {measures['mean_abs_correlation']:.2f}: they say "
            "the same"
        )
    return f"collapsed: {'; '.join(signs)}" if signs else None


def _pooled(encoder: EncoderLike, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
    """Return features ``[clip, time, channel]`` and luminance ``[clip, time]``, float64."""
    pooled, light = [], []
    for clips, _ in batches:
        features = encoder(clips).pooled.double()
        pooled.append(features)
        frames = clips.mean(dim=(1, 3, 4, 5)).double()
        # A step of features may stand for several frames.
        steps = features.shape[1]
        whole = frames[:, : steps * (frames.shape[1] // steps)]
        light.append(whole.unflatten(1, (steps, -1)).mean(dim=2))
    return torch.cat(pooled), torch.cat(light)
