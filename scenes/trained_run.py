"""Importing what somebody else trained, whichever program trained it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .import_options import ImportOptions
from .nerfstudio.run import import_run
from .scene import Scene
from .vanilla.run import CONFIG_FILE, import_vanilla, vanilla_checkpoints

RunKind = Literal["nerfstudio", "vanilla"]
NERFSTUDIO_CHECKPOINTS = "nerfstudio_models"
MOST_LISTED = 8


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """Where a trained field is."""

    kind: RunKind
    folder: Path
    checkpoint: Path | None = None
    """The file to read; None is a nerfstudio run's newest."""


def find_trained(path: Path) -> TrainedRun:
    """Return the one trained run that a path means.

    Args:
        path: a nerfstudio run (its folder, ``config.yml`` or one of its checkpoints), a vanilla
            NeRF (its checkpoint or the folder of it), or a folder with exactly one of them
            somewhere below.

    Raises:
        FileNotFoundError: there is none.
        ValueError: there are several; lists them.
    """
    if path.is_file() and path.name != CONFIG_FILE:
        return _of_file(path)
    top = path.parent if path.is_file() else path
    if found := _of_folder(top):
        return found
    below = sorted(p for p in top.rglob("*") if p.is_dir()) if top.is_dir() else []
    runs = [run for run in map(_of_folder, below) if run is not None]
    if not runs:
        raise FileNotFoundError(
            f"{path} is no nerfstudio run (a folder with config.yml, dataparser_transforms.json "
            f"and {NERFSTUDIO_CHECKPOINTS}/), no NeRF checkpoint (checkpointN.ckpt or N.tar), and "
            "no file of splats (.splat or .ply)"
        )
    if len(runs) > 1:
        listed = ", ".join(str(run.folder) for run in runs[:MOST_LISTED])
        raise ValueError(f"{path} holds {len(runs)} runs, name one of them: {listed}")
    return runs[0]


def import_trained(run: TrainedRun, options: ImportOptions) -> Scene:
    """Return the scene of a trained run; nothing that its files contain is executed.

    Raises:
        FileNotFoundError: a file of the run is missing.
        ValueError: a file is damaged or cannot be used; says which and how.
    """
    if run.kind == "nerfstudio":
        return import_run(run.folder, options, checkpoint=run.checkpoint)
    return import_vanilla(run.checkpoint or vanilla_checkpoints(run.folder)[-1], options)


def _of_file(path: Path) -> TrainedRun:
    if path.parent.name == NERFSTUDIO_CHECKPOINTS:
        return TrainedRun(kind="nerfstudio", folder=path.parent.parent, checkpoint=path)
    return TrainedRun(kind="vanilla", folder=path.parent, checkpoint=path)


def _of_folder(folder: Path) -> TrainedRun | None:
    if (folder / NERFSTUDIO_CHECKPOINTS).is_dir():
        return TrainedRun(kind="nerfstudio", folder=folder)
    if checkpoints := vanilla_checkpoints(folder):
        return TrainedRun(kind="vanilla", folder=folder, checkpoint=checkpoints[-1])
    if (folder / CONFIG_FILE).is_file():
        return TrainedRun(kind="nerfstudio", folder=folder)
    return None
