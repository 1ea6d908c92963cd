"""Training an experiment on a data set, with its report."""

from dataclasses import dataclass
from pathlib import Path

from .parts import Progress
from .report import train_report, write_report
from .training.experiment import Experiment
from .training.loop import RunSummary, train

REPORT_FILE = "report.html"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a run came to, and what to tell of it."""

    summary: RunSummary
    lines: tuple[str, ...]
    report: Path


def train_run(
    experiment: Experiment,
    data: Path,
    out: Path,
    *,
    steps: int | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Trained:
    """Train an experiment on a data set and write the run's ``report.html``.

    Raises:
        FileNotFoundError: there is no data set.
        ValueError: clips that the experiment cannot use.
        FileExistsError: ``out`` holds something else, or a run of another configuration.
    """
    summary = train(experiment, data, out, steps=steps, device=device, progress=progress)
    command = (
        f"merkwelt train {experiment.name} --data {data.name} --out {out.name} "
        f"--steps {summary.steps}"
    )
    report = write_report(train_report({out.name: out}, commands=(command,)), out / REPORT_FILE)
    return Trained(summary=summary, lines=summary_lines(summary), report=report)


def summary_lines(summary: RunSummary) -> tuple[str, ...]:
    """Return held-out measures beside those of the untrained network, for a terminal."""
    lines = [f"{summary.run}: {summary.steps} steps", f"{'held out':36s} trained    untrained"]
    for name, value in summary.held_out.items():
        before = summary.untrained.get(name)
        lines.append(f"{name:36s} {value:9.4g}  {'' if before is None else f'{before:9.4g}'}")
    lines += [f"damaged checkpoint passed over: {why}" for why in summary.skipped_checkpoints]
    return tuple(lines)
