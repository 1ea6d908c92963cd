"""What two eyes are shown instead of what they saw, and what that does to decoding."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ..alignment.probes.groups import Draws
from ..parts import Progress
from .decoding import decode, fit_readers
from .features import FeatureSet, Sees, Where, encode
from .results import ControlScore
from .tasks import Measure, Task

RECORDED = "both eyes, as recorded"
CONTROLLED = ("disparity", "depth", "heading_direction", "speed")
"""Tasks that stereo may matter for."""


def left_twice(clips: Tensor) -> Tensor:
    """Return the left eye's pictures in both eyes: no disparity anywhere."""
    return clips[:, :1].expand(-1, 2, *clips.shape[2:])


def right_twice(clips: Tensor) -> Tensor:
    """Return the right eye's pictures in both eyes."""
    return clips[:, 1:2].expand(-1, 2, *clips.shape[2:])


def swapped(clips: Tensor) -> Tensor:
    """Return the eyes exchanged: every disparity has the other sign."""
    return clips.flip(1)


def anti_correlated(clips: Tensor) -> Tensor:
    """Return the right eye's contrast reversed about the mean of each frame and channel.

    Cells that compute disparity energy answer the other way round, and people see no depth
    (Cumming & Parker 1997, Nature 389:280).
    """
    right = clips[:, 1:2]
    mean = right.mean(dim=(-2, -1), keepdim=True)
    return torch.cat([clips[:, :1], (2 * mean - right).clamp(0, 1)], dim=1)


CHANGES: Mapping[str, Callable[[Tensor], Tensor]] = {
    RECORDED: lambda clips: clips,
    "the left eye twice": left_twice,
    "the right eye twice": right_twice,
    "eyes swapped": swapped,
    "right eye's contrast reversed": anti_correlated,
}


def measure_controls(  # noqa: PLR0913 - who sees what, what is read, and who is told
    encoder: Sees,
    video: Tensor,
    where: Where,
    recorded: FeatureSet,
    tasks: list[Task],
    draws: Draws,
    *,
    progress: Progress | None = None,
) -> list[ControlScore]:
    """Return how well tasks are decoded when the eyes are shown something else.

    Args:
        encoder: of two eyes.
        video: uint8 clips of two eyes.
        where: what is read.
        recorded: the encoder's features of the clips as they are.
        tasks: what is decoded.
        draws: of the intervals.
        progress: told the share done.
    """
    chosen = [task for task in tasks if task.name in CONTROLLED]
    readers = {task.name: fit_readers(task, recorded) for task in chosen}
    found = []
    for number, (condition, change) in enumerate(CHANGES.items()):
        if progress is not None:
            progress(number / len(CHANGES), condition)
        seen = (
            recorded
            if condition == RECORDED
            else encode(condition, encoder, video, where, change=change)
        )
        for task in chosen:
            same, refitted = decode(task, seen, readers[task.name]), decode(task, seen)
            found += [
                ControlScore(
                    task=task.name,
                    measure=measure.name,
                    unit=measure.unit,
                    condition=condition,
                    same_probe=same.interval(measure, draws),
                    refitted=refitted.interval(measure, draws),
                )
                for measure in _told(task)
            ]
    return found


def _told(task: Task) -> list[Measure]:
    """Return the first measure of a task, and its correlation, whose sign may turn."""
    return [task.measures[0], *[each for each in task.measures[1:] if each.name == "correlation"]]
