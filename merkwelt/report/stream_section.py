"""A section about clips that were rendered while a network trained on them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..results_folder import RESULTS_FILE
from .blocks import Block, Note
from .page import Section


def stream_section(runs: Mapping[str, Path]) -> Section | None:
    """Return how rendering and training went together; None if no run was fed by a stream."""
    blocks: list[Block] = []
    for name, folder in runs.items():
        file = folder / RESULTS_FILE
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if "stream" in found:
            blocks += [Note(text=f"{name}: {line}") for line in _lines(found)]
    if not blocks:
        return None
    lead = "Clips were rendered beside the trainer, used a few times each, and not kept."
    return Section(title="Rendered while training", lead=lead, blocks=tuple(blocks))


def _lines(results: Mapping[str, Any]) -> list[str]:
    stream = results["stream"]
    lines = [
        f"{results['clips']['training']} clips were used {stream['reuse']} times each, the oldest "
        f"when {stream['most_staleness_clips']} newer ones were there; training waited "
        f"{results['data_wait_share']:.0%} of its time, {stream['most_data_wait_s']:.2g} s at most."
    ]
    if "verdict" in stream:
        lines.append(f"{stream['verdict'][0].upper()}{stream['verdict'][1:]}.")
    if stream["passed_over"]:
        lines.append(f"{len(stream['passed_over'])} passed over: {stream['passed_over'][0]}.")
    return lines
