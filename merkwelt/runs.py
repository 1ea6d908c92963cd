"""Training an experiment on a data set or a stream, with its report."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .names import RecipeName
from .parts import Progress
from .recipes import RECIPES
from .recipes import recipe as recipe_of
from .report import train_report, write_report
from .results_folder import RESULTS_FILE
from .training.clips import StoredClips
from .training.experiment import Experiment
from .training.loop import RunSummary, train
from .training.metrics_log import MetricsListener
from .training.ranks import is_first_rank
from .training.run_folder import load_experiment
from .training.stills import StillSource
from .training.stream_clips import StreamClips

REPORT_FILE = "report.html"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a run came to, and what to tell of it."""

    summary: RunSummary
    lines: tuple[str, ...]
    report: Path


def experiment_of(recipe: RecipeName | None, like: Path | None) -> Experiment:
    """Return the experiment of a recipe, or that of another run's ``config.json``.

    Raises:
        ValueError: neither is given, or a recipe that is not the run's.
        FileNotFoundError: ``like`` is no run.
    """
    if like is None:
        if recipe is None:
            raise ValueError(
                f"expected a recipe out of {sorted(RECIPES)}, or --like RUN for the experiment of "
                "another run"
            )
        return recipe_of(recipe)
    experiment = load_experiment(like)
    if recipe is not None and recipe != experiment.name:
        raise ValueError(
            f"expected the recipe of {like}, which is {experiment.name!r}, or none, got {recipe!r}"
        )
    return experiment


def train_run(  # noqa: PLR0913 - as train, and the words for its report
    experiment: Experiment,
    data: Path | StoredClips | StreamClips,
    out: Path,
    *,
    stills: StillSource | None = None,
    steps: int | None = None,
    device: str = "auto",
    options: Sequence[str] = (),
    progress: Progress | None = None,
    listeners: Sequence[MetricsListener] = (),
) -> Trained:
    """Train an experiment on a data set and write the run's ``report.html``.

    Under ``torchrun`` the first rank writes the report, and the others have nothing to tell.

    Args:
        experiment: what to learn.
        data: a folder of clips or videos, or clips that are rendered while training.
        out: the run's folder.
        stills: labelled images with human maps, for objectives that learn from them as well.
        steps: replaces the experiment's number of steps.
        device: ``auto``, ``cpu`` or ``cuda``.
        options: what else the command says that makes this run again, for the report.
        progress: told the share done and a message.
        listeners: told all measures.

    Raises:
        FileNotFoundError: there is no data set.
        ValueError: clips that the experiment cannot use.
        FileExistsError: ``out`` holds something else, or a run of another configuration.
    """
    data = StoredClips(data) if isinstance(data, Path) else data
    summary = train(
        experiment,
        data,
        out,
        stills=stills,
        steps=steps,
        device=device,
        progress=progress,
        listeners=listeners,
    )
    if not is_first_rank():
        return Trained(summary=summary, lines=(), report=out / REPORT_FILE)
    words = ["merkwelt", "train", experiment.name, "--data", data.name_in_commands]
    words += ["--out", out.name, "--steps", str(summary.steps), *options]
    command = shlex.join(words)
    report = write_report(train_report({out.name: out}, commands=(command,)), out / REPORT_FILE)
    lines = (*summary_lines(summary), *stream_lines(out))
    return Trained(summary=summary, lines=lines, report=report)


def stream_lines(run: Path) -> tuple[str, ...]:
    """Return how rendering and training went together, for a terminal; of other runs, nothing."""
    stream = json.loads((run / RESULTS_FILE).read_text(encoding="utf-8")).get("stream")
    if stream is None:
        return ()
    passed_over = stream["passed_over"]
    more = [f"{len(passed_over)} clips were passed over: {passed_over[0]}"] if passed_over else []
    return (*([stream["verdict"]] if "verdict" in stream else []), *more)


def summary_lines(summary: RunSummary) -> tuple[str, ...]:
    """Return held-out measures beside those of the untrained network, for a terminal."""
    columns = [summary.held_out, summary.untrained]
    heads = "  trained  untrained"
    if summary.averaged is not None:
        columns.insert(1, summary.averaged)
        heads = "  trained   averaged  untrained"
    lines = [f"{summary.run}: {summary.steps} steps", f"{'held out':36s} {heads}"]
    for name in summary.held_out:
        values = (f"{c[name]:9.4g}" if name in c else f"{'':9s}" for c in columns)
        lines.append(f"{name:36s} {'  '.join(values)}".rstrip())
    lines += [f"damaged checkpoint passed over: {why}" for why in summary.skipped_checkpoints]
    return tuple(lines)
