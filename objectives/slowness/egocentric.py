"""What slow feature analysis finds in the views of a walker, in theory.

Franzius, Sprekeler & Wiskott 2007 (doi 10.1371/journal.pcbi.0030166): a walker in a rectangle,
whose position and heading diffuse and whose views tell where it is. Whatever the views, the slowest
features of a rich enough family of functions depend on position and heading alone: places if the
walker turns fast, head direction if it walks fast.
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One slow feature of the theory: products of half cosines of position, and of heading."""

    along_x: int
    along_y: int
    turns: int
    is_sine: bool = False
    """Sine rather than cosine of the heading."""

    def __str__(self) -> str:
        """Return its numbers of half waves and turns, such as ``(1, 0, 0)``."""
        return f"({self.along_x}, {self.along_y}, {self.turns}{' sin' if self.is_sine else ''})"


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A uniform random walk in a rectangle with reflecting walls, and of its heading."""

    size_x: float
    size_y: float
    step: float
    """Standard deviation of a step along either axis, in units of the size."""
    turn_rad: float
    """Standard deviation of a turn."""

    def __post_init__(self) -> None:
        """Refuse walks without room or movement."""
        if not min(self.size_x, self.size_y, self.step, self.turn_rad) > 0:
            raise ValueError(f"expected a size, steps and turns above 0, got {self}")

    def sample(self, frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return x, y and the unwrapped heading in radians of some frames of such a walk.

        The first frame is a step away from x = y = 0.3 ``size_x``, and a turn from heading 0.
        """
        rng = np.random.default_rng(seed)
        x, y, heading = (
            np.cumsum(rng.normal(0, spread, frames))
            for spread in (self.step, self.step, self.turn_rad)
        )
        start = 0.3 * self.size_x
        return reflected(start + x, self.size_x), reflected(start + y, self.size_y), heading

    def delta(self, mode: Mode) -> float:
        """Return the mean squared change of a mode at unit variance, from frame to frame.

        ``2 (1 - exp(-(s pi j/Lx)^2/2) exp(-(s pi l/Ly)^2/2) exp(-(s_phi m)^2/2))``.
        """
        spreads = (
            self.step * math.pi * mode.along_x / self.size_x,
            self.step * math.pi * mode.along_y / self.size_y,
            self.turn_rad * mode.turns,
        )
        return -2 * math.expm1(-sum(spread**2 for spread in spreads) / 2)

    def modes(self, count: int) -> list[Mode]:
        """Return the slowest modes, ascending in delta."""
        most = count + 1
        modes = [
            Mode(along_x=j, along_y=line, turns=m, is_sine=sine)
            for j in range(most)
            for line in range(most)
            for m in range(most)
            for sine in ((False, True) if m else (False,))
            # At most `count` modes are slower than one with these numbers of waves.
            if 0 < (j + 1) * (line + 1) * (m + 1) - 1 <= count
        ]
        return sorted(modes, key=self.delta)[:count]

    def response(
        self, mode: Mode, x: np.ndarray, y: np.ndarray, heading_rad: np.ndarray
    ) -> np.ndarray:
        """Return a mode's value at places and headings, up to its scale."""
        place = np.cos(np.pi * mode.along_x * x / self.size_x) * np.cos(
            np.pi * mode.along_y * y / self.size_y
        )
        wave = np.sin if mode.is_sine else np.cos
        return place * wave(mode.turns * heading_rad)


def reflected(position: np.ndarray, size: float) -> np.ndarray:
    """Return positions folded into [0, size], as mirrors at both ends do."""
    folded = np.mod(position, 2 * size)
    return np.minimum(folded, 2 * size - folded)


def explained(targets: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return the share of variance (R2) of each target that is linear in the features.

    Args:
        targets: ``[frame, target]``.
        features: ``[frame, feature]``. Features of nearly equal delta mix freely, so that their
            span says more than each of them.
    """
    targets, features = targets - targets.mean(axis=0), features - features.mean(axis=0)
    weights = np.linalg.lstsq(features, targets, rcond=None)[0]
    return 1 - np.square(targets - features @ weights).sum(axis=0) / np.square(targets).sum(axis=0)
