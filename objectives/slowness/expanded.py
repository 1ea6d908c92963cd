"""Slow features of expanded signals: quadratic slow feature analysis, or any other degree.

Linear slow feature analysis on all monomials of the signals (Wiskott & Sejnowski 2002). Monomials
of correlated signals are nearly dependent; whitening them first, and dropping directions without
variance after, keeps the problem well posed (Konen 2009, arXiv 0912.1064).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .clip_signals import ClipLike, Clips, Pairs, check_shapes
from .expansion import Monomials
from .moments import SfaMoments
from .slow_features import Covariance, SlowFeatures
from .storage import load_arrays, save_arrays

First = Literal["none", "whiten", "slow"]
"""What is done to signals before they are expanded: nothing, principal directions of unit variance,
or linear slow feature analysis."""

KIND = "expanded slow features"
BLOCK_BYTES = 1 << 24


@dataclass(frozen=True, kw_only=True)
class ExpandedConfig:
    """How signals are expanded and slow features of them found."""

    degree: int = 2
    """Of the monomials; 2 is quadratic slow feature analysis."""
    first: First = "none"
    inputs: int | None = None
    """How many principal directions or slow features are expanded; None: all there are."""
    outputs: int | None = None
    """How many slow features are kept; None: as many as the expanded signals have rank."""
    covariance: Covariance = "within"
    rank_tolerance: float = 1e-12
    """Directions whose variance is below this share of the largest are dropped."""
    noise_variance: float = 0.0
    """Of white noise that is added to the expanded signals, in expectation."""
    ddof: int = 0

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        Monomials(degree=self.degree)
        if self.first not in ("none", "whiten", "slow"):
            raise ValueError(f"expected first none, whiten or slow, got {self.first!r}")
        if self.first == "none" and self.inputs is not None:
            raise ValueError(
                f"expected first='whiten' or 'slow' with inputs={self.inputs}, got first='none', "
                "which expands all signals"
            )
        if self.noise_variance < 0:
            raise ValueError(f"expected a noise variance of at least 0, got {self.noise_variance}")
        counts = (self.inputs, self.outputs)
        if any(count is not None and count < 1 for count in counts):
            raise ValueError(f"expected at least 1 input and 1 output, got {counts}")


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A linear map ``(signals - mean) @ weights``."""

    mean: np.ndarray
    """``[signal]``."""
    weights: np.ndarray
    """``[signal, input]``."""

    def __call__(self, signals: np.ndarray) -> np.ndarray:
        """Return ``[..., input]`` of signals ``[..., signal]``."""
        return (np.asarray(signals, dtype=np.float64) - self.mean) @ self.weights


@dataclass(frozen=True, kw_only=True)
class ExpandedFeatures:
    """A polynomial map to slow features, the slowest first."""

    first: Projection | None
    expansion: Monomials
    slow: SlowFeatures
    """Of the expanded signals."""

    def __call__(self, signals: np.ndarray) -> np.ndarray:
        """Return the features ``[..., feature]`` of signals ``[..., signal]``, block by block."""
        signals = np.asarray(signals)
        flat = signals.reshape(-1, signals.shape[-1])
        out = np.empty((len(flat), len(self.slow.delta)))
        at_once = max(1, BLOCK_BYTES // (8 * len(self.slow.mean)))
        for start in range(0, len(flat), at_once):
            block = self.expand(flat[start : start + at_once])
            out[start : start + at_once] = self.slow(block)
        return out.reshape(*signals.shape[:-1], -1)

    def expand(self, signals: np.ndarray) -> np.ndarray:
        """Return what the slow features are linear in."""
        return self.expansion(signals if self.first is None else self.first(signals))

    @property
    def delta(self) -> np.ndarray:
        """``[feature]``: mean squared change from frame to frame at unit variance, ascending."""
        return self.slow.delta

    def eta_hz(self, frame_rate_hz: float) -> np.ndarray:
        """Return the speed of every feature in Hz."""
        return self.slow.eta_hz(frame_rate_hz)

    def save(self, path: Path | str) -> None:
        """Write the map to a safetensors file."""
        save_arrays(path, KIND, self.arrays(), self.settings())

    @classmethod
    def load(cls, path: Path | str) -> "ExpandedFeatures":
        """Return the map that ``save`` wrote.

        Raises:
            ValueError: the file holds something else.
        """
        arrays, settings = load_arrays(path, KIND)
        return cls.of_arrays(arrays, settings)

    def settings(self) -> dict[str, Any]:
        """Return what is no array, as plain data."""
        return asdict(self.expansion)

    def arrays(self, prefix: str = "") -> dict[str, np.ndarray]:
        """Return the map as named arrays, for files that hold more than one."""
        named = self.slow.arrays(prefix + "slow.")
        if self.first is not None:
            named[prefix + "first.mean"] = self.first.mean
            named[prefix + "first.weights"] = self.first.weights
        return named

    @classmethod
    def of_arrays(
        cls, arrays: dict[str, np.ndarray], settings: dict[str, Any], prefix: str = ""
    ) -> "ExpandedFeatures":
        """Return the map whose ``arrays`` and ``settings`` these are."""
        first = None
        if prefix + "first.mean" in arrays:
            first = Projection(
                mean=arrays[prefix + "first.mean"], weights=arrays[prefix + "first.weights"]
            )
        return cls(
            first=first,
            expansion=Monomials(**settings),
            slow=SlowFeatures.of_arrays(arrays, prefix + "slow."),
        )


def fit_expanded_sfa(
    signals: Clips, config: ExpandedConfig | None = None, *, valid_pairs: Pairs = None
) -> ExpandedFeatures:
    """Return slow features that are polynomials of the signals.

    The expanded signals are never held as a whole: their moments are summed block by block. C has
    ``Monomials.size(inputs)`` squared entries.

    Args:
        signals: ``[clip, time, signal]``, or ``[time, signal]`` for each clip.
        config: degree, what is done before, how many features.
        valid_pairs: for each clip bool ``[time - 1]``, which neighbours may be compared.

    Example:
        >>> t = np.linspace(0, 2 * np.pi, 500)
        >>> signals = np.stack([np.sin(t) + np.cos(11 * t) ** 2, np.cos(11 * t)], axis=1)
        >>> slowest = fit_expanded_sfa([signals])(signals)[:, 0]
        >>> bool(abs(np.corrcoef(slowest, np.sin(t))[0, 1]) > 0.999)
        True
    """
    config = config or ExpandedConfig()
    first = _fit_first(signals, config, valid_pairs)
    expansion = Monomials(degree=config.degree)
    signal_count = check_shapes([clip.shape for clip in signals])
    given = signal_count if first is None else first.weights.shape[1]

    def expand(block: np.ndarray) -> np.ndarray:
        return expansion(block if first is None else first(block))

    moments = SfaMoments()
    moments.update_all(mapped(signals, expand, expansion.size(given)), valid_pairs)
    slow = moments.solve(
        outputs=config.outputs,
        covariance=config.covariance,
        rank_tolerance=config.rank_tolerance,
        ddof=config.ddof,
        noise_variance=config.noise_variance,
    )
    return ExpandedFeatures(first=first, expansion=expansion, slow=slow)


def _fit_first(signals: Clips, config: ExpandedConfig, valid_pairs: Pairs) -> Projection | None:
    if config.first == "none":
        return None
    moments = SfaMoments()
    moments.update_all(signals, valid_pairs)
    if config.first == "slow":
        slow = moments.solve(
            outputs=config.inputs,
            covariance=config.covariance,
            rank_tolerance=config.rank_tolerance,
            ddof=config.ddof,
        )
        return Projection(mean=slow.mean, weights=slow.weights)
    weights = moments.whitening(
        most=config.inputs, covariance=config.covariance, rank_tolerance=config.rank_tolerance
    )
    return Projection(mean=moments.mean(), weights=weights)


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Clips that are computed from others, slice by slice."""

    clip: ClipLike
    function: Callable[[np.ndarray], np.ndarray]
    signals: int

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and signals."""
        return self.clip.shape[0], self.signals

    def __getitem__(self, frames: slice, /) -> np.ndarray:
        """Return the function of some neighbouring frames."""
        return self.function(np.asarray(self.clip[frames]))


def mapped(
    clips: Clips, function: Callable[[np.ndarray], np.ndarray], signals: int
) -> Sequence[Mapped]:
    """Return clips of so many ``signals`` that are a function of others, frame by frame."""
    return [Mapped(clip=clip, function=function, signals=signals) for clip in clips]
