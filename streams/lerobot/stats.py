"""Statistics by which LeRobot normalises: of each feature, per episode and over all of them.

Pictures are counted in histograms of their codes, so that quantiles are exact however many frames
there are. LeRobot's own are estimates (sampled frames, averaged quantiles); these are exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
Stats = Mapping[str, np.ndarray]


def vector_stats(values: np.ndarray) -> Stats:
    """Return the statistics of values ``[frame]`` or ``[frame, column]`` over the frames.

    Each has one entry a column; ``count`` is the number of frames.
    """
    columns = values[:, None] if values.ndim == 1 else values
    exact = columns.astype(np.float64)
    return {
        "min": columns.min(axis=0),
        "max": columns.max(axis=0),
        "mean": exact.mean(axis=0),
        "std": exact.std(axis=0),
        "count": np.array([len(columns)]),
        **{name: np.quantile(exact, share, axis=0) for name, share in QUANTILES.items()},
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureCounts:
    """How often each code occurs in pictures."""

    counts: np.ndarray
    """int64 ``[channel, code]``."""
    frames: int

    @classmethod
    def of(cls, codes: np.ndarray, *, codes_in_all: int) -> "PictureCounts":
        """Count the codes of pictures ``[time, channel, height, width]``."""
        channels = [
            np.bincount(codes[:, channel].ravel(), minlength=codes_in_all)
            for channel in range(codes.shape[1])
        ]
        return cls(counts=np.stack(channels), frames=len(codes))

    def __add__(self, other: "PictureCounts") -> "PictureCounts":
        """Return the counts of both."""
        return PictureCounts(counts=self.counts + other.counts, frames=self.frames + other.frames)


def picture_stats(counted: PictureCounts, meaning: np.ndarray) -> Stats:
    """Return the statistics of pictures, each ``[channel, 1, 1]``; ``count`` is of frames.

    Args:
        counted: how often each code occurs.
        meaning: value of each code ``[code]``, ascending.
    """
    of_each = [_weighted_stats(meaning, counts) for counts in counted.counts]
    stats = {name: np.array([s[name] for s in of_each])[:, None, None] for name in of_each[0]}
    return {**stats, "count": np.array([counted.frames])}


def _weighted_stats(meaning: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    total = int(counts.sum())
    there = meaning[counts > 0]
    mean = float((meaning * counts).sum() / total)
    variance = float(((meaning - mean) ** 2 * counts).sum() / total)
    up_to = np.cumsum(counts)

    def quantile(share: float) -> float:
        # Linear between the two values whose ranks lie about the share, as numpy does.
        rank = share * (total - 1)
        below, above = (
            float(meaning[np.searchsorted(up_to, place, side="right")])
            for place in (np.floor(rank), np.ceil(rank))
        )
        return below + (above - below) * (rank - np.floor(rank))

    return {
        "min": float(there[0]),
        "max": float(there[-1]),
        "mean": mean,
        "std": variance**0.5,
        **{name: quantile(share) for name, share in QUANTILES.items()},
    }
