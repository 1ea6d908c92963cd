"""Signals of clips, which pairs of their frames may be compared, and what is refused."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class ClipLike(Protocol):
    """Signals ``[time, signal]`` that are read by slices of time: an array, on disk or computed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Frames and signals."""
        ...

    def __getitem__(self, frames: slice, /) -> np.ndarray:
        """Return an array of some neighbouring frames."""
        ...


Clips = np.ndarray | Sequence[np.ndarray] | Sequence[ClipLike]
"""``[clip, time, signal]``, or ``[time, signal]`` for each clip."""

Pairs = np.ndarray | Sequence[np.ndarray] | None
"""For each clip bool ``[time - 1]``, which neighbours may be compared; None: all."""


def check_shapes(shapes: Sequence[tuple[int, ...]], signals: int | None = None) -> int:
    """Return how many signals clips have; refuse those without differences, or that do not fit."""
    if not len(shapes):
        raise ValueError("expected at least one clip of signals, got none")
    wrong = [shape for shape in shapes if len(shape) != 2 or shape[0] < 2]
    if wrong:
        raise ValueError(
            f"expected each clip to be [time, signal] with at least 2 frames, got {wrong[0]}; "
            "wrap a single series in a list"
        )
    found = {shape[1] for shape in shapes} | ({signals} if signals is not None else set())
    if len(found) != 1:
        raise ValueError(
            f"expected all clips to have the same signals, got clips of {sorted(found)} signals"
        )
    return found.pop()


def check_pairs(shapes: Sequence[tuple[int, ...]], pairs: Pairs) -> Sequence[np.ndarray] | None:
    """Return the valid pairs of each clip as bool; refuse those that do not fit their clips."""
    if pairs is None:
        return None
    if len(pairs) != len(shapes):
        raise ValueError(f"expected valid_pairs of {len(shapes)} clips, got {len(pairs)}")
    given = [np.asarray(each) for each in pairs]
    for shape, each in zip(shapes, given, strict=True):
        if each.shape != (shape[0] - 1,):
            raise ValueError(f"expected valid_pairs of [{shape[0] - 1}], got {each.shape}")
        if each.dtype != np.bool_:
            raise ValueError(f"expected valid_pairs to be bool, got {each.dtype}")
    return given


def check_covariance(covariance: str) -> None:
    """Refuse what is no choice of covariance."""
    if covariance not in ("within", "total"):
        raise ValueError(f"expected covariance 'within' or 'total', got {covariance!r}")
