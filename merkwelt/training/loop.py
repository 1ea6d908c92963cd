"""The training loop."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..objectives.objective import Batch
from .checkpoint import newest_readable, save_checkpoint
from .clips import ClipLoader, ClipSource, StoredClips, batch_ids, held_out_split
from .experiment import Experiment
from .learner import Learner
from .metrics_log import MetricsLog
from .run_folder import RESULTS, open_run, write_json

Progress = Callable[[float, str], None]
FIT_CLIPS = 64
"""At most so many training clips are used where a measure has to fit something."""


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

    loader: ClipLoader
    training_ids: list[int]
    held_out_ids: list[int]
    fit: list[Batch]
    held_out: list[Batch]


def train(
    experiment: Experiment,
    data: Path | str | ClipSource,
    out: Path | str,
    *,
    steps: int | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> RunSummary:
    """Return the summary of a run, trained to its end or gone on with from its last checkpoint.

    On the CPU a run that was killed and resumed ends with the same bits as one that was not.

    Args:
        experiment: what to learn and how; see ``merkwelt.recipes``.
        data: a data set's folder, or any source of clips.
        out: the run's folder. If it holds this run already, the run is resumed.
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
    fold = _fold(experiment, source, where)
    run = Path(out)
    open_run(run, experiment, source.identity)
    log, learner, tell = MetricsLog(run), Learner(experiment, where), progress or _silent
    untrained = learner.evaluate(fold.fit, fold.held_out)
    done, skipped = _resume(run, learner, log, tell)
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
    write_json(run / RESULTS, _results(summary, experiment, learner, fold, log))
    return summary


def _fold(experiment: Experiment, source: ClipSource, device: torch.device) -> Fold:
    """Return the training and held-out clips, after a look at whether they can be learned from."""
    loader = ClipLoader(
        source,
        eyes=experiment.encoder.eyes,
        image_size_px=experiment.image_size_px,
        mask_saccades=experiment.mask_saccades,
    )
    training, held_out = held_out_split(
        source.clip_ids, share=experiment.held_out_share, seed=experiment.seed
    )
    size = experiment.batch_size
    return Fold(
        loader=loader,
        training_ids=training,
        held_out_ids=held_out,
        fit=loader.batches(training[:FIT_CLIPS], size, device),
        held_out=loader.batches(held_out, size, device),
    )


def _resume(run: Path, learner: Learner, log: MetricsLog, tell: Progress) -> tuple[int, list[str]]:
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
    return step, skipped


def _one_step(learner: Learner, fold: Fold, step: int, log: MetricsLog) -> None:
    experiment = learner.experiment
    start = time.perf_counter()
    ids = batch_ids(fold.training_ids, experiment.batch_size, seed=experiment.seed, step=step)
    batch = fold.loader.batch(ids, learner.device)
    waited = time.perf_counter() - start
    measures = learner.step(batch, step)
    seconds = time.perf_counter() - start
    log.append(step + 1, "train", measures, seconds=seconds, data_wait_s=waited)


def _keep(learner: Learner, fold: Fold, run: Path, log: MetricsLog, now: int) -> None:
    """Measure on held-out clips and write a checkpoint, where it is time to."""
    experiment = learner.experiment
    last = now == experiment.steps
    if last or now % experiment.validate_every == 0:
        log.append(now, "held_out", learner.evaluate(fold.fit, fold.held_out))
    if last or now % experiment.checkpoint_every == 0:
        checkpoint = learner.checkpoint(now, {"seed": experiment.seed})
        save_checkpoint(run, checkpoint, keep=experiment.keep_checkpoints)


def _results(
    summary: RunSummary, experiment: Experiment, learner: Learner, fold: Fold, log: MetricsLog
) -> dict[str, Any]:
    """Return the contents of ``results.json``."""
    steps = [line for line in log.lines() if line["split"] == "train"]
    seconds = sorted(line["seconds"] for line in steps)
    waited = sum(line["data_wait_s"] for line in steps)
    return {
        "version": 1,
        "name": experiment.name,
        "steps": summary.steps,
        "held_out": _finite(summary.held_out),
        "floors": {"untrained": _finite(summary.untrained)},
        "clips": {"training": len(fold.training_ids), "held_out": len(fold.held_out_ids)},
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
