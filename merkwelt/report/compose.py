"""Whole reports for the commands ``train`` and ``evaluate``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..alignment.models.scored import ScoredModel
from ..alignment.results import Results
from .alignment_section import alignment_section
from .models_section import models_section
from .page import Report
from .sections import provenance_section
from .stream_section import stream_section
from .training_section import training_section


def evaluate_report(
    results: Mapping[str, Results],
    *,
    runs: Mapping[str, Path] | None = None,
    models: Sequence[ScoredModel] = (),
    commands: Sequence[str] = (),
    title: str = "Where the model looks",
) -> Report:
    """Return the report of an evaluation.

    Args:
        results: model name to its results.
        runs: model name to the folder of the run that trained it, if there is one.
        models: what is known of the models, if anything is to be said of them.
        commands: command lines that made this.
        title: the report's title.
    """
    sections = [alignment_section(results)]
    if models:
        sections.append(models_section(models, results))
    if runs:
        sections.append(training_section(runs))
    sections.append(provenance_section(commands=commands))
    first = next(iter(results.values()))
    names = ", ".join(results)
    return Report(
        title=title,
        subtitle=f"{names}: saliency of learned features against {first.maps.kind}.",
        sections=tuple(sections),
    )


def train_report(
    runs: Mapping[str, Path], *, commands: Sequence[str] = (), title: str = "Learning from video"
) -> Report:
    """Return the report of training runs, given by name."""
    stream = stream_section(runs)
    return Report(
        title=title,
        subtitle=", ".join(runs),
        sections=(
            training_section(runs),
            *([] if stream is None else [stream]),
            provenance_section(commands=commands),
        ),
    )
