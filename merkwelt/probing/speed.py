"""How slow features are, in Hz, on clips that were held out."""

import numpy as np

from ..objectives.slowness.closed_form import fit_sfa, measure_delta
from ..objectives.slowness.held_out import LINEAR_RANK_TOLERANCE
from ..objectives.slowness.slow_features import eta_hz
from .decoding import reduced
from .features import FeatureSet, Where
from .results import Speeds
from .seen_clips import SeenClips
from .splitting import Split
from .truths import last_frames

MOST_FEATURES = 16


def measure_speeds(
    clips: SeenClips, where: Where, split: Split, sets: list[FeatureSet]
) -> list[Speeds]:
    """Return the speeds of the slowest directions of each set of features, where there are some.

    Directions are fitted on training clips by closed-form slow feature analysis within clips, and
    measured on held-out ones. Steps with a saccade or a blink between them are not compared.
    """
    rate_hz = clips.frame_rate_hz / where.frames_per_step
    pairs = _valid_pairs(clips, where)
    found = []
    for features in sets:
        if not np.ptp(features.pooled, axis=1).any():
            continue
        found.append(_speeds(features, pairs, split, rate_hz))
    return found


def _speeds(features: FeatureSet, pairs: np.ndarray, split: Split, rate_hz: float) -> Speeds:
    deltas, slowest = [], []
    for fold in split.folds:
        pooled = reduced(features, fold.fit).pooled.astype(np.float64)
        fit = fit_sfa(
            list(pooled[fold.fit]),
            valid_pairs=list(pairs[fold.fit]),
            rank_tolerance=LINEAR_RANK_TOLERANCE,
        )
        outputs = [fit(clip)[:, :MOST_FEATURES] for clip in pooled[fold.test]]
        deltas.append(measure_delta(outputs, valid_pairs=list(pairs[fold.test])))
        slowest.append(np.stack(outputs))
    count = min(len(each) for each in deltas)
    mean = np.nanmean([each[:count] for each in deltas], axis=0)
    outputs = np.concatenate([each[..., :count] for each in slowest])
    return Speeds(
        features=features.name,
        eta_hz=np.asarray(eta_hz(mean, rate_hz)),
        half_life_s=half_life_s(outputs, rate_hz),
        clip_share=_clip_share(outputs),
        is_floor=features.is_floor,
    )


def half_life_s(outputs: np.ndarray, rate_hz: float) -> float:
    """Return when the autocorrelation of signals ``[clip, step, feature]`` falls to a half.

    Of all features together, about the mean of each over all clips; between two lags it is
    interpolated. NaN if clips are too short for it to fall so far.
    """
    centred = outputs - outputs.mean(axis=(0, 1))
    spread = centred.std(axis=(0, 1))
    centred = centred[..., spread > 0] / spread[spread > 0]
    steps = centred.shape[1]
    kept = [float((centred[:, : steps - lag] * centred[:, lag:]).mean()) for lag in range(steps)]
    for lag in range(1, steps):
        if kept[lag] < 0.5:
            part = (kept[lag - 1] - 0.5) / (kept[lag - 1] - kept[lag])
            return (lag - 1 + part) / rate_hz
    return float("nan")


def _clip_share(outputs: np.ndarray) -> float:
    between, total = outputs.mean(axis=1).var(axis=0), outputs.var(axis=(0, 1))
    return float((between[total > 0] / total[total > 0]).mean())


def _valid_pairs(clips: SeenClips, where: Where) -> np.ndarray:
    """Return bool ``[clip, step - 1]``: no saccade or blink from one step's end to the next's."""
    last = last_frames(where)
    pairs = np.ones((len(clips), where.steps - 1), bool)
    for index, sample in enumerate(clips.samples):
        way = sample.trajectory
        if way is None:
            continue
        disturbed = way.saccade | way.blink
        for step, (start, stop) in enumerate(zip(last[:-1], last[1:], strict=True)):
            same = way.fixation_id[start] == way.fixation_id[stop]
            pairs[index, step] = same and not disturbed[start : stop + 1].any()
    return pairs
