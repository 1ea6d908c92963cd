"""Moments for slow feature analysis, gathered block by block in float64.

Signals may be of any size: no copy of them is made that is larger than a block. Every block is
centred before it is multiplied, and blocks are joined by the update of Chan, Golub & LeVeque
(1979), so that a large mean costs no digits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .clip_signals import ClipLike, Clips, Pairs, check_covariance, check_pairs, check_shapes
from .slow_features import Covariance, SlowFeatures, solve_sfa, whitening_of

BLOCK_BYTES = 1 << 23
"""In float64. Smaller blocks would stay in the cache, but every one makes the threads of a matrix
product wait for each other, which takes long on a busy machine."""
LEAST_BLOCK_FRAMES = 256


@dataclass(kw_only=True)
class Scatter:
    """Count, mean, and sum of the outer products of deviations from it."""

    count: int
    mean: np.ndarray
    """``[signal]``."""
    outer: np.ndarray
    """``[signal, signal]``."""

    @classmethod
    def empty(cls, signals: int) -> "Scatter":
        """Return the scatter of nothing."""
        return cls(count=0, mean=np.zeros(signals), outer=np.zeros((signals, signals)))

    def add(self, counts: np.ndarray, means: np.ndarray) -> None:
        """Take in parts of ``counts`` [part] frames each that all lie at their ``means`` [part]."""
        total = int(counts.sum())
        if total == 0:
            return
        mean = counts @ means / total
        apart = (means - mean) * np.sqrt(counts)[:, None]
        self.join(Scatter(count=total, mean=mean, outer=apart.T @ apart))

    def join(self, other: "Scatter") -> None:
        """Take in another scatter."""
        if other.count == 0:
            return
        count = self.count + other.count
        apart = other.mean - self.mean
        share = self.count * other.count / count
        self.outer += other.outer + share * np.outer(apart, apart)
        self.mean = self.mean + apart * (other.count / count)
        self.count = count


class SfaMoments:
    """All that linear slow feature analysis must know of signals, fed clip by clip.

    Example:
        >>> moments = SfaMoments()
        >>> for seed in range(3):
        ...     walk = np.random.default_rng(seed).normal(size=(100, 4)).cumsum(axis=0)
        ...     moments.update(walk)
        >>> moments.solve(outputs=2).weights.shape
        (4, 2)
    """

    def __init__(self) -> None:
        """Start without any frame."""
        self._signals: int | None = None

    @property
    def frames(self) -> int:
        """Frames taken in; those that belong to no valid pair are not."""
        return 0 if self._signals is None else self._between.count

    @property
    def pairs(self) -> int:
        """Valid pairs of neighbouring frames taken in."""
        return 0 if self._signals is None else self._pairs

    def update(self, clip: ClipLike, valid_pairs: np.ndarray | None = None) -> None:
        """Take in one clip ``[time, signal]``; it may be a memory-mapped array larger than memory.

        Args:
            clip: at least 2 frames.
            valid_pairs: bool ``[time - 1]``, which neighbours may be compared. Frames that belong
                to no valid pair are left out altogether.
        """
        self.update_all([clip], None if valid_pairs is None else [valid_pairs])

    def update_all(self, clips: Clips, valid_pairs: Pairs = None) -> None:
        """Take in clips ``[clip, time, signal]``, or a sequence of ``[time, signal]``.

        Nothing is taken in if any of them is refused for its shape.
        """
        shapes = [clip.shape for clip in clips]
        signals = check_shapes(shapes, self._signals)
        pairs = check_pairs(shapes, valid_pairs)
        if self._signals is None:
            self._begin(signals)
        block_frames = max(LEAST_BLOCK_FRAMES, BLOCK_BYTES // (8 * signals))
        for group in _groups([shape[0] for shape in shapes], block_frames):
            some = range(group.start, group.stop)
            if len(some) == 1 and shapes[group.start][0] > block_frames:
                one = group.start
                self._long(clips[one], None if pairs is None else pairs[one], block_frames)
            else:
                block = np.concatenate([clips[i][:] for i in some], dtype=np.float64)
                counts = np.array([shapes[i][0] for i in some])
                joined = None if pairs is None else [pairs[i] for i in some]
                self._short(block, counts, joined)

    def merge(self, other: "SfaMoments") -> None:
        """Take in all that another has taken in."""
        if other._signals is None:
            return
        if self._signals is None:
            self._begin(other._signals)
        if other._signals != self._signals:
            raise ValueError(f"expected moments of {self._signals} signals, got {other._signals}")
        self._within += other._within
        self._between.join(other._between)
        self._speed += other._speed
        self._pairs += other._pairs

    def variance(self, covariance: Covariance = "within", *, ddof: int = 0) -> np.ndarray:
        """Return C ``[signal, signal]``, the signals' covariance."""
        self._require_some()
        check_covariance(covariance)
        total = self._within if covariance == "within" else self._within + self._between.outer
        return total / (self.frames - ddof)

    def speed(self, *, ddof: int = 0) -> np.ndarray:
        """Return A ``[signal, signal]``, the uncentred second moment of the differences."""
        self._require_some()
        return self._speed / (self._pairs - ddof)

    def mean(self) -> np.ndarray:
        """Return the mean ``[signal]`` of all frames."""
        self._require_some()
        return self._between.mean.copy()

    def solve(
        self,
        *,
        outputs: int | None = None,
        covariance: Covariance = "within",
        rank_tolerance: float = 1e-12,
        ddof: int = 0,
        noise_variance: float = 0.0,
    ) -> SlowFeatures:
        """Return the slow features of all that was taken in; see ``fit_sfa``.

        ``noise_variance`` gives those of the signals with independent white noise added, of that
        variance, in expectation: C grows by it on the diagonal and A by twice it.
        """
        if noise_variance < 0:
            raise ValueError(f"expected a noise variance of at least 0, got {noise_variance}")
        variance, speed = self.variance(covariance, ddof=ddof), self.speed(ddof=ddof)
        np.einsum("ii->i", variance)[:] += noise_variance
        np.einsum("ii->i", speed)[:] += 2 * noise_variance
        return solve_sfa(
            variance, speed, mean=self.mean(), outputs=outputs, rank_tolerance=rank_tolerance
        )

    def whitening(
        self,
        *,
        most: int | None = None,
        covariance: Covariance = "within",
        rank_tolerance: float = 1e-12,
    ) -> np.ndarray:
        """Return ``[signal, rank]``, a projection to unit variance of the signals less their mean.

        ``most`` keeps only the directions of the largest variance.
        """
        return whitening_of(self.variance(covariance), rank_tolerance, most=most)

    def _begin(self, signals: int) -> None:
        self._signals = signals
        self._within = np.zeros((signals, signals))
        self._between = Scatter.empty(signals)
        self._speed = np.zeros((signals, signals))
        self._pairs = 0

    def _require_some(self) -> None:
        if not self.pairs:
            raise ValueError(
                "expected at least one valid pair of time steps, got none: take more or longer "
                "clips, a higher frame rate, or no masking of saccades and blinks"
            )

    def _long(self, clip: ClipLike, pairs: np.ndarray | None, block_frames: int) -> None:
        """Take in one clip that does not fit into a block: its blocks share a frame."""
        whole = Scatter.empty(clip.shape[1])
        around = None if pairs is None else np.concatenate([[False], pairs, [False]])
        for first in range(0, clip.shape[0], block_frames):
            # The first frame of a block is the last of the block before, only for the difference.
            start, stop = max(0, first - 1), first + block_frames
            block = np.array(clip[start:stop], dtype=np.float64)  # a copy: it is changed below
            valid = np.ones(len(block) - 1, bool) if pairs is None else pairs[start : stop - 1]
            used = np.ones(len(block), bool)
            if around is not None:
                near = around[start : start + len(block) + 1]
                used = near[:-1] | near[1:]
            used[: first - start] = False
            _require_finite(block)
            self._add_speed(block, valid)
            count = int(used.sum())
            if count:
                mean = block[used].mean(axis=0) if count < len(used) else block.mean(axis=0)
                block -= mean
                block[~used] = 0
                whole.join(Scatter(count=count, mean=mean, outer=block.T @ block))
        self._within += whole.outer
        self._between.add(np.array([whole.count]), whole.mean[None])

    def _short(
        self, block: np.ndarray, counts: np.ndarray, pairs: Sequence[np.ndarray] | None
    ) -> None:
        """Take in some whole clips, one after the other in a block."""
        _require_finite(block)
        ends = np.cumsum(counts)
        valid = np.ones(len(block), bool)
        if pairs is not None:
            valid[np.delete(np.arange(len(block)), ends - 1)] = np.concatenate(pairs)
        valid[ends - 1] = False
        used = valid.copy()
        used[1:] |= valid[:-1]
        if pairs is None:
            used[:] = True
        self._add_speed(block, valid[:-1])
        block[~used] = 0
        kept = np.add.reduceat(used, ends - counts, dtype=np.int64)
        means = np.add.reduceat(block, ends - counts, axis=0) / np.maximum(kept, 1)[:, None]
        block -= np.repeat(means, counts, axis=0)
        block[~used] = 0
        self._within += block.T @ block
        self._between.add(kept, means)

    def _add_speed(self, block: np.ndarray, valid: np.ndarray) -> None:
        change = block[1:] - block[:-1]
        count = int(valid.sum())
        if count < len(valid):
            change[~valid] = 0
        self._speed += change.T @ change
        self._pairs += count


def _groups(lengths: Sequence[int], block_frames: int) -> Iterator[range]:
    """Return runs of neighbouring clips that fit into a block together, or are a single clip."""
    first, held = 0, 0
    for i, frames in enumerate(lengths):
        if held and held + frames > block_frames:
            yield range(first, i)
            first, held = i, 0
        held += frames
    yield range(first, len(lengths))


def _require_finite(block: np.ndarray) -> None:
    """Refuse NaN and infinity; the sum tells at a glance that there is none."""
    if not np.isfinite(block.sum()) and not np.isfinite(block).all():
        raise ValueError("expected finite signals, got NaN or infinity")
