"""The training loop."""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..objectives.objective import Batch
from .checkpoint import newest_readable, save_checkpoint
from .clips import ClipLoader, ClipSource, StoredClips
from .experiment import Experiment
from .feed import Feed, FeedingSource, described, feed_of
from .learner import Learner
from .metrics_log import MetricsLog
from .run_folder import RESULTS, open_run, refuse_another, write_json
from .stills import StillSource

Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What a run came to; the same is in its ``results.json``."""

    run: Path
    steps: int
    held_out: Mapping[str, float]
    """Measures on held-out clips after the last step."""
    untrained: Mapping[str, float]
    """The same measures of the same network before the first step."""
    skipped_checkpoints: tuple[str, ...]
    """Damaged checkpoints that were passed over when the run was resumed, and why."""


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The clips of a run: what it trains on, and batches to measure it with."""

    feed: Feed
    stills: StillSource | None
    loader: ClipLoader
    fit: list[Batch]
    held_out: list[Batch]


def train(  # noqa: PLR0913 - a run is an experiment, data and where it goes
    experiment: Experiment,
    data: Path | str | ClipSource | FeedingSource,
    out: Path | str,
    *,
    stills: StillSource | None = None,
    steps: int | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> RunSummary:
    """Return the summary of a run, trained to its end or gone on with from its last checkpoint.

    On the CPU a run that was killed and resumed ends with the same bits as one that was not.

    Args:
        experiment: what to learn and how; see ``merkwelt.recipes``.
        data: a data set's folder, or any source of clips, such as ``StreamClips``.
        out: the run's folder. If it holds this run already, the run is resumed.
        stills: labelled images with human maps, for objectives that learn from them as well.
        steps: replaces the experiment's number of steps.
        device: ``auto`` takes CUDA if there is one.
        progress: told the share done (0 to 1) and a short message.

    Raises:
        ValueError: clips that the encoder or the objective cannot use.
        FileExistsError: the folder holds something else, or a run with another configuration.
        RuntimeError: the loss is not finite, or all checkpoints are damaged.
    """
    experiment = experiment if steps is None else replace(experiment, steps=steps)
    where = _device(device)
    source = StoredClips(data) if isinstance(data, str | Path) else data
    run, tell = Path(out), progress or _silent
    told = described(source) | ({} if stills is None else {"stills": stills.identity})
    refuse_another(run, experiment, told)
    with closing(feed_of(source, experiment)) as feed:
        fold = _fold(experiment, feed, stills, where)
        open_run(run, experiment, told)
        return _train(Learner(experiment, where), fold, run, tell)


def _train(learner: Learner, fold: Fold, run: Path, tell: Progress) -> RunSummary:
    experiment, log = learner.experiment, MetricsLog(run)
    untrained = learner.evaluate(fold.fit, fold.held_out)
    done, skipped = _resume(run, learner, fold.feed, log, tell)
    if done == 0:
        log.append(0, "untrained", untrained)
        log.append(0, "held_out", untrained)
    for step in range(done, experiment.steps):
        _one_step(learner, fold, step, log)
        _keep(learner, fold, run, log, step + 1)
        tell((step + 1) / experiment.steps, f"step {step + 1} of {experiment.steps}")
    held_out = learner.evaluate(fold.fit, fold.held_out)
    summary = RunSummary(
        run=run,
        steps=experiment.steps,
        held_out=held_out,
        untrained=untrained,
        skipped_checkpoints=tuple(skipped),
    )
    write_json(run / RESULTS, _results(summary, learner, fold.feed, log))
    return summary


def _fold(
    experiment: Experiment, feed: Feed, stills: StillSource | None, device: torch.device
) -> Fold:
    """Return the clips to measure with, after a look at whether they can be learned from."""
    loader = ClipLoader(
        feed,
        eyes=experiment.encoder.eyes,
        image_size_px=experiment.image_size_px,
        mask_saccades=experiment.mask_saccades,
        cache=feed.cached,
    )
    loader.check(feed.held_out_ids[0])
    size = experiment.batch_size
    return Fold(
        feed=feed,
        stills=stills,
        loader=loader,
        fit=loader.batches(feed.fit_ids, size, device),
        held_out=loader.batches(feed.held_out_ids, size, device),
    )


def _resume(
    run: Path, learner: Learner, feed: Feed, log: MetricsLog, tell: Progress
) -> tuple[int, list[str]]:
    """Return how many steps are done, and which damaged checkpoints were passed over."""
    checkpoint, skipped = newest_readable(run)
    for reason in skipped:
        tell(0.0, f"passed over a checkpoint: {reason}")
    step = 0 if checkpoint is None else checkpoint.step
    if checkpoint is not None:
        learner.restore(checkpoint)
        tell(step / learner.experiment.steps, f"going on from step {step}")
    log.cut_after(step if checkpoint is not None else -1)
    for reason in skipped:
        log.append(step, "event", {}, passed_over=reason)
    if step < learner.experiment.steps:
        feed.start({} if checkpoint is None else checkpoint.state)
    return step, skipped


def _one_step(learner: Learner, fold: Fold, step: int, log: MetricsLog) -> None:
    start = time.perf_counter()
    clips, truth = fold.loader.batch(fold.feed.batch_ids(step), learner.device)
    if fold.stills is not None:
        truth = {**truth, **fold.stills.batch(step, learner.device)}
    waited = time.perf_counter() - start
    measures = learner.step((clips, truth), step)
    seconds = time.perf_counter() - start
    for event in fold.feed.events(step):
        log.append(step + 1, "event", {}, clip=event)
    noted = fold.feed.noted(step)
    log.append(step + 1, "train", measures, seconds=seconds, data_wait_s=waited, **noted)


def _keep(learner: Learner, fold: Fold, run: Path, log: MetricsLog, now: int) -> None:
    """Measure on held-out clips and write a checkpoint, where it is time to."""
    experiment = learner.experiment
    last = now == experiment.steps
    if last or now % experiment.validate_every == 0:
        log.append(now, "held_out", learner.evaluate(fold.fit, fold.held_out))
    if last or now % experiment.checkpoint_every == 0:
        checkpoint = learner.checkpoint(now, {"seed": experiment.seed, **fold.feed.state(now)})
        save_checkpoint(run, checkpoint, keep=experiment.keep_checkpoints)


def _results(summary: RunSummary, learner: Learner, feed: Feed, log: MetricsLog) -> dict[str, Any]:
    """Return the contents of ``results.json``."""
    lines = log.lines()
    steps = [line for line in lines if line["split"] == "train"]
    seconds = sorted(line["seconds"] for line in steps)
    waited = sum(line["data_wait_s"] for line in steps)
    return {
        "version": 1,
        "name": learner.experiment.name,
        "steps": summary.steps,
        "held_out": _finite(summary.held_out),
        "floors": {"untrained": _finite(summary.untrained)},
        **feed.results(lines, summary.steps),
        "encoder_parameters": sum(p.numel() for p in learner.encoder.parameters()),
        "objective_parameters": sum(p.numel() for p in learner.objective.parameters()),
        "median_step_s": seconds[len(seconds) // 2],
        "data_wait_share": waited / sum(seconds),
        "device": learner.device.type,
    }


def _finite(measures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: each if math.isfinite(each) else None for name, each in measures.items()}


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"expected a device that is here, got {name!r}, but there is no CUDA")
    return device


def _silent(done: float, message: str) -> None:
    """Say nothing."""
