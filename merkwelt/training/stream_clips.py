"""Clips that are rendered while they are trained on."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import torch

from ..streams.crew import wants_gpu
from ..streams.job import ClipMaker
from ..streams.live import (
    Anchor,
    KeepingUp,
    LiveClip,
    LiveOptions,
    LiveStream,
    PassedOver,
    held_out_clips,
    training_clips,
)
from ..streams.plan import Plan
from .clip_classes import refuse_classes
from .clips import TrainingClip, lengths_are_metres, valid_pairs
from .experiment import Experiment
from .feed import FIT_CLIPS
from .self_motion import self_motion


class StreamClips:
    """An endless source: the clips of a plan, rendered beside the trainer.

    Example::

        source = StreamClips(plan, SceneClips({"living_room": scene}))
        train(recipe("sfa"), source, "runs/sfa")
    """

    def __init__(
        self, plan: Plan, make_clip: ClipMaker, options: LiveOptions | None = None
    ) -> None:
        """Take what to render, how, and how it reaches the trainer; nothing is rendered yet."""
        self.plan = plan
        self.make_clip = make_clip
        self.options = options or LiveOptions()
        chosen = self.options
        self.description: Mapping[str, Any] = {
            "identity": plan.id,
            "stream": {
                "scenes": {scene.name: scene.weight for scene in plan.scenes},
                "observer": plan.observer.get("name"),
                "settings": dict(plan.settings),
                "seed": plan.seed,
                "reuse": chosen.reuse,
                "window": chosen.window,
                "held_out_clips": chosen.held_out_clips,
            },
        }

    @property
    def name_in_commands(self) -> str:
        """What ``merkwelt train --data`` calls it."""
        return f"stream:{','.join(scene.name for scene in self.plan.scenes)}"

    def feed(self, experiment: Experiment) -> "StreamFeed":
        """Return a run's clips; starts the renderers and waits for the held-out clips."""
        return StreamFeed(self, experiment)


class StreamFeed:
    """The clips of one run, as they are rendered."""

    cached = False

    def __init__(self, source: StreamClips, experiment: Experiment) -> None:
        """Start the renderers, and render what the run is measured with."""
        refuse_classes(experiment)
        self.frame_rate_hz = source.plan.frame_rate_hz
        self._plan = source.plan
        self._reuse, self._batch_size = source.options.reuse, experiment.batch_size
        self._split = {"share": experiment.held_out_share, "seed": experiment.seed}
        self._schedule = source.options.schedule(
            batch_size=experiment.batch_size, seed=experiment.seed
        )
        self._threads_before = torch.get_num_threads()
        self._stream = LiveStream(source.plan, source.make_clip, self._schedule, source.options)
        if not wants_gpu(source.plan):
            torch.set_num_threads(source.options.threads_of_trainer)
        self.held_out_ids: Sequence[int]
        self.fit_ids: Sequence[int]
        try:
            self._measured: dict[int, LiveClip] = {}
            self.held_out_ids, self._without = self._rendered(
                held_out_clips(**self._split), source.options.held_out_clips
            )
            fit = min(FIT_CLIPS, self._schedule.window)
            self.fit_ids, _ = self._rendered(training_clips(**self._split), fit)
        except BaseException:
            self.close()
            raise

    def read(self, clip: int) -> TrainingClip:
        """Return a clip that is measured with, or of the batch asked for last."""
        found = self._measured.get(clip)
        if found is None:
            found = self._stream.clip(clip)
        pairs = valid_pairs(found.fixation_id, found.saccade, found.blink)
        translation, rotation = self_motion(found.world_from_eye)
        return TrainingClip(
            video=found.video,
            valid_pairs=pairs,
            translation_m=translation if lengths_are_metres(self._plan, clip) else None,
            rotation_rad=rotation,
        )

    def start(self, state: Mapping[str, Any]) -> None:
        """Begin to render from the anchor that a checkpoint kept."""
        anchor = Anchor(**state["anchor"]) if state else Anchor()
        self._stream.start(training_clips(**self._split, start=anchor.from_clip), anchor=anchor)

    def batch_ids(self, step: int) -> list[int]:
        """Return the clips of a batch; waits until they are rendered."""
        return self._stream.batch_ids(step)

    def state(self, step: int) -> dict[str, Any]:
        """Return where to go on."""
        anchor = self._stream.anchor(step)
        return {"anchor": {"position": anchor.position, "from_clip": anchor.from_clip}}

    def noted(self, step: int) -> dict[str, Any]:
        """Return how used and how old the clips of a batch are, and how fast more are made."""
        positions = self._schedule.positions(step)
        oldest = int(positions.min())
        return {
            "reuse": float(self._schedule.uses(step).mean()),
            "staleness_clips": self._stream.newest - oldest,
            "staleness_steps": step - self._schedule.first_step(oldest),
            "rendered_clips_per_s": self._stream.clips_per_s,
        }

    def events(self, step: int) -> list[str]:
        """Return clips that could not be rendered, where the first batch does without them."""
        without = (self._without if step == 0 else []) + self._stream.passed_over(step)
        return [f"clip {each.clip} could not be rendered: {each.reason}" for each in without]

    def results(self, lines: Sequence[Mapping[str, Any]], steps: int) -> dict[str, Any]:
        """Return how many clips there were, how used and old they got, and who waited for whom."""
        used = self._schedule.stop_needed(steps - 1)
        trained = [line for line in lines if line["split"] == "train"]
        return {
            "clips": {"training": used, "held_out": len(self.held_out_ids)},
            "stream": {
                "reuse": self._reuse,
                "window": self._schedule.window,
                "most_staleness_clips": max(line["staleness_clips"] for line in trained),
                "most_staleness_steps": max(line["staleness_steps"] for line in trained),
                "most_data_wait_s": max(line["data_wait_s"] for line in trained),
                "passed_over": [line["clip"] for line in lines if "clip" in line],
                **self._balance(trained),
            },
        }

    def close(self) -> None:
        """End the renderers, and give the trainer its threads back."""
        self._stream.close()
        torch.set_num_threads(self._threads_before)

    def _balance(self, trained: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return whether rendering kept up; of a run too short to tell, nothing."""
        rates = [line["rendered_clips_per_s"] for line in trained]
        measured = [rate for rate in rates if rate is not None]
        if not measured:
            return {"rendered_clips_per_s": None}
        balance = KeepingUp.of(
            reuse=self._reuse,
            batch_size=self._batch_size,
            step_s=median(line["seconds"] - line["data_wait_s"] for line in trained),
            rendered_per_s=measured[-1],
        )
        return {
            "rendered_clips_per_s": balance.rendered_per_s,
            "needed_clips_per_s": balance.needed_per_s,
            "keeps_up": balance.keeps_up,
            "reuse_that_would": balance.reuse_that_would,
            "verdict": balance.text,
        }

    def _rendered(self, ids: Iterator[int], count: int) -> tuple[list[int], list[PassedOver]]:
        found, without = self._stream.first(ids, count)
        self._measured.update(found)
        return list(found), without
