"""Reading a nerfacto checkpoint into the project's own weights, without nerfstudio.

The torch implementation of nerfstudio 0.3 to 1.1.5; tiny-cuda-nn's is in ``tcnn_checkpoint``.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .checkpoint_file import TensorTaker, load_checkpoint_file

LAYOUT = "a nerfacto checkpoint of nerfstudio 0.3 to 1.1.5 (torch)"
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
    data = load_checkpoint_file(path)
    pipeline = data.get("pipeline") if isinstance(data, dict) else None
    if not isinstance(pipeline, dict):
        raise ValueError(f"{path} is no nerfstudio checkpoint: it has no 'pipeline' entry")
    return {
        name.removeprefix("module.").removeprefix(MODEL_PREFIX): value
        for name, value in pipeline.items()
        if isinstance(name, str) and isinstance(value, Tensor)
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
    take = TensorTaker(tensors, where, LAYOUT)
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


def _step(path: Path) -> int:
    digits = path.stem.removeprefix("step-")
    return int(digits) if digits.isdigit() else -1
