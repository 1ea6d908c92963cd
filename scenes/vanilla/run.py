"""Importing a trained vanilla NeRF: from its checkpoint and its config.yml to a scene."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..card import IDENTITY, Matrix, SceneCard
from ..import_options import ImportOptions, PlainBackground
from ..nerfstudio.config_yaml import read_plain_yaml
from ..scene import Scene
from .checkpoint import Layout, VanillaCheckpoint, read_vanilla_checkpoint
from .field import VanillaConfig, VanillaField

CONFIG_FILE = "config.yml"
SAMPLES: dict[Layout, tuple[int, int]] = {"flexible": (64, 64), "paper": (64, 128)}
"""Coarse and fine samples where no config.yml states them: each program's own for Blender."""
CORNER_PX = 0.0
"""Both programs cast the ray of pixel (i, j) through (i, j), the pixel's corner."""


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What a config.yml says; None where it says nothing."""

    near: float | None = None
    far: float | None = None
    coarse_samples: int | None = None
    fine_samples: int | None = None
    is_linear_in_disparity: bool = False
    background: PlainBackground | None = None
    position_geometric: bool = True
    direction_geometric: bool = True


def vanilla_checkpoints(folder: Path) -> list[Path]:
    """Return a folder's NeRF checkpoints, those of more training steps last.

    nerf-pytorch writes ``checkpoint155000.ckpt``, or ``155000.tar``.
    """
    found = [(_number(p.stem.removeprefix("checkpoint")), p) for p in folder.glob("*.ckpt")]
    found = [(number, p) for number, p in found if p.name.startswith("checkpoint")]
    found += [(_number(p.stem), p) for p in folder.glob("*.tar")]
    return [path for number, path in sorted(found) if number >= 0]


def import_vanilla(checkpoint: Path, options: ImportOptions) -> Scene:
    """Return the scene of a vanilla NeRF checkpoint.

    Args:
        checkpoint: the file; a ``config.yml`` in its folder is read as plain data.
        options: name and rights of the scene, and what no file says: scale, planes, background.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is damaged or of another layout, the planes are unknown, or the field
            lives in normalised device coordinates.
    """
    if not checkpoint.is_file():
        raise FileNotFoundError(f"there is no checkpoint {checkpoint}")
    run = _read_run(checkpoint.parent / CONFIG_FILE)
    read = read_vanilla_checkpoint(
        checkpoint,
        position_geometric=run.position_geometric,
        direction_geometric=run.direction_geometric,
    )
    config = _config(read, run, options, checkpoint)
    scale = options.metres_per_unit or 1.0
    corner = scale * (config.near + config.far) / 2
    card = SceneCard(
        name=options.name,
        licence=options.licence,
        source=options.source or f"vanilla NeRF {checkpoint.parent.name}/{checkpoint.name}",
        field_kind="vanilla",
        field_config=config.to_dict(),
        checkpoint_sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        metres_per_unit=options.metres_per_unit,
        world_from_field=_scaled(scale),
        bounds=((-corner, -corner, -corner), (corner, corner, corner)),
        pixel_centre_px=CORNER_PX,
    )
    return Scene(card, VanillaField(config, read.weights), None)


def _config(
    read: VanillaCheckpoint, run: _Run, options: ImportOptions, checkpoint: Path
) -> VanillaConfig:
    near = run.near if options.near is None else options.near
    far = run.far if options.far is None else options.far
    if near is None or far is None:
        raise ValueError(
            f"the near and far planes of {checkpoint} are unknown: no {CONFIG_FILE} beside it "
            "states them; say --near and --far (2 and 6 for the Blender scenes of the NeRF paper)"
        )
    coarse, fine = SAMPLES[read.layout]
    return VanillaConfig(
        coarse=read.coarse,
        fine=read.fine,
        near=near,
        far=far,
        coarse_samples=coarse if run.coarse_samples is None else run.coarse_samples,
        fine_samples=fine if run.fine_samples is None else run.fine_samples,
        is_linear_in_disparity=run.is_linear_in_disparity,
        background=options.background or run.background or "white",
    )


def _read_run(path: Path) -> _Run:
    if not path.is_file():
        return _Run()
    data = read_plain_yaml(path, "a nerf-pytorch configuration")
    dataset, nerf = _part(data, "dataset"), _part(data, "nerf")
    sampling = _part(nerf, "validation") or _part(nerf, "train")
    network = _part(_part(data, "models"), "coarse")
    if dataset.get("no_ndc") is False:
        raise ValueError(
            f"{path}: the NeRF was trained in normalised device coordinates (no_ndc: false), in "
            "which there are no distances; train it with no_ndc: true to import it"
        )
    white = _flag(sampling, "white_background", path)
    return _Run(
        near=_plane(dataset, "near", path),
        far=_plane(dataset, "far", path),
        coarse_samples=_whole(sampling, "num_coarse", path),
        fine_samples=_whole(sampling, "num_fine", path),
        is_linear_in_disparity=_flag(sampling, "lindisp", path) or False,
        background=None if white is None else ("white" if white else "black"),
        position_geometric=_flag(network, "log_sampling_xyz", path) is not False,
        direction_geometric=_flag(network, "log_sampling_dir", path) is not False,
    )


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _plane(data: Mapping[str, Any], key: str, path: Path) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:
        raise ValueError(
            f"{path}: expected dataset.{key} to be a distance of at least 0, found {value!r}"
        )
    return float(value)


def _whole(data: Mapping[str, Any], key: str, path: Path) -> int | None:
    value = data.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError(f"{path}: expected {key} to be a whole number, found {value!r}")
    return value


def _flag(data: Mapping[str, Any], key: str, path: Path) -> bool | None:
    value = data.get(key)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{path}: expected {key} to be true or false, found {value!r}")
    return value


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1


def _scaled(scale: float) -> Matrix:
    return tuple(
        tuple(value * scale if row < 3 else value for value in line)
        for row, line in enumerate(IDENTITY)
    )  # type: ignore[return-value]
