"""Linear slow feature analysis in closed form (Wiskott & Sejnowski 2002, Neural Comput. 14:715).

Of all linear functions of the signals with zero mean, unit variance and no correlation, it finds
the ones that change least: ``A w = delta C w``, with C the covariance of the signals and A the
uncentred second moment of their differences between neighbouring frames.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.linalg

Covariance = Literal["within", "total"]
"""Deviations from each clip's own mean, or from the mean of all clips."""


@dataclass(frozen=True, kw_only=True)
class SlowFeatures:
    """A linear map to slow features, the slowest first."""

    mean: np.ndarray
    """``[signal]``, mean over all frames."""
    weights: np.ndarray
    """``[signal, feature]``."""
    delta: np.ndarray
    """``[feature]``: mean squared change from frame to frame at unit variance, ascending."""
    rank: int
    """Dimensions of the signals that carry variance."""

    def __call__(self, signals: np.ndarray) -> np.ndarray:
        """Return the features ``[..., feature]`` of signals ``[..., signal]``."""
        return (np.asarray(signals, dtype=np.float64) - self.mean) @ self.weights

    def eta_hz(self, frame_rate_hz: float) -> np.ndarray:
        """Return the speed of every feature in Hz."""
        return eta_hz(self.delta, frame_rate_hz)


def eta_hz(delta: np.ndarray | float, frame_rate_hz: float) -> np.ndarray:
    """Return how fast features change, in Hz: the frequency of the sine wave that changes as fast.

    ``eta = frame_rate / (2 pi) * sqrt(delta)``; unlike delta it does not depend on the frame rate.

    Example:
        >>> float(eta_hz(np.pi**2 / 100, 10.0))
        0.5
    """
    if frame_rate_hz <= 0:
        raise ValueError(f"expected a frame rate above 0 Hz, got {frame_rate_hz}")
    return np.asarray(frame_rate_hz / (2 * math.pi) * np.sqrt(delta))


def fit_sfa(
    signals: np.ndarray | Sequence[np.ndarray],
    *,
    outputs: int | None = None,
    covariance: Covariance = "within",
    valid_pairs: np.ndarray | Sequence[np.ndarray] | None = None,
    rank_tolerance: float = 1e-12,
    ddof: int = 0,
) -> SlowFeatures:
    """Return the slow features of clips; differences are never taken across clips.

    Args:
        signals: ``[clip, time, signal]``, or a sequence of ``[time, signal]``, one for each clip.
        outputs: how many features to keep; None keeps as many as the signals have rank.
        covariance: ``"within"`` takes deviations from each clip's mean. ``"total"`` takes them from
            the mean of all clips, and the slowest feature of short clips is then which clip it is.
        valid_pairs: for each clip bool ``[time - 1]``, which neighbours may be compared; frames
            that belong to no valid pair are left out altogether.
        rank_tolerance: directions whose variance is below this share of the largest are dropped.
        ddof: 1 divides both moments by one less than their number of terms, as MDP does.
    """
    clips = [np.asarray(clip, dtype=np.float64) for clip in signals]
    check_clips(clips, covariance)
    frames, steps = _masked(clips, valid_pairs)
    mean = np.concatenate(frames).mean(axis=0)
    within = covariance == "within"
    centred = np.concatenate([clip - (clip.mean(axis=0) if within else mean) for clip in frames])
    change = np.concatenate(steps)
    variance = centred.T @ centred / (len(centred) - ddof)
    speed = change.T @ change / (len(change) - ddof)
    whitening = _whitening(variance, rank_tolerance)
    rank = whitening.shape[1]
    kept = rank if outputs is None else outputs
    if kept > rank:
        raise ValueError(
            f"expected at most {rank} outputs, the rank of the signals' covariance, got {outputs}"
        )
    delta, rotation = scipy.linalg.eigh(
        whitening.T @ speed @ whitening, subset_by_index=(0, kept - 1)
    )
    weights = whitening @ rotation
    return SlowFeatures(mean=mean, weights=weights, delta=np.maximum(delta, 0.0), rank=rank)


def measure_delta(
    features: np.ndarray | Sequence[np.ndarray],
    *,
    covariance: Covariance = "within",
    valid_pairs: np.ndarray | Sequence[np.ndarray] | None = None,
) -> np.ndarray:
    """Return for each given feature its mean squared change over its variance.

    Unlike the ``delta`` of a fit this may be taken on clips that the features were not fitted on.
    Features without any variance get NaN, for a constant has no speed.
    """
    clips = [np.asarray(clip, dtype=np.float64) for clip in features]
    check_clips(clips, covariance)
    frames, steps = _masked(clips, valid_pairs)
    mean = np.concatenate(frames).mean(axis=0)
    within = covariance == "within"
    centred = np.concatenate([clip - (clip.mean(axis=0) if within else mean) for clip in frames])
    variance = np.square(centred).mean(axis=0)
    change = np.square(np.concatenate(steps)).mean(axis=0)
    return np.divide(change, variance, out=np.full_like(change, np.nan), where=variance > 0)


def check_clips(clips: Sequence[np.ndarray], covariance: str) -> None:
    """Refuse clips that have no differences or do not fit together."""
    if covariance not in ("within", "total"):
        raise ValueError(f"expected covariance 'within' or 'total', got {covariance!r}")
    if not clips:
        raise ValueError("expected at least one clip of signals, got none")
    wrong = [clip.shape for clip in clips if clip.ndim != 2 or len(clip) < 2]
    if wrong:
        raise ValueError(
            f"expected each clip to be [time, signal] with at least 2 frames, got {wrong[0]}; "
            "wrap a single series in a list"
        )
    if len({clip.shape[1] for clip in clips}) != 1:
        raise ValueError(
            f"expected all clips to have the same signals, got {[clip.shape for clip in clips]}"
        )
    if not all(np.isfinite(clip).all() for clip in clips):
        raise ValueError("expected finite signals, got NaN or infinity")


def _masked(
    clips: Sequence[np.ndarray], valid_pairs: np.ndarray | Sequence[np.ndarray] | None
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the frames and the differences of every clip that still has some."""
    if valid_pairs is None:
        return list(clips), [np.diff(clip, axis=0) for clip in clips]
    frames, steps = [], []
    for clip, pairs in zip(clips, valid_pairs, strict=True):
        if pairs.shape != (len(clip) - 1,):
            raise ValueError(f"expected valid_pairs of [{len(clip) - 1}], got {pairs.shape}")
        if pairs.any():
            used = np.concatenate([pairs, [False]]) | np.concatenate([[False], pairs])
            frames.append(clip[used])
            steps.append(np.diff(clip, axis=0)[pairs])
    if not frames:
        raise ValueError("expected at least one valid pair of frames, got none")
    return frames, steps


def _whitening(variance: np.ndarray, rank_tolerance: float) -> np.ndarray:
    """Return ``[signal, rank]``: a projection to unit variance, without directions that have none.

    Rank deficiency is the usual failure of slow feature analysis (Konen 2009, arXiv 0912.1064).
    """
    eigenvalues, directions = scipy.linalg.eigh(variance)
    if eigenvalues[-1] <= 0:
        raise ValueError(
            "expected signals that vary, got constant ones: they have no slow features"
        )
    kept = eigenvalues > rank_tolerance * eigenvalues[-1]
    return directions[:, kept] / np.sqrt(eigenvalues[kept])
