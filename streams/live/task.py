"""One clip asked for, and what came of it; the same for all kinds of renderers."""

import time
from dataclasses import dataclass
from typing import Protocol

from ..job import ClipMaker
from ..plan import Plan
from .ring import LiveClip, Ring


@dataclass(frozen=True, kw_only=True)
class Task:
    """A clip to be rendered into a slot."""

    clip: int
    slot: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a task."""

    clip: int
    slot: int
    seconds: float = 0.0
    skipped: str = ""
    """Why the clip cannot be rendered, if so."""
    failed: str = ""
    """What went wrong, if something did; names the clip."""
    bad_input: bool = False
    """Whether what went wrong is the input's fault."""
    warm_up: bool = False
    """Whether it was a renderer's first, which loads the scene too."""


class Renderer(Protocol):
    """Renders clips into a ring, beside the trainer."""

    workers: int

    def ask(self, task: Task) -> None:
        """Take a task; does not wait."""
        ...

    def outcomes(self, timeout_s: float) -> list[Outcome]:
        """Return what is done since the last call; waits for something, no longer than asked.

        Raises:
            RuntimeError: a renderer has ended.
        """
        ...

    def close(self) -> None:
        """End all work; may be called twice."""
        ...


def render_into(
    ring: Ring, plan: Plan, make_clip: ClipMaker, task: Task, *, warm_up: bool
) -> Outcome:
    """Render a clip into its slot and return what came of it; never raises an Exception."""
    started_s = time.perf_counter()
    clip, slot = task.clip, task.slot
    where = f"clip {clip} of scene {plan.scene_of(clip).name!r}"
    try:
        ring.write(slot, LiveClip.of(make_clip(plan, clip)))
    except make_clip.skips as error:
        return Outcome(clip=clip, slot=slot, skipped=f"{type(error).__name__}: {error}")
    except ValueError as error:
        return Outcome(clip=clip, slot=slot, failed=f"{where}: {error}", bad_input=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the trainer has to hear of it
        what = f"{type(error).__name__}: {error}"
        return Outcome(clip=clip, slot=slot, failed=f"{where} could not be made: {what}")
    seconds = time.perf_counter() - started_s
    return Outcome(clip=clip, slot=slot, seconds=seconds, warm_up=warm_up)
