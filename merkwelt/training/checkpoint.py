"""Checkpoints: one safetensors file each, written whole or not at all."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor

from ..files import write_atomically

FOLDER = "checkpoints"
_NAME = re.compile(r"step-(\d{8})\.safetensors")
_VERSION = "1"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """All that a run needs to go on as if it had never stopped."""

    step: int
    """Steps done; also the position in the data and, with the seed, in all random numbers."""
    tensors: Mapping[str, Tensor]
    """Under ``encoder.``, ``objective.`` and ``optimiser.``."""
    state: Mapping[str, Any]
    """Plain data."""


def checkpoint_paths(run: Path) -> list[Path]:
    """Return the checkpoints of a run folder, oldest first."""
    found = (run / FOLDER).glob("step-*.safetensors") if (run / FOLDER).is_dir() else ()
    return sorted(path for path in found if _NAME.fullmatch(path.name))


def save_checkpoint(run: Path, checkpoint: Checkpoint, *, keep: int) -> Path:
    """Return where the checkpoint was written; all but the newest ``keep`` are removed."""
    path = run / FOLDER / f"step-{checkpoint.step:08d}.safetensors"
    tensors = {name: each.detach().cpu().contiguous() for name, each in checkpoint.tensors.items()}
    metadata = {
        "version": _VERSION,
        "step": str(checkpoint.step),
        "state": json.dumps(checkpoint.state),
        "sha256": _digest(tensors),
    }
    write_atomically(path, save(tensors, metadata=metadata))
    for old in checkpoint_paths(run)[:-keep]:
        old.unlink(missing_ok=True)
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """Return a checkpoint.

    Raises:
        FileNotFoundError: there is none.
        RuntimeError: the file is truncated or damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f"expected a checkpoint at {path}, found none")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise RuntimeError(
            f"{path} is truncated or not a checkpoint ({error}); remove it to go on from the one "
            "before"
        ) from error
    if metadata.get("version") != _VERSION:
        raise RuntimeError(
            f"{path}: expected a checkpoint of version {_VERSION}, got {metadata.get('version')!r}"
        )
    if metadata["sha256"] != _digest(tensors):
        raise RuntimeError(f"{path} is damaged: its checksum does not fit its content; remove it")
    return Checkpoint(
        step=int(metadata["step"]), tensors=tensors, state=json.loads(metadata["state"])
    )


def newest_readable(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest checkpoint that can be read, and why newer ones were skipped.

    Raises:
        RuntimeError: there are checkpoints, but none can be read.
    """
    skipped: list[str] = []
    for path in reversed(checkpoint_paths(run)):
        try:
            return read_checkpoint(path), skipped
        except RuntimeError as error:
            skipped.append(str(error))
    if skipped:
        raise RuntimeError(
            f"none of the checkpoints of {run} can be read: {'; '.join(skipped)}. Remove the "
            "folder to train from the start"
        )
    return None, skipped


def module_tensors(prefix: str, module: torch.nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers under a prefix."""
    return {f"{prefix}.{name}": each for name, each in module.state_dict().items()}


def load_module(prefix: str, module: torch.nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Fill a module from what ``module_tensors`` gave."""
    start = f"{prefix}."
    own = {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}
    try:
        module.load_state_dict(own)
    except RuntimeError as error:
        raise RuntimeError(
            f"the checkpoint's {prefix} does not fit the configuration beside it: {error}"
        ) from error


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimiser's state of every parameter."""
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{index}.{name}": value
        for index, values in state.items()
        for name, value in values.items()
    }


def load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Fill an optimiser from what ``optimiser_tensors`` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for full_name, value in tensors.items():
        if full_name.startswith("optimiser."):
            _, index, name = full_name.split(".")
            state.setdefault(int(index), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
