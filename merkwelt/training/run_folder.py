"""A run's folder: what is in it, and whether it may be gone on with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import nn

from ..files import write_atomically
from .checkpoint import checkpoint_paths, load_module, read_checkpoint
from .config_file import differences, from_plain, to_plain
from .experiment import Experiment, build
from .overrides import overridden

CONFIG = "config.json"
_VERSION = 1
Weights = Literal["trained", "ema"]
"""What a run has: its trained weights, and their running average if it keeps one."""


@dataclass(frozen=True, kw_only=True)
class LoadedRun:
    """A trained encoder with its objective, in evaluation mode on the CPU."""

    encoder: nn.Module
    objective: nn.Module
    experiment: Experiment
    step: int


def open_run(run: Path, experiment: Experiment, data: Mapping[str, Any]) -> bool:
    """Return whether the folder holds this run already; if not, start it.

    Args:
        run: the folder.
        experiment: what is learned.
        data: plain data that change when the clips or their order change.

    Raises:
        FileExistsError: the folder holds something else, or another run.
    """
    there = refuse_another(run, experiment, data)
    if not there:
        write_json(run / CONFIG, _config(experiment, data))
    return there


def refuse_another(run: Path, experiment: Experiment, data: Mapping[str, Any]) -> bool:
    """Return whether the folder holds this run already; writes nothing.

    Raises:
        FileExistsError: the folder holds something else, or another run.
    """
    if (run / CONFIG).is_file():
        here = json.loads(json.dumps(_config(experiment, data)))
        _refuse_differences(run, read_config(run), here)
        return True
    if run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise FileExistsError(
            f"expected {run} to be empty or a training run, found something else; choose another "
            "folder"
        )
    return False


def read_config(run: Path) -> dict[str, Any]:
    """Return the configuration of a run folder as plain data."""
    path = run / CONFIG
    if not path.is_file():
        raise FileNotFoundError(f"expected a training run with {CONFIG} in {run}, found none")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(config, dict) or config.get("version") != _VERSION:
        raise ValueError(f"{path}: expected a configuration of version {_VERSION}")
    return config


def load_experiment(run: Path | str, overrides: Mapping[str, Any] | None = None) -> Experiment:
    """Return the experiment of a run folder, with fields replaced.

    Args:
        run: the folder.
        overrides: new values by dotted name, such as ``{"optimiser.learning_rate": 3e-4}``.
    """
    experiment = from_plain(read_config(Path(run))["experiment"])
    if not isinstance(experiment, Experiment):
        raise ValueError(f"{run}: expected an Experiment, got {type(experiment).__name__}")
    return overridden(experiment, overrides or {})


def load_run(
    run: Path | str, *, step: int | None = None, weights: Weights = "trained"
) -> LoadedRun:
    """Return what a run has learned.

    Args:
        run: the folder.
        step: which checkpoint; None takes the newest.
        weights: those that were trained, or their running average (``ema``).

    Raises:
        FileNotFoundError: there is no run, or no such checkpoint.
        ValueError: the run keeps no average.
        RuntimeError: the checkpoint is damaged. It is not replaced by an older one unasked.
    """
    experiment = load_experiment(run)
    paths = {path.stem: path for path in checkpoint_paths(Path(run))}
    wanted = f"step-{step:08d}" if step is not None else max(paths, default="")
    if wanted not in paths:
        raise FileNotFoundError(
            f"expected a checkpoint {wanted or 'of any step'} in {run}, found {sorted(paths)}"
        )
    if weights not in get_args(Weights):
        raise ValueError(f"expected weights out of {get_args(Weights)}, got {weights!r}")
    if weights == "ema" and experiment.ema is None:
        raise ValueError(
            f"expected a run that keeps an average of its weights, but {run} was trained with "
            "ema None; train with --set ema=0.999, or take the trained weights"
        )
    checkpoint = read_checkpoint(paths[wanted])
    encoder, objective = build(experiment)
    prefix = "ema." if weights == "ema" else ""
    load_module(f"{prefix}encoder", encoder, checkpoint.tensors)
    load_module(f"{prefix}objective", objective, checkpoint.tensors)
    return LoadedRun(
        encoder=encoder.eval(),
        objective=objective.eval(),
        experiment=experiment,
        step=checkpoint.step,
    )


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain data, whole or not at all."""
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())


def _config(experiment: Experiment, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "experiment": to_plain(experiment),
        "data": dict(data),
        "made_with": {"merkwelt": version("merkwelt"), "torch": torch.__version__},
    }


def _refuse_differences(run: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    # Fields that the run's version did not have yet count as their defaults.
    before = to_plain(from_plain(there["experiment"]))
    changed = differences(before, here["experiment"])
    changed += differences(there["data"], here["data"], "data")
    if changed:
        raise FileExistsError(
            f"{run} holds a run with another configuration ({'; '.join(changed)}); choose another "
            "folder, or the same configuration to go on with it"
        )
