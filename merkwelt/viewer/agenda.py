"""What is to be computed next, from what is wanted and what is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .cloud import STAGES


@dataclass(frozen=True)
class NavigationTask:
    """Find out where an observer can go."""

    observer: str


@dataclass(frozen=True)
class ClipTask:
    """Plan a clip."""

    observer: str
    clip: int


@dataclass(frozen=True)
class PictureTask:
    """Render what the eyes see in a frame."""

    observer: str
    clip: int
    frame: int


@dataclass(frozen=True)
class CloudTask:
    """Render the scene's points, one stage after the other."""

    stage: int


Task = NavigationTask | ClipTask | PictureTask | CloudTask
Result = Any
"""What came of a task: of each kind of task another, or a Failure."""


@dataclass(frozen=True)
class Failure:
    """A task that could not be done, and why."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the panel is set to."""

    observer: str
    clip: int = 0
    frame: int = 0
    frames: int
    other_clips: int = 0
    """How many clips' paths are shown beside the chosen one's."""

    @property
    def picture(self) -> PictureTask:
        """The frame that is looked at."""
        return PictureTask(self.observer, self.clip, self.frame)


def next_task(wanted: Wanted, results: Mapping[Task, Result]) -> Task | None:
    """Return the most urgent task that has no result and can be done, or None."""
    for task in _by_urgency(wanted):
        if task not in results and _can_be_done(task, results):
            return task
    return None


def _by_urgency(wanted: Wanted) -> Iterator[Task]:
    """Yield the clip, its present frame, the scene, the next frames and the other clips."""
    yield NavigationTask(wanted.observer)
    yield ClipTask(wanted.observer, wanted.clip)
    yield CloudTask(0)
    yield wanted.picture
    for stage in range(1, len(STAGES)):
        yield CloudTask(stage)
    for clip in range(wanted.other_clips):
        yield ClipTask(wanted.observer, clip)
    for step in range(1, wanted.frames):
        frame = (wanted.frame + step) % wanted.frames
        yield PictureTask(wanted.observer, wanted.clip, frame)


def _can_be_done(task: Task, results: Mapping[Task, Result]) -> bool:
    needed: Task | None = None
    if isinstance(task, ClipTask):
        needed = NavigationTask(task.observer)
    elif isinstance(task, PictureTask):
        needed = ClipTask(task.observer, task.clip)
    return needed is None or not isinstance(results.get(needed, Failure("")), Failure)
