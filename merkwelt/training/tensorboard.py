"""Measures for TensorBoard, beside ``metrics.jsonl``."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOLDER = "tensorboard"


class TensorBoard:
    """Writes every measure as a scalar under ``tensorboard/`` of the run's folder."""

    def __init__(self) -> None:
        """Check that the package is here.

        Raises:
            ImportError: it is not.
        """
        if find_spec("tensorboard") is None:
            raise ImportError(
                "expected the package tensorboard, which is not installed; install the extra: "
                "pip install 'merkwelt[tensorboard]'"
            )
        self._writer: Any = None

    def begin(self, run: Path, step: int) -> None:
        """Open the events' file; what an earlier try wrote after the step is hidden."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run / FOLDER), purge_step=step + 1)

    def hear(self, step: int, named: Mapping[str, float]) -> None:
        """Write measures."""
        for name, value in named.items():
            self._writer.add_scalar(name, value, global_step=step)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
