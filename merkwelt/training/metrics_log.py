"""``metrics.jsonl``: one line for each thing that was measured."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..files import write_atomically

FILE = "metrics.jsonl"


class MetricsListener(Protocol):
    """Whoever wants to hear what is measured, such as TensorBoard."""

    def begin(self, run: Path, step: int) -> None:
        """Prepare for a run of which so many steps are done; what is later will come again."""
        ...

    def hear(self, step: int, named: Mapping[str, float]) -> None:
        """Take measures, named ``split/measure``."""
        ...

    def close(self) -> None:
        """End; there is no more."""
        ...


class MetricsLog:
    """Lines of JSON: ``step``, ``split``, seconds, and measures named ``split/measure``."""

    def __init__(
        self, run: Path, *, writes: bool = True, listeners: Sequence[MetricsListener] = ()
    ) -> None:
        """Write to a run folder; without ``writes``, as on later ranks, only read from it."""
        self.path = run / FILE
        self.writes = writes
        self.listeners = listeners if writes else ()

    def append(self, step: int, split: str, measures: Mapping[str, float], **extra: object) -> None:
        """Add a line; a measure that is not finite becomes null."""
        if not self.writes:
            return
        for listener in self.listeners:
            listener.hear(step, {f"{split}/{name}": value for name, value in measures.items()})
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
        for listener in self.listeners:
            listener.begin(self.path.parent, max(step, 0))
        if not self.writes:
            return
        kept = [json.dumps(line) for line in self.lines() if line["step"] <= step]
        write_atomically(self.path, "".join(f"{line}\n" for line in kept).encode())

    def close(self) -> None:
        """Tell the listeners that there is no more."""
        for listener in self.listeners:
            listener.close()


def _json_number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
