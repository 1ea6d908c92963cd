"""The last step of every experiment: its results and its report, as files."""

import json
from dataclasses import dataclass
from pathlib import Path

from ..files import write_atomically
from ..report.experiment_section import experiment_section
from ..report.page import Report, write_report
from ..report.sections import provenance_section
from ..results_folder import RESULTS_FILE
from .folder import REPORT
from .outcome import Outcome, lines_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """What was found, where it is, and what to tell of it."""

    outcome: Outcome
    lines: tuple[str, ...]
    report: Path


def finish(outcome: Outcome, out: Path, command: str) -> Done:
    """Write ``results.json`` and ``report.html`` of an experiment."""
    text = json.dumps(outcome.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    write_atomically(out / RESULTS_FILE, text.encode())
    page = Report(
        title=outcome.title,
        subtitle=f"{outcome.metric} with {outcome.maps['kind']}.",
        sections=(experiment_section(outcome), provenance_section(commands=(command,))),
    )
    report = write_report(page, out / REPORT)
    return Done(outcome=outcome, lines=lines_of(outcome), report=report)
