"""Linear maps to slow features, and how slow they are.

Symbols as in Wiskott & Sejnowski 2002 (Neural Comput. 14:715): C is the covariance of the signals,
A the uncentred second moment of their differences between neighbouring frames, and the slow
features are the solutions of ``A w = delta C w`` with the smallest delta.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import scipy.linalg

from .storage import load_arrays, save_arrays

Covariance = Literal["within", "total"]
"""Deviations from each clip's own mean, or from the mean of all clips."""

KIND = "linear slow features"


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

    def save(self, path: Path | str) -> None:
        """Write the map to a safetensors file."""
        save_arrays(path, KIND, self.arrays())

    @classmethod
    def load(cls, path: Path | str) -> "SlowFeatures":
        """Return the map that ``save`` wrote.

        Raises:
            ValueError: the file holds something else.
        """
        arrays, _ = load_arrays(path, KIND)
        return cls.of_arrays(arrays)

    def arrays(self, prefix: str = "") -> dict[str, np.ndarray]:
        """Return the map as named arrays, for files that hold more than one."""
        values = {"mean": self.mean, "weights": self.weights, "delta": self.delta}
        values["rank"] = np.array([self.rank])
        return {prefix + name: array for name, array in values.items()}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray], prefix: str = "") -> "SlowFeatures":
        """Return the map whose ``arrays`` these are."""
        return cls(
            mean=arrays[prefix + "mean"],
            weights=arrays[prefix + "weights"],
            delta=arrays[prefix + "delta"],
            rank=int(arrays[prefix + "rank"][0]),
        )


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


def solve_sfa(
    variance: np.ndarray,
    speed: np.ndarray,
    *,
    mean: np.ndarray,
    outputs: int | None = None,
    rank_tolerance: float = 1e-12,
) -> SlowFeatures:
    """Return the solutions of ``A w = delta C w`` with the smallest delta.

    Args:
        variance: C, ``[signal, signal]``.
        speed: A, ``[signal, signal]``.
        mean: ``[signal]``, which the features are to be 0 at.
        outputs: how many to keep; None keeps as many as C has rank.
        rank_tolerance: directions whose variance is below this share of the largest are dropped.
    """
    whitening = whitening_of(variance, rank_tolerance)
    rank = whitening.shape[1]
    kept = rank if outputs is None else outputs
    if kept < 1:
        raise ValueError(f"expected at least 1 output, got {outputs}")
    if kept > rank:
        raise ValueError(
            f"expected at most {rank} outputs, the rank of the signals' covariance, got {outputs}"
        )
    delta, rotation = scipy.linalg.eigh(
        whitening.T @ speed @ whitening, subset_by_index=(0, kept - 1)
    )
    weights = whitening @ rotation
    return SlowFeatures(mean=mean, weights=weights, delta=np.maximum(delta, 0.0), rank=rank)


def whitening_of(
    variance: np.ndarray, rank_tolerance: float, *, most: int | None = None
) -> np.ndarray:
    """Return ``[signal, rank]``: a projection to unit variance, without directions that have none.

    Rank deficiency is the usual failure of slow feature analysis (Konen 2009, arXiv 0912.1064).
    ``most`` keeps only so many directions, those of the largest variance, which come last.
    """
    eigenvalues, directions = scipy.linalg.eigh(variance)
    if eigenvalues[-1] <= 0:
        raise ValueError(
            "expected signals that vary, got constant ones: they have no slow features"
        )
    kept = eigenvalues > rank_tolerance * eigenvalues[-1]
    if most is not None:
        kept[: max(0, len(kept) - most)] = False
    return directions[:, kept] / np.sqrt(eigenvalues[kept])
