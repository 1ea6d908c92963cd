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

from .card import Matrix, SceneCard
from .import_options import ImportOptions
from .nerfacto import GridConfig, NerfactoConfig, NerfactoField
from .nerfstudio_checkpoint import nerfacto_weights, newest_checkpoint, read_checkpoint
from .nerfstudio_yaml import read_nerfstudio_config
from .scene import Scene

PROPOSAL_BASE_RESOLUTION = 16
"""nerfstudio's ``HashMLPDensityField`` default, which no configuration of nerfacto changes."""


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
    config = read_nerfstudio_config(folder / "config.yml")
    model = _model_config(config, folder)
    checkpoint = checkpoint or newest_checkpoint(folder)
    tensors = read_checkpoint(checkpoint)
    field = _field(model, tensors, str(checkpoint))
    field_from_capture, scale = _dataparser_transform(folder / "dataparser_transforms.json")
    world_per_field = (options.metres_per_unit or 1.0) / scale
    corner = world_per_field
    card = SceneCard(
        name=options.name,
        licence=options.licence,
        source=options.source or f"nerfstudio nerfacto run {folder.name}",
        field_kind="nerfacto",
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


def _model_config(config: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    pipeline = config.get("pipeline")
    model = pipeline.get("model") if isinstance(pipeline, dict) else None
    if not isinstance(model, dict) or "num_nerf_samples_per_ray" not in model:
        raise ValueError(
            f"{folder}: expected a run of nerfstudio's nerfacto, config.yml describes "
            f"{config.get('method_name')!r}"
        )
    return model


def _field(model: Mapping[str, Any], tensors: Mapping[str, Tensor], where: str) -> NerfactoField:
    if model.get("disable_scene_contraction"):
        raise ValueError(f"{where} was trained without scene contraction, which is not supported")
    if model.get("proposal_initial_sampler", "piecewise") != "piecewise":
        raise ValueError(
            f"{where}: expected proposal_initial_sampler 'piecewise', found "
            f"{model['proposal_initial_sampler']!r}, which is not supported"
        )
    samples = tuple(int(n) for n in model["num_proposal_samples_per_ray"])
    shared = bool(model.get("use_same_proposal_network"))
    networks = [0 if shared else i for i in range(len(samples))]
    backgrounds = {"last_sample": "last_sample", "white": "white"}
    config = NerfactoConfig(
        grid=_grid(tensors, "field", int(model.get("base_res", 16)), where),
        proposal_grids=tuple(
            _grid(tensors, f"proposal_networks.{i}", PROPOSAL_BASE_RESOLUTION, where)
            for i in networks
        ),
        proposal_samples=samples,
        samples=int(model["num_nerf_samples_per_ray"]),
        average_init_density=float(model.get("average_init_density", 1.0)),
        far=float(model.get("far_plane", 1000.0)),
        background=backgrounds.get(str(model.get("background_color")), "black"),  # type: ignore[arg-type]
    )
    weights = nerfacto_weights(
        _with_shared_proposals(tensors, networks),
        proposals=len(samples),
        average_appearance=bool(model.get("use_average_appearance_embedding", True)),
        where=where,
    )
    return NerfactoField(config, weights)


def _with_shared_proposals(
    tensors: Mapping[str, Tensor], networks: list[int]
) -> Mapping[str, Tensor]:
    if networks == list(range(len(networks))):
        return tensors
    first = {k: v for k, v in tensors.items() if k.startswith("proposal_networks.0.")}
    copies = {
        name.replace("proposal_networks.0.", f"proposal_networks.{i}."): value
        for i in range(len(networks))
        for name, value in first.items()
    }
    return {**tensors, **copies}


def _grid(tensors: Mapping[str, Tensor], prefix: str, base: int, where: str) -> GridConfig:
    try:
        levels, top = (int(tensors[f"{prefix}.{key}"]) for key in ("num_levels", "max_res"))
    except KeyError as error:
        raise ValueError(
            f"{where}: expected a nerfacto checkpoint of nerfstudio 1.0 to 1.1.5, buffer {error} "
            "is missing"
        ) from error
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
