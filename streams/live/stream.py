"""A plan's clips as they are rendered, in batches whose content is known beforehand."""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from ..job import ClipMaker
from ..plan import Plan
from .line import Line
from .options import LiveOptions
from .renderers import open_renderer
from .ring import ClipShape, LiveClip, Ring
from .schedule import WindowSchedule
from .task import Outcome

MOST_SKIPPED = 64
"""So many clips in a row that cannot be rendered end a run."""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Where in the row of clips a stream goes on: all that a run has to keep."""

    position: int = 0
    from_clip: int = 0
    """The clip at that position is the first with at least this id that can be rendered."""


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """A clip that cannot be rendered, and the position that the next one took instead."""

    clip: int
    reason: str
    position: int


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """A clip in the ring."""

    clip: int
    slot: int


class LiveStream:
    """Renders a plan's clips beside its caller, who takes them batch by batch.

    Renderers wait when the ring is full, the caller waits when a clip of its batch is not there
    yet. Which clips are in a batch depends on the schedule and on the plan, never on the time.

    Example::

        with LiveStream(plan, SceneClips(scenes), schedule, LiveOptions()) as stream:
            stream.start(training_clips(share=0.2, seed=0))
            for step in range(100):
                clips = [stream.clip(i) for i in stream.batch_ids(step)]
    """

    def __init__(
        self, plan: Plan, make_clip: ClipMaker, schedule: WindowSchedule, options: LiveOptions
    ) -> None:
        """Take memory and start the renderers.

        Raises:
            ValueError: the plan follows a path, which has an end.
        """
        if plan.path is not None:
            raise ValueError(
                "a plan along a path has an end, and a stream has none; render it to a folder, and "
                "train on that"
            )
        self.schedule = schedule
        self.options = options
        self._ring = Ring(ClipShape.of(plan), schedule.fewest_slots + options.ahead)
        self._stack = ExitStack()
        self._renderer = self._stack.enter_context(
            open_renderer(plan, make_clip, self._ring, options)
        )
        self._known: dict[int, LiveClip] = {}
        self._line = Line(self._renderer, self._ring, self._known)
        self._ids: Iterator[int] = iter(())
        self._placed: deque[_Placed] = deque()
        self._first, self._first_from = 0, 0
        self._passed_over: list[PassedOver] = []
        self._in_a_row = 0

    def __enter__(self) -> Self:
        """Return the stream."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the renderers."""
        self.close()

    def close(self) -> None:
        """End the renderers; may be called twice."""
        self._stack.close()

    def first(self, ids: Iterator[int], count: int) -> tuple[dict[int, LiveClip], list[PassedOver]]:
        """Return the first ``count`` of some clips that can be rendered, and those that cannot.

        To be called before ``start``. They are kept, and not rendered again when training asks.
        """
        line = Line(self._renderer, self._ring, self._known)
        found: dict[int, LiveClip] = {}
        without: list[PassedOver] = []

        def is_enough(done: list[Outcome]) -> bool:
            for outcome in done:
                if self._is_there(outcome):
                    found[outcome.clip] = self._ring.read(outcome.slot).copy()
                    line.release(outcome.slot)
                else:
                    without.append(_passed_over(outcome, len(found)))
            while line.free and len(found) + line.asked < count:
                line.ask(next(ids))
            return len(found) == count

        line.wait(is_enough, most_s=self.options.max_wait_s)
        self._known.update(found)
        return found, without

    def start(self, ids: Iterator[int], *, anchor: Anchor | None = None) -> None:
        """Begin to render: ``ids`` are those of training clips from the anchor's on, ascending."""
        anchor = anchor or Anchor()
        self._ids = ids
        self._first, self._first_from = anchor.position, anchor.from_clip
        self._in_a_row = 0
        self._line = Line(self._renderer, self._ring, self._known)
        self._ask()

    def batch_ids(self, step: int) -> list[int]:
        """Return the clips of a batch; waits until the window that it is drawn from is there.

        Slots of clips that no later batch uses are given to others: what ``clip`` returned for an
        earlier batch is not to be looked at any more. Steps must not go back.

        Raises:
            RuntimeError: a clip failed, a renderer was killed, or nothing came for too long.
            ValueError: what a clip was to be made from is wrong.
        """
        first, stop = self.schedule.first_needed(step), self.schedule.stop_needed(step)

        def is_enough(done: list[Outcome]) -> bool:
            for outcome in done:
                self._place(outcome)
            self._release(first)
            self._ask()
            return self._stop >= stop

        self._line.wait(is_enough, most_s=self.options.max_wait_s)
        places = self.schedule.positions(step) - self._first
        return [self._placed[int(place)].clip for place in places]

    def clip(self, clip: int) -> LiveClip:
        """Return a clip that is in the ring, as a view.

        Raises:
            KeyError: it is not there.
        """
        for placed in self._placed:
            if placed.clip == clip:
                return self._ring.read(placed.slot)
        raise KeyError(f"clip {clip} is not among those rendered: {self.rendered_ids}")

    def anchor(self, step: int) -> Anchor:
        """Return where to go on for the batches from ``step`` on."""
        position = min(max(self.schedule.first_needed(step), self._first), self._stop)
        if position == self._first:
            return Anchor(position=position, from_clip=self._first_from)
        before = self._placed[position - self._first - 1]
        return Anchor(position=position, from_clip=before.clip + 1)

    def passed_over(self, step: int) -> list[PassedOver]:
        """Return clips that could not be rendered, and that a batch first did without in a step."""
        before = self.schedule.stop_needed(step - 1) if step else 0
        stop = self.schedule.stop_needed(step)
        return [each for each in self._passed_over if before <= each.position < stop]

    @property
    def rendered_ids(self) -> list[int]:
        """Ids of the clips that are in the ring, oldest first."""
        return [placed.clip for placed in self._placed]

    @property
    def clips_per_s(self) -> float | None:
        """Clips a second that the renderers make if they never rest; None before the first."""
        return self._line.rate.clips_per_s

    @property
    def newest(self) -> int:
        """The highest position that is in the ring."""
        return self._stop - 1

    @property
    def _stop(self) -> int:
        return self._first + len(self._placed)

    def _ask(self) -> None:
        while self._line.free:
            self._line.ask(next(self._ids))

    def _place(self, outcome: Outcome) -> None:
        if self._is_there(outcome):
            self._placed.append(_Placed(clip=outcome.clip, slot=outcome.slot))
        else:
            self._passed_over.append(_passed_over(outcome, self._stop))

    def _release(self, position: int) -> None:
        while self._placed and self._first < position:
            oldest = self._placed.popleft()
            self._line.release(oldest.slot)
            self._first, self._first_from = self._first + 1, oldest.clip + 1

    def _is_there(self, outcome: Outcome) -> bool:
        """Return whether a clip could be rendered; a long row of those that could not is an end."""
        self._in_a_row = self._in_a_row + 1 if outcome.skipped else 0
        if self._in_a_row == MOST_SKIPPED:
            raise RuntimeError(
                f"none of the last {MOST_SKIPPED} clips, up to clip {outcome.clip}, can be "
                f"rendered: {outcome.skipped}"
            )
        return not outcome.skipped


def _passed_over(outcome: Outcome, position: int) -> PassedOver:
    return PassedOver(clip=outcome.clip, reason=outcome.skipped, position=position)
