"""Which of the training clips a clip is: the classes of temporal classification."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ..objectives.harmonizer.harmonised import HarmonisedConfig
from ..objectives.temporal.classes import TemporalClassesConfig
from .clips import ClipSource
from .experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class ClipClasses:
    """Numbers of clips, or of the chunks of videos that they were cut from.

    Chunks are numbered as they first come in the training clips, whose ids ascend. Ids, split and
    chunks depend on the data and the experiment alone, so a resumed run has the same numbers.
    """

    numbers: Mapping[Hashable, int]
    chunk_of: Callable[[int], Hashable]

    @classmethod
    def of(cls, source: ClipSource, training_ids: Sequence[int], experiment: Experiment) -> Self:
        """Return the classes of a source's training clips.

        Raises:
            ValueError: the experiment learns to tell fewer of them apart than there are.
        """
        learned = _learned(experiment)
        chunk_of = _chunks(source, None if learned is None else learned.chunk_s)
        numbers: dict[Hashable, int] = {}
        for clip in training_ids:
            numbers.setdefault(chunk_of(clip), len(numbers))
        if learned is not None and len(numbers) > learned.classes:
            raise ValueError(
                f"expected at most {learned.classes} training clips (or chunks of videos) to "
                f"tell apart, got {len(numbers)}; set objective.classes to {len(numbers)}"
            )
        return cls(numbers=numbers, chunk_of=chunk_of)

    def of_clip(self, clip: int) -> int:
        """Return the number of a clip's chunk, or -1 if no training clip lies in it."""
        return self.numbers.get(self.chunk_of(clip), -1)


def refuse_classes(experiment: Experiment) -> None:
    """Raise ValueError if an experiment learns which clip it is, of clips without end."""
    if _learned(experiment) is not None:
        raise ValueError(
            "expected clips that can be counted to learn to tell them apart, got a stream without "
            "end; render its clips to a folder, and train on that"
        )


def _learned(experiment: Experiment) -> TemporalClassesConfig | None:
    """Return which classes of clips are learned, if any are."""
    objective = experiment.objective
    if isinstance(objective, HarmonisedConfig) and objective.objective is not None:
        objective = objective.objective
    return objective if isinstance(objective, TemporalClassesConfig) else None


def _chunks(source: ClipSource, seconds: float | None) -> Callable[[int], Hashable]:
    chunk = getattr(source, "chunk", None)
    if chunk is None or seconds is None:
        return lambda clip: clip
    return lambda clip: chunk(clip, seconds)
