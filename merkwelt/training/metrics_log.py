"""``metrics.jsonl``: one line for each thing that was measured."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import write_atomically

FILE = "metrics.jsonl"


class MetricsLog:
    """Lines of JSON: ``step``, ``split``, seconds, and measures named ``split/measure``."""

    def __init__(self, run: Path) -> None:
        """Write to a run folder."""
        self.path = run / FILE

    def append(self, step: int, split: str, measures: Mapping[str, float], **extra: object) -> None:
        """Add a line; a measure that is not finite becomes null."""
        named = {f"{split}/{name}": _json_number(value) for name, value in measures.items()}
        line = json.dumps({"step": step, "split": split, **extra, **named})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """Return all whole lines; a last one that was cut off is left out."""
        if not self.path.is_file():
            return []
        whole = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in whole if line.strip()]

    def cut_after(self, step: int) -> None:
        """Forget what was measured after a step, for it will be measured again."""
        kept = [json.dumps(line) for line in self.lines() if line["step"] <= step]
        write_atomically(self.path, "".join(f"{line}\n" for line in kept).encode())


def _json_number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
