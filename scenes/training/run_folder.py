"""Run folders that appear complete or not at all."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .config import MODELS_FOLDER

BYTES_NEEDED = 300_000_000
"""Free space asked for before training: checkpoints with default settings take 60 MB."""


@contextlib.contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``final`` that takes its place when the block succeeds.

    When the block fails or is interrupted the temporary folder is removed.

    Raises:
        FileExistsError: ``final`` exists and holds something.
        OSError: the disk is nearly full.
    """
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise FileExistsError(f"{final} exists and holds something; give another folder")
    final.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(final.parent).free
    if free < BYTES_NEEDED:
        raise OSError(
            f"{final.parent} has {free / 1e6:.0f} MB free, training needs "
            f"{BYTES_NEEDED / 1e6:.0f} MB; free some space or give another folder"
        )
    working = Path(tempfile.mkdtemp(prefix=f".{final.name}.partial-", dir=final.parent))
    try:
        yield working
        working.chmod(0o755)
        working.replace(final)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write indented JSON and wait until it is on the disk."""
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def write_checkpoint(run: Path, pipeline: Any, optimizers: Any, step: int) -> Path:  # noqa: ANN401
    """Write a checkpoint in nerfstudio's layout that loads with ``weights_only=True``.

    nerfstudio's own checkpoints hold learning rates as numpy numbers, which torch refuses to load
    that way; here they are plain ones.

    Raises:
        OSError: it could not be written.
    """
    folder = run / MODELS_FOLDER
    folder.mkdir()
    path = folder / f"step-{step:09d}.ckpt"
    content = {
        "step": step,
        "pipeline": pipeline.state_dict(),
        "optimizers": {name: o.state_dict() for name, o in optimizers.optimizers.items()},
        "schedulers": {name: s.state_dict() for name, s in optimizers.schedulers.items()},
        "scalers": {},
    }
    try:
        with path.open("wb") as file:
            torch.save(_plain(content), file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:
        raise OSError(f"the checkpoint could not be written to {run.parent}: {error}") from error
    return path


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return the value with numpy numbers, wherever they are in it, as Python numbers."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return value
