"""Reading a nerfacto checkpoint into the project's own weights, without nerfstudio.

Only tensors and numbers are accepted: ``torch.load`` runs with ``weights_only=True`` and admits
nothing but the numpy scalars that nerfstudio leaves in its optimiser's state.
"""

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

MODEL_PREFIX = "_model."


def newest_checkpoint(run: Path) -> Path:
    """Return the checkpoint of the highest step in a run folder.

    Raises:
        FileNotFoundError: there is none.
    """
    found = sorted((run / "nerfstudio_models").glob("step-*.ckpt"), key=_step)
    if not found:
        raise FileNotFoundError(
            f"{run} holds no checkpoint: expected nerfstudio_models/step-*.ckpt beside config.yml"
        )
    return found[-1]


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the model's tensors by nerfstudio's names, without their prefix.

    Raises:
        ValueError: the file is truncated, is no checkpoint, or asks for code to be run.
    """
    try:
        with torch.serialization.safe_globals(_numpy_scalars()), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # unusual pickles are refused just below
            data = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} holds more than weights and was not opened, because that could run code: "
            f"{_first_line(error)}"
        ) from error
    except (RuntimeError, zipfile.BadZipFile, EOFError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged or no checkpoint ({path.stat().st_size} bytes): "
            f"{_first_line(error)}; copy it again from where it was trained"
        ) from error
    pipeline = data.get("pipeline") if isinstance(data, dict) else None
    if not isinstance(pipeline, dict):
        raise ValueError(f"{path} is no nerfstudio checkpoint: it has no 'pipeline' entry")
    return {
        name.removeprefix("module.").removeprefix(MODEL_PREFIX): value
        for name, value in pipeline.items()
        if isinstance(value, Tensor)
    }


def nerfacto_weights(
    tensors: Mapping[str, Tensor], *, proposals: int, average_appearance: bool, where: str
) -> dict[str, Tensor]:
    """Return the weights of a ``NerfactoField`` from nerfstudio's names (1.0 to 1.1.5, torch).

    The appearance embedding of the training photographs is folded into a bias: its mean, or zero
    where the run was configured so.

    Raises:
        ValueError: the checkpoint has another layout; names what is missing, or tiny-cuda-nn.
    """
    if "field.mlp_base.model.params" in tensors or "field.mlp_base.params" in tensors:
        raise ValueError(
            f"{where} was trained with tiny-cuda-nn, whose network is another function; train it "
            "with implementation='torch' to import it"
        )
    take = _Taker(tensors, where)
    weights = {"grid.table": take("field.mlp_base.model.0.hash_table")}
    for layer in range(2):
        for part in ("weight", "bias"):
            weights[f"base.{layer}.{part}"] = take(f"field.mlp_base.model.1.layers.{layer}.{part}")
    for layer in range(3):
        for part in ("weight", "bias"):
            weights[f"head.{layer}.{part}"] = take(f"field.mlp_head.layers.{layer}.{part}")
    for i in range(proposals):
        weights[f"proposal.{i}.table"] = take(f"proposal_networks.{i}.encoding.hash_table")
        for layer in range(2):
            for part in ("weight", "bias"):
                name = f"proposal_networks.{i}.mlp_base.1.layers.{layer}.{part}"
                weights[f"proposal.{i}.{layer}.{part}"] = take(name)
    embedding = tensors.get("field.embedding_appearance.embedding.weight")
    return _fold_appearance(weights, embedding, average=average_appearance)


def _fold_appearance(
    weights: dict[str, Tensor], embedding: Tensor | None, *, average: bool
) -> dict[str, Tensor]:
    first = weights["head.0.weight"]
    seen = 16 + weights["base.1.weight"].shape[0] - 1
    if first.shape[1] > seen and embedding is not None:
        mean = embedding.float().mean(dim=0) if average else torch.zeros(embedding.shape[1])
        weights["head.0.bias"] = weights["head.0.bias"] + first[:, seen:] @ mean
    weights["head.0.weight"] = first[:, :seen].contiguous()
    return weights


class _Taker:
    """Takes tensors by name and says plainly what is not there."""

    def __init__(self, tensors: Mapping[str, Tensor], where: str) -> None:
        self.tensors, self.where = tensors, where

    def __call__(self, name: str) -> Tensor:
        if name not in self.tensors:
            raise ValueError(
                f"{self.where}: expected a nerfacto checkpoint of nerfstudio 1.0 to 1.1.5, "
                f"tensor {name!r} is missing"
            )
        return self.tensors[name].float()


def _numpy_scalars() -> list[Any]:
    from numpy import dtype, float32, float64
    from numpy._core.multiarray import scalar  # type: ignore[attr-defined]

    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    dtypes = [type(dtype(kind)) for kind in (float32, float64, np.int64)]
    return [*((scalar, name) for name in names), dtype, *dtypes]


def _step(path: Path) -> int:
    digits = path.stem.removeprefix("step-")
    return int(digits) if digits.isdigit() else -1


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
