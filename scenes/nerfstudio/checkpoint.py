"""Reading a nerfacto checkpoint into the project's own weights, without nerfstudio.

The torch implementation of nerfstudio 0.3 to 1.1.5; tiny-cuda-nn's is in ``tcnn_checkpoint``.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint_file import TensorTaker, load_checkpoint_file

LAYOUT = "a nerfacto checkpoint of nerfstudio 0.3 to 1.1.5 (torch)"
MODEL_PREFIX = "_model."
RENAMED = {
    "field.mlp_base_grid.": "field.mlp_base.model.0.",
    "field.mlp_base_mlp.": "field.mlp_base.model.1.",
    "field.mlp_base.0.": "field.mlp_base.model.0.",
    "field.mlp_base.1.": "field.mlp_base.model.1.",
}
"""Beginnings of names in nerfstudio 0.3, and what 1.0 calls them."""
PROPOSAL_GRID = re.compile(r"^(proposal_networks\.\d+)\.mlp_base\.0\.")


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


def current_names(tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Return tensors by nerfstudio 1.0's names, whichever release since 0.3 wrote them.

    nerfstudio 0.3 named the two parts of the density network, and held them once more in a
    sequence; a proposal network's grid also stands under two names.

    Raises:
        ValueError: two names of one tensor hold different numbers.
    """
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        current = _current_name(name)
        other = found.setdefault(current, value)
        if other is not value and not torch.equal(other, value):
            raise ValueError(
                f"{where}: {name!r} and another name of {current!r} hold different numbers, "
                "expected the same; the file was changed since it was written"
            )
    return found


def _current_name(name: str) -> str:
    for old, new in RENAMED.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return PROPOSAL_GRID.sub(r"\1.encoding.", name)


def nerfacto_weights(
    tensors: Mapping[str, Tensor], *, networks: list[int], average_appearance: bool, where: str
) -> dict[str, Tensor]:
    """Return the weights of a ``NerfactoField`` from nerfstudio 1.0's names (torch).

    The appearance embedding of the training photographs is folded into a bias: its mean, or zero
    where the run was configured so.

    Args:
        tensors: the checkpoint's tensors by ``current_names``.
        networks: which proposal network each proposal pass asks.
        average_appearance: whether the mean appearance is shown.
        where: the checkpoint, for messages.

    Raises:
        ValueError: the checkpoint has another layout; names what is missing.
    """
    take = TensorTaker(tensors, where, LAYOUT)
    weights = {"grid.table": take("field.mlp_base.model.0.hash_table")}
    for layer in range(2):
        for part in ("weight", "bias"):
            weights[f"base.{layer}.{part}"] = take(f"field.mlp_base.model.1.layers.{layer}.{part}")
    for layer in range(3):
        for part in ("weight", "bias"):
            weights[f"head.{layer}.{part}"] = take(f"field.mlp_head.layers.{layer}.{part}")
    for i, network in enumerate(networks):
        prefix = f"proposal_networks.{network}"
        weights[f"proposal.{i}.table"] = take(f"{prefix}.encoding.hash_table")
        for layer in range(2):
            for part in ("weight", "bias"):
                name = f"{prefix}.mlp_base.1.layers.{layer}.{part}"
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
