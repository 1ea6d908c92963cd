"""Clips in the order of their ids, in whatever order renderers finish them."""

import time
from collections import deque
from collections.abc import Callable, Mapping

from .ring import LiveClip, Ring
from .task import Outcome, Renderer, Task

POLL_S = 0.5


class RenderRate:
    """How fast clips are rendered, measured while they are."""

    def __init__(self, workers: int) -> None:
        """Begin to measure renderers that work at the same time."""
        self._workers = workers
        self._clips, self._seconds = 0, 0.0

    def add(self, outcome: Outcome) -> None:
        """Count a clip, unless a renderer had to load its scene first."""
        if not outcome.warm_up and outcome.seconds:
            self._clips += 1
            self._seconds += outcome.seconds

    @property
    def clips_per_s(self) -> float | None:
        """Clips a second if no renderer ever rests; None before there was one."""
        return self._workers * self._clips / self._seconds if self._clips else None


class Line:
    """Asks for clips as slots come free, and gives them back in the order they were asked for."""

    def __init__(self, renderer: Renderer, ring: Ring, known: Mapping[int, LiveClip]) -> None:
        """Begin with all slots free; clips that are ``known`` are copied and not rendered."""
        self._renderer = renderer
        self._ring = ring
        self._known = known
        self._free = deque(range(ring.slots))
        self._asked: deque[int] = deque()
        self._outcomes: dict[int, Outcome] = {}
        self.rate = RenderRate(renderer.workers)

    @property
    def free(self) -> int:
        """Slots that no clip is in or on its way to."""
        return len(self._free)

    @property
    def asked(self) -> int:
        """Clips that were asked for and not given back."""
        return len(self._asked)

    def ask(self, clip: int) -> None:
        """Ask for a clip; there must be a free slot."""
        slot = self._free.popleft()
        self._asked.append(clip)
        if clip in self._known:
            self._ring.write(slot, self._known[clip])
            self._outcomes[clip] = Outcome(clip=clip, slot=slot)
        else:
            self._renderer.ask(Task(clip=clip, slot=slot))

    def release(self, slot: int) -> None:
        """Give a slot back."""
        self._free.append(slot)

    def settled(self, timeout_s: float = 0.0) -> list[Outcome]:
        """Return the next clips in order that are there, or cannot be; waits if there is none.

        Raises:
            RuntimeError: a clip failed, or a renderer has ended; names the clip.
            ValueError: what a clip was to be made from is wrong; names the clip.
        """
        ready = bool(self._asked) and self._asked[0] in self._outcomes
        for outcome in self._renderer.outcomes(0.0 if ready else timeout_s):
            if outcome.failed:
                raise (ValueError if outcome.bad_input else RuntimeError)(outcome.failed)
            self._outcomes[outcome.clip] = outcome
            self.rate.add(outcome)
        done = []
        while self._asked and self._asked[0] in self._outcomes:
            outcome = self._outcomes.pop(self._asked.popleft())
            if outcome.skipped:
                self.release(outcome.slot)
            done.append(outcome)
        return done

    def wait(self, is_enough: Callable[[list[Outcome]], bool], *, most_s: float) -> None:
        """Hand what is settled to ``is_enough`` until that says so.

        Raises:
            RuntimeError: nothing was settled for ``most_s``; or as ``settled``.
        """
        since_s = time.monotonic()
        done = self.settled()
        while not is_enough(done):
            if done:
                since_s = time.monotonic()
            elif time.monotonic() - since_s > most_s:
                raise RuntimeError(
                    f"waited {most_s:g} s for clip {self._asked[0]}, and it was not rendered; ask "
                    "for smaller clips, or allow more time (max_wait_s)"
                )
            done = self.settled(min(POLL_S, most_s))
