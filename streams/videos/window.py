"""Which frames of a recording a clip consists of: those nearest to evenly spaced times.

Clip ``k`` starts at the frame nearest to ``k`` strides after the first; its frames are the nearest
to multiples of the clips' period after that one. All must lie within half a period of their
times, which also means that no frame and no clip is there twice. Where a recording has a gap there
is no clip, rather than one that stands still.
"""

import numpy as np

from .cut import ClipCut
from .errors import Unusable

RATE_SLACK = 1.01
"""Recordings of 29.97 Hz can be asked for 30 Hz: a clip is too short for the difference to show."""


def require_rate(times_s: np.ndarray, cut: ClipCut) -> None:
    """Refuse times ``[n]`` that are too few or too sparse for clips.

    Raises:
        Unusable: says what it is and what was asked for.
    """
    if len(times_s) < cut.frames or len(times_s) < 2:
        raise Unusable(f"it has {len(times_s)} frames, and a clip {cut.frames}")
    rate_hz = 1 / float(np.median(np.diff(times_s)))
    if cut.frame_rate_hz > RATE_SLACK * rate_hz:
        raise Unusable(
            f"it has {rate_hz:.4g} frames a second, less than the {cut.frame_rate_hz:g} Hz asked "
            "for; frames are never repeated"
        )


def window_count(times_s: np.ndarray, cut: ClipCut) -> int:
    """Return how many clips a recording with frames at times ``[n]`` has room for."""
    lasts_s = float(times_s[-1] - times_s[0]) + 0.5 / cut.frame_rate_hz
    room = lasts_s * cut.frame_rate_hz - (cut.frames - 1)
    return max(0, int(np.floor(room / cut.stride)) + 1)


def window_frames(
    eye_times_s: tuple[np.ndarray, ...], windows: np.ndarray, cut: ClipCut
) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames of clips, and which of the clips are there.

    Args:
        eye_times_s: ascending times ``[n]`` of each eye's frames; the left eye's lead.
        windows: numbers of clips ``[k]``.
        cut: what a clip is.

    Returns:
        int64 ``[eye, k, frames]`` and bool ``[k]``.
    """
    left_s = eye_times_s[0]
    period_s = 1 / cut.frame_rate_hz
    nominal_s = left_s[0] + windows * (cut.stride * period_s)
    starts_s = left_s[nearest(left_s, nominal_s)]
    # In a gap many clips would start at the same frame.
    starting = np.abs(starts_s - nominal_s) < 0.5 * period_s
    wanted_s = starts_s[:, None] + np.arange(cut.frames) * period_s
    frames = np.stack([nearest(times_s, wanted_s) for times_s in eye_times_s])
    found_s = np.stack([t[f] for t, f in zip(eye_times_s, frames, strict=True)])
    near = np.abs(found_s - wanted_s) < 0.5 * period_s
    # Eyes are taken at one moment if no other frame of the left eye is nearer to the right one.
    together = np.abs(found_s - found_s[0]) <= 0.5 * float(np.median(np.diff(left_s)))
    distinct = (np.diff(frames, axis=2) > 0).all(axis=(0, 2))
    return frames, starting & distinct & (near & together).all(axis=(0, 2))


def nearest(times_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Return the places of the ascending times nearest to those wanted, int64; ties go back.

    Example:
        >>> nearest(np.array([0.0, 1.0, 3.0]), np.array([-9.0, 0.4, 2.0, 2.1, 9.0])).tolist()
        [0, 0, 1, 2, 2]
    """
    after = np.clip(np.searchsorted(times_s, wanted_s), 1, len(times_s) - 1)
    before = after - 1
    return np.where(wanted_s - times_s[before] <= times_s[after] - wanted_s, before, after)
