"""What a run is fed: which clips, step by step, and which it is measured with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from .clip_classes import ClipClasses
from .clips import ClipSource, TrainingClip, batch_ids, held_out_split
from .experiment import Experiment

FIT_CLIPS = 64
"""At most so many training clips are used where a measure has to fit something."""


class Feed(Protocol):
    """The clips of one run."""

    frame_rate_hz: float
    cached: bool
    """Whether a clip that was read may be kept, because it will be read again."""
    fit_ids: Sequence[int]
    """Training clips that a measure may fit something on."""
    held_out_ids: Sequence[int]

    def read(self, clip: int) -> TrainingClip:
        """Return a clip of the batch asked for last, or one to measure with."""
        ...

    def start(self, state: Mapping[str, Any]) -> None:
        """Begin to train, from what a checkpoint kept; from nothing at the start."""
        ...

    def batch_ids(self, step: int) -> list[int]:
        """Return the clips of a batch; waits until they are there."""
        ...

    def state(self, step: int) -> dict[str, Any]:
        """Return what the batches from ``step`` on depend on, beside the step: plain data."""
        ...

    def noted(self, step: int) -> dict[str, Any]:
        """Return what is worth a place in the step's line of the log."""
        ...

    def events(self, step: int) -> list[str]:
        """Return what happened to clips that a step would have had."""
        ...

    def results(self, lines: Sequence[Mapping[str, Any]], steps: int) -> dict[str, Any]:
        """Return what ``results.json`` says of the clips, given all lines of the log."""
        ...

    def close(self) -> None:
        """End what was opened; may be called twice."""
        ...


@runtime_checkable
class FeedingSource(Protocol):
    """A source of clips that knows itself which come when."""

    description: Mapping[str, Any]
    """Changes when the clips or their order change: a run is resumed on the same only."""

    def feed(self, experiment: Experiment) -> Feed:
        """Return a run's clips."""
        ...


class EpochFeed:
    """Clips that are all there: shuffled epochs without end, some of them held out."""

    cached = True

    def __init__(self, source: ClipSource, experiment: Experiment) -> None:
        """Split the clips into those to train on and those held out."""
        if not source.clip_ids:
            raise ValueError("expected a data set with clips, got an empty one")
        self._source = source
        self._experiment = experiment
        self.frame_rate_hz = source.frame_rate_hz
        self._training_ids, held_out = held_out_split(
            source.clip_ids, share=experiment.held_out_share, seed=experiment.seed
        )
        self.fit_ids: Sequence[int] = self._training_ids[:FIT_CLIPS]
        self.held_out_ids: Sequence[int] = held_out
        self._classes = ClipClasses.of(source, self._training_ids, experiment)

    def read(self, clip: int) -> TrainingClip:
        """Return a clip."""
        return replace(self._source.read(clip), clip_class=self._classes.of_clip(clip))

    def start(self, state: Mapping[str, Any]) -> None:
        """Begin; there is nothing to prepare."""

    def batch_ids(self, step: int) -> list[int]:
        """Return the clips of a batch."""
        chosen = self._experiment
        return batch_ids(self._training_ids, chosen.batch_size, seed=chosen.seed, step=step)

    def state(self, step: int) -> dict[str, Any]:
        """Return nothing: a batch depends on the step alone."""
        return {}

    def noted(self, step: int) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def events(self, step: int) -> list[str]:
        """Return nothing."""
        return []

    def results(self, lines: Sequence[Mapping[str, Any]], steps: int) -> dict[str, Any]:
        """Return how many clips there are."""
        held_out = len(self.held_out_ids)
        return {"clips": {"training": len(self._training_ids), "held_out": held_out}}

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


def feed_of(source: "ClipSource | FeedingSource", experiment: Experiment) -> Feed:
    """Return a run's clips from any source."""
    if isinstance(source, FeedingSource):
        return source.feed(experiment)
    return EpochFeed(source, experiment)


def described(source: "ClipSource | FeedingSource") -> dict[str, Any]:
    """Return what makes a run's data what they are, as plain data."""
    if isinstance(source, FeedingSource):
        return dict(source.description)
    return {"identity": source.identity}
