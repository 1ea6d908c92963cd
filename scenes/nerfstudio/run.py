"""Importing a trained nerfacto run of nerfstudio: from its folder to a scene.

Needs nothing from nerfstudio and runs nothing that the run's files contain. The run may have been
moved; only the files inside its folder are read.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..card import Matrix, SceneCard
from ..import_options import ImportOptions
from ..nerfacto import GridConfig, NerfactoConfig, NerfactoField
from ..scene import Scene
from ..tcnn.checkpoint import has_tcnn_layout, tcnn_field
from .checkpoint import (
    current_names,
    nerfacto_weights,
    newest_checkpoint,
    read_checkpoint,
)
from .model import PROPOSAL_BASE_RESOLUTION, NerfactoModel, read_model, stated


def import_run(run: Path, options: ImportOptions, *, checkpoint: Path | None = None) -> Scene:
    """Return the scene of a nerfstudio nerfacto run.

    Args:
        run: the folder with ``config.yml``, that file itself, or a folder that holds exactly one
            such run somewhere below.
        options: name, scale and licence of the scene.
        checkpoint: which of the run's checkpoints; None is the newest.

    Raises:
        FileNotFoundError: no run, no checkpoint or no ``dataparser_transforms.json``.
        ValueError: a file is damaged, not nerfacto, or asks for code to be run.
    """
    folder = find_run(run)
    options.refuse_planes(str(folder))
    model = read_model(folder)
    checkpoint = checkpoint or newest_checkpoint(folder)
    where = str(checkpoint)
    tensors = current_names(read_checkpoint(checkpoint), where)
    is_tcnn = has_tcnn_layout(tensors)
    field = (tcnn_field if is_tcnn else _torch_field)(model, tensors, where)
    field_from_capture, scale = _dataparser_transform(folder / "dataparser_transforms.json")
    world_per_field = (options.metres_per_unit or 1.0) / scale
    corner = world_per_field
    card = SceneCard(
        name=options.name,
        licence=options.licence,
        source=options.source or f"nerfstudio nerfacto run {folder.name}",
        field_kind="nerfacto-tcnn" if is_tcnn else "nerfacto",
        field_config=field.config.to_dict(),
        table_storage=options.tables,
        checkpoint_sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        metres_per_unit=options.metres_per_unit,
        world_from_field=_matrix(np.diag([*[world_per_field] * 3, 1.0])),
        field_from_capture=_matrix(field_from_capture),
        bounds=((-corner, -corner, -corner), (corner, corner, corner)),
    )
    return Scene(card, field, None)


def find_run(path: Path) -> Path:
    """Return the one run folder that a path means.

    Raises:
        FileNotFoundError: there is no ``config.yml``.
        ValueError: there are several; lists them.
    """
    if path.is_file() and path.name == "config.yml":
        return path.parent
    if (path / "config.yml").is_file():
        return path
    found = sorted(p.parent for p in path.rglob("config.yml")) if path.is_dir() else []
    if not found:
        raise FileNotFoundError(
            f"{path} is no nerfstudio run: expected a folder with config.yml, "
            "dataparser_transforms.json and nerfstudio_models/"
        )
    if len(found) > 1:
        listed = ", ".join(str(p) for p in found[:8])
        raise ValueError(f"{path} holds {len(found)} runs, name one of them: {listed}")
    return found[0]


def _torch_field(model: NerfactoModel, tensors: Mapping[str, Tensor], where: str) -> NerfactoField:
    networks = model.proposal_networks
    config = NerfactoConfig(
        grid=_grid(tensors, "field", model.base_resolution(), model.entries, where),
        proposal_grids=tuple(
            _grid(
                tensors,
                f"proposal_networks.{i}",
                PROPOSAL_BASE_RESOLUTION,
                model.proposal(i),
                where,
            )
            for i in networks
        ),
        **model.sampling(),
    )
    weights = nerfacto_weights(
        tensors, networks=networks, average_appearance=model.averages_appearance, where=where
    )
    return NerfactoField(config, weights)


def _grid(
    tensors: Mapping[str, Tensor], prefix: str, base: int, entries: Mapping[str, Any], where: str
) -> GridConfig:
    levels, top = (stated(n, tensors, prefix, entries, where) for n in ("num_levels", "max_res"))
    return GridConfig(levels=levels, base_resolution=base, max_resolution=top)


def _dataparser_transform(path: Path) -> tuple[np.ndarray, float]:
    """Return the similarity from capture to field coordinates, and its scale."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; nerfstudio writes it beside config.yml")
    try:
        data = json.loads(path.read_text())
        rigid = np.asarray(data["transform"], dtype=np.float64)
        scale = float(data["scale"])
        matrix = np.vstack([scale * rigid, [0, 0, 0, 1]])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected a 3x4 'transform' and a 'scale': {error}") from error
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or scale <= 0:
        raise ValueError(f"{path}: expected a finite 3x4 'transform' and a positive 'scale'")
    return matrix, scale


def _matrix(array: np.ndarray) -> Matrix:
    return tuple(tuple(float(v) for v in row) for row in array)  # type: ignore[return-value]
