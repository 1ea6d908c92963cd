"""Incremental slow feature analysis (Kompella, Luciw & Schmidhuber 2012, Neural Comput. 24:2994).

Frame by frame and without any covariance matrix: candid covariance-free principal component
analysis (Weng, Zhang & Hwang 2003) whitens the signals, and minor component analysis of the
differences of the whitened signals finds the directions in which they change least. Memory and work
for a frame are proportional to signals times components.
"""

from dataclasses import dataclass

import numpy as np

from .clip_signals import check_pairs, check_shapes
from .slow_features import SlowFeatures

LEAST_NORM = 1e-12


@dataclass(frozen=True, kw_only=True)
class IncrementalConfig:
    """Settings of ``IncrementalSfa``."""

    components: int
    """Principal components that the signals are whitened to."""
    outputs: int
    """Slow features."""
    learning_rate: float = 0.05
    """Of the minor components, at the start."""
    halve_after: float | None = None
    """Frames after which the learning rate is a half; it is ``learning_rate / (1 + t /
    halve_after)``. None keeps it, for signals whose statistics may change."""
    repulsion: float = 1.5
    """Keeps each minor component away from the slower ones; above 1, the largest variance that a
    difference of whitened signals, scaled to a total variance of 1, can have along a direction."""
    amnesic: tuple[float, float, float, float] = (20.0, 200.0, 2000.0, 3.0)
    """n1, n2, m and c of the principal components' memory: all frames weigh the same up to frame
    n1, later ones weigh more from there on, and from n2 on old frames fade within about m."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if not 1 <= self.outputs <= self.components:
            raise ValueError(
                f"expected 1 to {self.components} outputs, the number of components, got "
                f"{self.outputs}"
            )
        if not 0 < self.learning_rate < 1:
            raise ValueError(f"expected a learning rate in (0, 1), got {self.learning_rate}")
        if self.halve_after is not None and self.halve_after <= 0:
            raise ValueError(f"expected halve_after above 0 frames, got {self.halve_after}")
        start, full, memory, gain = self.amnesic
        if not (0 < start < full and memory > 0 and gain >= 0):
            raise ValueError(f"expected amnesic (n1, n2, m, c) with n1 < n2, got {self.amnesic}")


class IncrementalSfa:
    """Slow features that are learned from one frame after the other.

    Example:
        >>> t = np.arange(5000) * 0.02
        >>> signals = np.stack([np.sin(t), np.sin(11 * t)], axis=1) @ [[1.0, 0.3], [-0.4, 1.0]]
        >>> learner = IncrementalSfa(IncrementalConfig(components=2, outputs=1), signals=2)
        >>> learner.update(signals)
        >>> slowest = learner.features()(signals)[:, 0]
        >>> bool(abs(np.corrcoef(slowest, np.sin(t))[0, 1]) > 0.99)
        True
    """

    def __init__(self, config: IncrementalConfig, *, signals: int, seed: int = 0) -> None:
        """Start from random directions of the minor components."""
        if config.components > signals:
            raise ValueError(
                f"expected at most {signals} components, the number of signals, got "
                f"{config.components}"
            )
        self.config = config
        self.frames = 0
        self.mean = np.zeros(signals)
        self.principal = np.zeros((config.components, signals))
        """Principal directions, each as long as the variance along it."""
        minor = np.random.default_rng(seed).normal(size=(config.outputs, config.components))
        self.minor = np.linalg.qr(minor.T)[0].T
        """Directions of whitened signals, the slowest first."""
        self.speed = 0.0
        """Running mean of the squared length of a difference of whitened signals."""

    def update(self, clip: np.ndarray, valid_pairs: np.ndarray | None = None) -> None:
        """Learn from the frames ``[time, signal]`` of one clip, in their order.

        Args:
            clip: at least 2 frames.
            valid_pairs: bool ``[time - 1]``, which neighbours may be compared; frames that belong
                to no valid pair are left out altogether.
        """
        check_shapes([clip.shape], len(self.mean))
        if not np.isfinite(clip).all():
            raise ValueError("expected finite signals, got NaN or infinity")
        pairs = check_pairs([clip.shape], None if valid_pairs is None else [valid_pairs])
        valid = np.ones(len(clip) - 1, bool) if pairs is None else pairs[0]
        used = np.append(valid, False) | np.append(False, valid)
        values = clip.astype(np.float64)
        for i in np.flatnonzero(used):
            self._whiten_by(values[i])
            if i and valid[i - 1] and self.frames > self.config.components:
                self._slow_by(values[i] - values[i - 1])

    def features(self) -> SlowFeatures:
        """Return the slow features learned so far; their ``delta`` is unknown (NaN).

        ``measure_delta`` measures it on signals.
        """
        if self.frames <= self.config.components:
            raise ValueError(
                f"expected more than {self.config.components} frames, the number of components, "
                f"got {self.frames}"
            )
        weights = (self.minor @ self._whitening()).T
        return SlowFeatures(
            mean=self.mean.copy(),
            weights=weights,
            delta=np.full(self.config.outputs, np.nan),
            rank=self.config.components,
        )

    def _whiten_by(self, frame: np.ndarray) -> None:
        """Follow the mean and the principal components by a frame."""
        self.frames += 1
        new = (1 + _amnesia(self.frames, self.config.amnesic)) / self.frames
        self.mean += new * (frame - self.mean)
        rest = frame - self.mean
        for i in range(min(self.config.components, self.frames - 1)):
            direction = self.principal[i]
            length = np.sqrt(direction @ direction)
            if length <= LEAST_NORM:
                # The first frame that leaves a rest starts this component.
                self.principal[i] = rest
                return
            unit = direction / length
            self.principal[i] = (1 - new) * direction + new * (rest @ unit) * rest
            unit = self.principal[i] / (np.linalg.norm(self.principal[i]) + LEAST_NORM)
            rest = rest - (rest @ unit) * unit

    def _slow_by(self, change: np.ndarray) -> None:
        """Follow the minor components by a difference of neighbouring frames."""
        config = self.config
        slowed = 1 if config.halve_after is None else 1 + self.frames / config.halve_after
        rate = config.learning_rate / slowed
        white = self._whitening() @ change
        new = (1 + _amnesia(self.frames, config.amnesic)) / self.frames
        self.speed += (new if self.speed else 1.0) * (white @ white - self.speed)
        # Scaled to a mean squared length of 1, or the rate would depend on the frame rate.
        white = white / np.sqrt(self.speed + LEAST_NORM)
        # A rare large change must not throw the components over.
        rate = min(rate, 0.5 / (white @ white + LEAST_NORM))
        overlap = np.tril(self.minor @ self.minor.T, -1)
        push = (self.minor @ white)[:, None] * white + config.repulsion * (overlap @ self.minor)
        minor = (1 - rate) * self.minor - rate * push
        self.minor = minor / np.linalg.norm(minor, axis=1, keepdims=True)

    def _whitening(self) -> np.ndarray:
        """Return ``[component, signal]``: a direction as long as its variance d, over d^1.5."""
        length = np.linalg.norm(self.principal, axis=1, keepdims=True)
        return self.principal / np.maximum(length, LEAST_NORM) ** 1.5


def _amnesia(frame: int, amnesic: tuple[float, float, float, float]) -> float:
    """Return by how much more than its equal share a frame weighs."""
    start, full, memory, gain = amnesic
    if frame <= start:
        return 0.0
    if frame < full:
        return gain * (frame - start) / (full - start)
    return gain + (frame - full) / memory
