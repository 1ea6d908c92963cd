"""Trials as plain arrays, to be stored without Python objects, and back."""

from collections.abc import Mapping

import numpy as np

from .trials import Trial, Trials

_PER_TRIAL = ("image", "subject", "timestamp", "catch_score", "is_mobile", "has_duration")
TRIAL_MEMBERS = (
    *(f"trial_{name}" for name in _PER_TRIAL),
    "trial_offset",
    "trial_points_px",
    "trial_duration_ms",
    "trials_kind",
    "sized_image",
    "sized_px",
    "trials_left_out_name",
    "trials_left_out_reason",
)
_UNTOLD = -1


def arrays_of_trials(trials: Trials) -> dict[str, np.ndarray]:
    """Return plain arrays by name; what a trial does not tell is empty, NaN or -1."""
    each = trials.trials
    points = [trial.points_px for trial in each]
    durations = [
        np.full(len(t.points_px), np.nan) if t.duration_ms is None else t.duration_ms for t in each
    ]
    return {
        "trial_image": np.array([t.image for t in each], dtype=str),
        "trial_subject": np.array([t.subject for t in each], dtype=str),
        "trial_timestamp": np.array([t.timestamp or "" for t in each], dtype=str),
        "trial_catch_score": np.array(
            [np.nan if t.catch_score is None else t.catch_score for t in each], dtype=np.float64
        ),
        "trial_is_mobile": np.array(
            [_UNTOLD if t.is_mobile is None else int(t.is_mobile) for t in each], dtype=np.int8
        ),
        "trial_has_duration": np.array([t.duration_ms is not None for t in each], dtype=bool),
        "trial_offset": np.cumsum([0, *map(len, points)], dtype=np.int64),
        "trial_points_px": np.concatenate([np.zeros((0, 2)), *points]),
        "trial_duration_ms": np.concatenate([np.zeros(0), *durations]),
        "trials_kind": np.array(trials.kind),
        "sized_image": np.array(list(trials.image_sizes_px), dtype=str),
        "sized_px": np.array(list(trials.image_sizes_px.values()), dtype=np.int64).reshape(-1, 2),
        "trials_left_out_name": np.array(list(trials.left_out), dtype=str),
        "trials_left_out_reason": np.array(list(trials.left_out.values()), dtype=str),
    }


def trials_of_arrays(arrays: Mapping[str, np.ndarray], where: str) -> Trials:
    """Return the trials of ``arrays_of_trials``.

    Raises:
        ValueError: arrays do not fit; names ``where``.
    """
    count = len(arrays["trial_image"])
    offset, points = arrays["trial_offset"], arrays["trial_points_px"]
    lengths = {name: len(arrays[f"trial_{name}"]) for name in _PER_TRIAL}
    fits = set(lengths.values()) == {count} and offset.shape == (count + 1,)
    if not fits or (np.diff(offset) < 0).any() or offset[0] != 0 or offset[-1] != len(points):
        raise ValueError(
            f"expected members of one length and rising offsets for the trials in {where}, got "
            f"{lengths}, {len(offset)} offsets and {len(points)} points"
        )
    sizes = zip(arrays["sized_image"].tolist(), arrays["sized_px"].tolist(), strict=True)
    left_out = (arrays[f"trials_left_out_{part}"].tolist() for part in ("name", "reason"))
    return Trials(
        trials=tuple(_trial(arrays, index) for index in range(count)),
        image_sizes_px={name: (width, height) for name, (width, height) in sizes},
        kind=str(arrays["trials_kind"]),
        left_out=dict(zip(*left_out, strict=True)),
    )


def _trial(arrays: Mapping[str, np.ndarray], index: int) -> Trial:
    told = {name: arrays[f"trial_{name}"][index].item() for name in _PER_TRIAL}
    own = slice(*arrays["trial_offset"][index : index + 2].tolist())
    catch = told["catch_score"]
    return Trial(
        image=told["image"],
        subject=told["subject"],
        points_px=arrays["trial_points_px"][own].astype(np.float64),
        timestamp=told["timestamp"] or None,
        catch_score=None if np.isnan(catch) else catch,
        is_mobile=None if told["is_mobile"] == _UNTOLD else bool(told["is_mobile"]),
        duration_ms=arrays["trial_duration_ms"][own] if told["has_duration"] else None,
    )
