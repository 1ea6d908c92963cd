"""Linear slow feature analysis in closed form (Wiskott & Sejnowski 2002, Neural Comput. 14:715).

Of all linear functions of the signals with zero mean, unit variance and no correlation, it finds
the ones that change least: ``A w = delta C w``, with C the covariance of the signals and A the
uncentred second moment of their differences between neighbouring frames.
"""

from collections.abc import Sequence

import numpy as np

from .clip_signals import Clips, Pairs, check_covariance, check_pairs, check_shapes
from .moments import SfaMoments
from .slow_features import Covariance, SlowFeatures


def fit_sfa(
    signals: Clips,
    *,
    outputs: int | None = None,
    covariance: Covariance = "within",
    valid_pairs: Pairs = None,
    rank_tolerance: float = 1e-12,
    ddof: int = 0,
) -> SlowFeatures:
    """Return the slow features of clips; differences are never taken across clips.

    Signals of any type of number are read block by block, and everything is summed in float64; they
    may be memory-mapped. ``SfaMoments`` does the same for clips that come one by one.

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
    check_covariance(covariance)
    moments = SfaMoments()
    moments.update_all(signals, valid_pairs)
    return moments.solve(
        outputs=outputs, covariance=covariance, rank_tolerance=rank_tolerance, ddof=ddof
    )


def measure_delta(
    features: np.ndarray | Sequence[np.ndarray],
    *,
    covariance: Covariance = "within",
    valid_pairs: Pairs = None,
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
    check_covariance(covariance)
    check_shapes([clip.shape for clip in clips])
    if not all(np.isfinite(clip).all() for clip in clips):
        raise ValueError("expected finite signals, got NaN or infinity")


def _masked(
    clips: Sequence[np.ndarray], valid_pairs: Pairs
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the frames and the differences of every clip that still has some."""
    checked = check_pairs([clip.shape for clip in clips], valid_pairs)
    if checked is None:
        return list(clips), [np.diff(clip, axis=0) for clip in clips]
    frames, steps = [], []
    for clip, pairs in zip(clips, checked, strict=True):
        if pairs.any():
            used = np.concatenate([pairs, [False]]) | np.concatenate([[False], pairs])
            frames.append(clip[used])
            steps.append(np.diff(clip, axis=0)[pairs])
    if not frames:
        raise ValueError(
            "expected at least one valid pair of time steps, got none: take more or longer "
            "clips, a higher frame rate, or no masking of saccades and blinks"
        )
    return frames, steps
