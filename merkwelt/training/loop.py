"""The training loop."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..objectives.across_ranks import alone
from ..objectives.objective import Batch
from ..results_folder import RESULTS_FILE
from .checkpoint import newest_readable, save_checkpoint
from .clips import ClipLoader, ClipSource, StoredClips
from .comparable import comparable
from .diagnostics import NO_GRADIENT, diagnose
from .experiment import Experiment, clip_eyes_of
from .feed import Feed, FeedingSource, described, feed_of
from .learner import Learner
from .metrics_log import MetricsListener, MetricsLog
from .ranks import Ranks, joined_ranks
from .results import RunSummary, results_of
from .run_folder import open_run, refuse_another, write_json
from .stills import StillSource, beside_clips

Progress = Callable[[float, str], None]
Measured = tuple[dict[str, float], dict[str, float] | None]
"""Of the trained weights, and of their average if there is one."""
DIAGNOSED_BATCHES = 4
"""Of training clips, at most, that the look at features is fitted on."""


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
    listeners: Sequence[MetricsListener] = (),
) -> RunSummary:
    """Return the summary of a run, trained to its end or gone on with from its last checkpoint.

    On the CPU a run that was killed and resumed ends with the same bits as one that was not. Under
    ``torchrun`` the ranks share each batch; the first one measures, writes and tells of progress.

    Args:
        experiment: what to learn and how; see ``merkwelt.recipes``.
        data: a data set's folder, or any source of clips, such as ``StreamClips``.
        out: the run's folder. If it holds this run already, the run is resumed.
        stills: labelled images with human maps, for objectives that learn from them as well.
        steps: replaces the experiment's number of steps.
        device: ``auto`` takes CUDA if there is one.
        progress: told the share done (0 to 1) and a short message.
        listeners: told all measures, such as ``TensorBoard``.

    Raises:
        ValueError: clips that the encoder or the objective cannot use, or ranks that cannot share
            them.
        FileExistsError: the folder holds something else, or a run with another configuration.
        RuntimeError: the loss is not finite, or all checkpoints are damaged.
    """
    experiment = experiment if steps is None else replace(experiment, steps=steps)
    source = StoredClips(data) if isinstance(data, str | Path) else data
    told = described(source) | ({} if stills is None else {"stills": stills.identity})
    with joined_ranks(_device(device)) as (ranks, where):
        _check_ranks(ranks, experiment, source)
        refuse_another(Path(out), experiment, told)
        with closing(feed_of(source, experiment)) as feed:
            fold = _fold(experiment, feed, stills, where, measures=ranks.is_first)
            learner = Learner(experiment, where, ranks=ranks)
            ranks.wait()
            if ranks.is_first:
                open_run(Path(out), experiment, told)
            log = MetricsLog(Path(out), writes=ranks.is_first, listeners=listeners)
            tell = progress if progress is not None and ranks.is_first else _silent
            return _train(learner, fold, log, tell)


def _train(learner: Learner, fold: Fold, log: MetricsLog, tell: Progress) -> RunSummary:
    experiment, run = learner.experiment, log.path.parent
    untrained = learner.evaluate(fold.fit, fold.held_out)
    done, skipped = _resume(learner, fold.feed, log, tell)
    if done == 0:
        log.append(0, "untrained", untrained)
        log.append(0, "held_out", untrained)
        _diagnose(learner, fold, log, 0, tell)
    last: Measured | None = None
    for step in range(done, experiment.steps):
        measures = _one_step(learner, fold, step, log)
        last = _keep(learner, fold, log, step + 1, tell, measures.get("gradient_norm"))
        tell((step + 1) / experiment.steps, f"step {step + 1} of {experiment.steps}")
    # Only a run that was at its end already has not been measured there just now.
    held_out, averaged = last or _measured(learner, fold)
    summary = RunSummary(
        run=run,
        steps=experiment.steps,
        held_out=held_out,
        averaged=averaged,
        untrained=untrained,
        skipped_checkpoints=tuple(skipped),
    )
    if learner.ranks.is_first:
        write_json(run / RESULTS_FILE, results_of(summary, learner, fold.feed, log))
    log.close()
    return learner.ranks.from_first(summary)


def _check_ranks(ranks: Ranks, experiment: Experiment, source: ClipSource | FeedingSource) -> None:
    """Refuse what several ranks cannot do together."""
    if ranks.count == 1:
        return
    if isinstance(source, FeedingSource):
        raise ValueError(
            f"expected a data set on disk with {ranks.count} ranks, got a stream: clips that are "
            "rendered while training feed one rank; render them first (merkwelt render), or train "
            "on one rank"
        )
    ranks.share(range(experiment.batch_size))


def _fold(
    experiment: Experiment,
    feed: Feed,
    stills: StillSource | None,
    device: torch.device,
    *,
    measures: bool,
) -> Fold:
    """Return the clips to measure with, after a look at whether they can be learned from."""
    loader = ClipLoader(
        feed,
        eyes=clip_eyes_of(experiment),
        image_size_px=experiment.image_size_px,
        mask_saccades=experiment.mask_saccades,
        cache=feed.cached,
    )
    loader.check(feed.held_out_ids[0])
    size = experiment.batch_size
    fit, held_out = [], []
    if measures:
        fit = comparable(loader.batches(feed.fit_ids, size, device), "training")
        held_out = comparable(loader.batches(feed.held_out_ids, size, device), "held-out")
    return Fold(
        feed=feed,
        stills=stills,
        loader=loader,
        fit=beside_clips(fit, None if stills is None else stills.training(device)),
        held_out=beside_clips(held_out, None if stills is None else stills.held_out(device)),
    )


def _of_eyes(batches: Sequence[Batch], eyes: int) -> list[Batch]:
    """Return batches with the first eyes only: objectives may need more than the encoder takes."""
    return [(clips[:, :eyes], truth) for clips, truth in batches]


def _resume(learner: Learner, feed: Feed, log: MetricsLog, tell: Progress) -> tuple[int, list[str]]:
    """Return how many steps are done, and which damaged checkpoints were passed over."""
    checkpoint, skipped = newest_readable(log.path.parent)
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


def _one_step(learner: Learner, fold: Fold, step: int, log: MetricsLog) -> dict[str, float]:
    start = time.perf_counter()
    clips = learner.ranks.share(fold.feed.batch_ids(step))
    video, truth = fold.loader.batch(clips, learner.device)
    if fold.stills is not None:
        truth = {**truth, **fold.stills.batch(step, learner.device)}
    waited = time.perf_counter() - start
    measures = learner.step((video, truth), step)
    seconds = time.perf_counter() - start
    for event in fold.feed.events(step):
        log.append(step + 1, "event", {}, clip=event)
    for event in learner.news():
        log.append(step + 1, "event", {}, encoder=event)
    noted = fold.feed.noted(step)
    log.append(step + 1, "train", measures, seconds=seconds, data_wait_s=waited, **noted)
    return measures


def _measured(learner: Learner, fold: Fold) -> Measured:
    """Return the measures on held-out clips."""
    held_out, averaged = learner.evaluate(fold.fit, fold.held_out), None
    if learner.average is not None:
        averaged = learner.evaluate(fold.fit, fold.held_out, averaged=True)
    return held_out, averaged


def _keep(
    learner: Learner,
    fold: Fold,
    log: MetricsLog,
    now: int,
    tell: Progress,
    gradient_norm: float | None,
) -> Measured | None:
    """Measure on held-out clips and write a checkpoint, where it is time to.

    Returns the measures, if there are new ones.
    """
    experiment = learner.experiment
    last = now == experiment.steps
    found: Measured | None = None
    if last:
        learner.finish(fold.fit)
    if last or now % experiment.validate_every == 0:
        found = _measured(learner, fold)
        log.append(now, "held_out", found[0])
        if found[1] is not None:
            log.append(now, "averaged", found[1])
    if last or now % experiment.diagnose_every == 0:
        _diagnose(learner, fold, log, now, tell, gradient_norm)
    if learner.ranks.is_first and (last or now % experiment.checkpoint_every == 0):
        checkpoint = learner.checkpoint(now, {"seed": experiment.seed, **fold.feed.state(now)})
        save_checkpoint(log.path.parent, checkpoint, keep=experiment.keep_checkpoints)
    return found


def _diagnose(
    learner: Learner,
    fold: Fold,
    log: MetricsLog,
    now: int,
    tell: Progress,
    gradient_norm: float | None = None,
) -> None:
    """Look for signs of collapse in the features of held-out clips, and in the last gradient."""
    if not learner.ranks.is_first:
        return
    learner.encoder.eval()
    with alone():
        eyes = learner.experiment.encoder.eyes
        fit = _of_eyes(fold.fit[:DIAGNOSED_BATCHES], eyes)
        found = diagnose(learner.encoder, fit, _of_eyes(fold.held_out, eyes))
    log.append(now, "features", found.measures, spectrum=found.spectrum)
    collapse = NO_GRADIENT if gradient_norm == 0 else found.collapse
    if collapse is not None:
        log.append(now, "event", {}, collapse=collapse)
        tell(now / learner.experiment.steps, f"step {now}: {collapse}")


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"expected a device that is here, got {name!r}, but there is no CUDA")
    return device


def _silent(done: float, message: str) -> None:
    """Say nothing."""
