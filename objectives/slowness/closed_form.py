"""Linear slow feature analysis in closed form (Wiskott & Sejnowski 2002, Neural Comput. 14:715).

Of all linear functions of the signals with zero mean, unit variance and no correlation, it finds
the ones that change least: ``A w = delta C w``, with C the covariance of the signals and A the
uncentred second moment of their differences between neighbouring frames.
"""

from collections.abc import Sequence

import numpy as np

from .clip_signals import Clips, Pairs, check_covariance
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
    check_covariance(covariance)
    moments = SfaMoments()
    moments.update_all([np.asarray(clip) for clip in features], valid_pairs)
    variance, change = moments.variance(covariance).diagonal(), moments.speed().diagonal()
    return np.divide(change, variance, out=np.full_like(change, np.nan), where=variance > 0)
