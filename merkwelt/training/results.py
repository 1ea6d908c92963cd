"""What a run came to, as a summary and as ``results.json``."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .feed import Feed
from .learner import Learner
from .metrics_log import MetricsLog


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
    averaged: Mapping[str, float] | None = None
    """The same measures of the averaged weights, of a run that keeps some."""


def results_of(
    summary: RunSummary, learner: Learner, feed: Feed, log: MetricsLog
) -> dict[str, Any]:
    """Return the contents of ``results.json``."""
    lines = log.lines()
    steps = [line for line in lines if line["split"] == "train"]
    seconds = sorted(line["seconds"] for line in steps)
    waited = sum(line["data_wait_s"] for line in steps)
    collapsed = [line["collapse"] for line in lines if line.get("collapse")]
    averaged = {} if summary.averaged is None else {"averaged": _finite(summary.averaged)}
    return {
        "version": 1,
        "name": learner.experiment.name,
        "steps": summary.steps,
        "held_out": _finite(summary.held_out),
        **averaged,
        "floors": {"untrained": _finite(summary.untrained)},
        **feed.results(lines, summary.steps),
        "collapse": collapsed[-1] if collapsed else None,
        "encoder_parameters": sum(p.numel() for p in learner.encoder.parameters()),
        "objective_parameters": sum(p.numel() for p in learner.objective.parameters()),
        "median_step_s": seconds[len(seconds) // 2],
        "data_wait_share": waited / sum(seconds),
        "device": learner.device.type,
        "ranks": learner.ranks.count,
    }


def _finite(measures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: each if math.isfinite(each) else None for name, each in measures.items()}
