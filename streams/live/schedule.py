"""Which clips are in which batch, as arithmetic: nothing depends on when a clip was ready."""

from dataclasses import dataclass
from math import isqrt

import numpy as np

from ..permutation import permute


@dataclass(frozen=True, kw_only=True)
class WindowSchedule:
    """Shuffled passes over a window that moves along an endless row of clips.

    Clips stand in a row, counted by position. A pass uses every clip in the window once, in a
    shuffled order. Then the oldest ``window / reuse`` clips leave and as many new ones enter, so
    that each is used in exactly ``reuse`` passes. The first passes are shorter: the window starts
    with the new clips of one pass alone, so that a run need not wait for a whole window.

    Example:
        >>> schedule = WindowSchedule(reuse=2, window=4, batch_size=2, seed=0)
        >>> [sorted(schedule.positions(step).tolist()) for step in range(3)]
        [[0, 1], [2, 3], [0, 1]]
    """

    reuse: int
    """Times that each clip is used."""
    window: int
    """Clips that are shuffled together; no clip is used when as many newer ones are in use."""
    batch_size: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse windows that do not come out even, or that a batch does not fit into."""
        if self.reuse < 1 or self.batch_size < 1 or self.seed < 0:
            raise ValueError(
                f"expected a reuse and a batch size of at least 1, a seed of at least 0, got {self}"
            )
        if self.window < self.batch_size or self.window % self.reuse:
            raise ValueError(
                f"expected a window of at least the {self.batch_size} clips of a batch and a "
                f"multiple of the reuse {self.reuse}, got {self.window}"
            )

    @property
    def fresh(self) -> int:
        """Clips that enter, and that leave, with each pass."""
        return self.window // self.reuse

    @property
    def fewest_slots(self) -> int:
        """Clips that must be there at once: a batch may end one pass and begin the next."""
        return self.window + self.fresh

    def pass_of(self, use: int) -> int:
        """Return the pass that a use belongs to; uses are counted over all batches."""
        full = self._first_use(self.reuse)
        if use >= full:
            return self.reuse + (use - full) // self.window
        # The n-th of the short passes is n times as long as the first: triangular numbers.
        return (isqrt(8 * (use // self.fresh) + 1) - 1) // 2

    def passed(self, number: int) -> range:
        """Return the positions that a pass uses."""
        return range(max(0, number - self.reuse + 1) * self.fresh, (number + 1) * self.fresh)

    def positions(self, step: int) -> np.ndarray:
        """Return the positions of the clips of batch ``step``, int64 ``[batch]``."""
        return self._rows(step)[0]

    def uses(self, step: int) -> np.ndarray:
        """Return how often each clip of a batch has been used with this time, 1 to ``reuse``."""
        positions, passes = self._rows(step)
        return passes - positions // self.fresh + 1

    def first_needed(self, step: int) -> int:
        """Return the lowest position that batch ``step`` or a later one may use."""
        return self.passed(self.pass_of(step * self.batch_size)).start

    def stop_needed(self, step: int) -> int:
        """Return the end of the positions that batches up to and with ``step`` may use."""
        return self.passed(self.pass_of((step + 1) * self.batch_size - 1)).stop

    def first_step(self, position: int) -> int:
        """Return the first step whose batch may use a position."""
        return self._first_use(position // self.fresh) // self.batch_size

    def _rows(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Return position and pass of each clip of a batch."""
        uses = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        passes = np.array([self.pass_of(int(use)) for use in uses])
        positions = np.empty(self.batch_size, np.int64)
        for number in np.unique(passes):
            here, window = passes == number, self.passed(int(number))
            places = uses[here] - self._first_use(int(number))
            key = f"live/{self.seed}/{number}"
            positions[here] = window.start + permute(places, size=len(window), key=key)
        return positions, passes

    def _first_use(self, number: int) -> int:
        """Return the first use of a pass."""
        short = min(number, self.reuse)
        return self.fresh * short * (short + 1) // 2 + self.window * (number - short)
