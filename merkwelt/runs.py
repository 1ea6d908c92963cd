"""Training an experiment on a data set or a stream, with its report."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .parts import Progress
from .report import train_report, write_report
from .training.clips import StoredClips
from .training.experiment import Experiment
from .training.loop import RunSummary, train
from .training.run_folder import RESULTS
from .training.stream_clips import StreamClips

REPORT_FILE = "report.html"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a run came to, and what to tell of it."""

    summary: RunSummary
    lines: tuple[str, ...]
    report: Path


def train_run(  # noqa: PLR0913 - as train, and the words for its report
    experiment: Experiment,
    data: Path | StoredClips | StreamClips,
    out: Path,
    *,
    steps: int | None = None,
    device: str = "auto",
    options: Sequence[str] = (),
    progress: Progress | None = None,
) -> Trained:
    """Train an experiment on a data set and write the run's ``report.html``.

    Args:
        experiment: what to learn.
        data: a folder of clips or videos, or clips that are rendered while training.
        out: the run's folder.
        steps: replaces the experiment's number of steps.
        device: ``auto``, ``cpu`` or ``cuda``.
        options: what else the command says that makes this run again, for the report.
        progress: told the share done and a message.

    Raises:
        FileNotFoundError: there is no data set.
        ValueError: clips that the experiment cannot use.
        FileExistsError: ``out`` holds something else, or a run of another configuration.
    """
    data = StoredClips(data) if isinstance(data, Path) else data
    summary = train(experiment, data, out, steps=steps, device=device, progress=progress)
    words = ["merkwelt", "train", experiment.name, "--data", data.name_in_commands]
    words += ["--out", out.name, "--steps", str(summary.steps), *options]
    command = shlex.join(words)
    report = write_report(train_report({out.name: out}, commands=(command,)), out / REPORT_FILE)
    lines = (*summary_lines(summary), *stream_lines(out))
    return Trained(summary=summary, lines=lines, report=report)


def stream_lines(run: Path) -> tuple[str, ...]:
    """Return how rendering and training went together, for a terminal; of other runs, nothing."""
    stream = json.loads((run / RESULTS).read_text(encoding="utf-8")).get("stream")
    if stream is None:
        return ()
    passed_over = stream["passed_over"]
    more = [f"{len(passed_over)} clips were passed over: {passed_over[0]}"] if passed_over else []
    return (*([stream["verdict"]] if "verdict" in stream else []), *more)


def summary_lines(summary: RunSummary) -> tuple[str, ...]:
    """Return held-out measures beside those of the untrained network, for a terminal."""
    lines = [f"{summary.run}: {summary.steps} steps", f"{'held out':36s} trained    untrained"]
    for name, value in summary.held_out.items():
        before = summary.untrained.get(name)
        lines.append(f"{name:36s} {value:9.4g}  {'' if before is None else f'{before:9.4g}'}")
    lines += [f"damaged checkpoint passed over: {why}" for why in summary.skipped_checkpoints]
    return tuple(lines)
