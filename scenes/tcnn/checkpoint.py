"""Reading a nerfacto that was trained with tiny-cuda-nn, into ``TcnnNerfactoField``.

A tiny-cuda-nn module keeps all its numbers in one flat vector that says nothing of its shape; a
grid that belongs to a network comes after it. So the vectors are read by what ``config.yml`` says,
and only if it accounts for every single number.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..checkpoint_file import TensorTaker
from ..nerfstudio.model import PROPOSAL_BASE_RESOLUTION, NerfactoModel, stated
from .grid import TcnnGridConfig
from .nerfacto import GEOMETRY, HARMONICS, TcnnNerfactoConfig, TcnnNerfactoField
from .network import TcnnNetworkConfig

LAYOUT = "a nerfacto checkpoint of nerfstudio 0.1 to 1.1.5 (tiny-cuda-nn)"
JOINED_BASE = ("field.mlp_base.model.params", "field.mlp_base.params")
"""Network and grid in one vector: nerfstudio 1.0 and later, and before 0.3."""
SPLIT_BASE = tuple(f"field.mlp_base.model.{part}.tcnn_encoding.params" for part in (0, 1))
"""Grid and network in two: nerfstudio 0.3, by ``current_names``."""
HEADS = ("field.mlp_head.tcnn_encoding.params", "field.mlp_head.params")


def has_tcnn_layout(tensors: Mapping[str, Tensor]) -> bool:
    """Return whether a nerfacto checkpoint was written by tiny-cuda-nn."""
    return any(name in tensors for name in (*JOINED_BASE, *SPLIT_BASE))


def tcnn_field(
    model: NerfactoModel, tensors: Mapping[str, Tensor], where: str
) -> TcnnNerfactoField:
    """Return the field of a run trained with tiny-cuda-nn.

    Raises:
        ValueError: a vector is missing, or holds more or fewer numbers than ``config.yml`` means;
            gives both counts.
    """
    take = TensorTaker(tensors, where, LAYOUT)
    grid = _grid(take, "field", model.base_resolution(), model.entries)
    base, weights = _density(take, "base", "grid", grid, int(model.entries.get("hidden_dim", 64)))
    appearance = _appearance(take, average=model.averages_appearance)
    head = TcnnNetworkConfig(
        inputs=HARMONICS + GEOMETRY + len(appearance),
        outputs=3,
        width=int(model.entries.get("hidden_dim_color", 64)),
        hidden_layers=2,
        padding=1.0,
    )
    name = _first(take, HEADS)
    weights |= _layers("head", head, _counted(take, name, {"network": head.parameters}))
    proposal_grids, proposals = [], []
    for i, network in enumerate(model.proposal_networks):
        of_grid, of_network, more = _proposal(take, f"proposal.{i}", network, model)
        proposal_grids.append(of_grid)
        proposals.append(of_network)
        weights |= more
    config = TcnnNerfactoConfig(
        grid=grid,
        base=base,
        head=head,
        proposal_grids=tuple(proposal_grids),
        proposals=tuple(proposals),
        **model.sampling(),
    )
    return TcnnNerfactoField(config, weights | {"appearance": appearance})


def _proposal(
    take: TensorTaker, own: str, network: int, model: NerfactoModel
) -> tuple[TcnnGridConfig, TcnnNetworkConfig, dict[str, Tensor]]:
    entries = model.proposal(network)
    if entries.get("use_linear"):
        raise ValueError(
            f"{model.where}: proposal network {network} is linear (use_linear), which is not "
            "supported with tiny-cuda-nn"
        )
    prefix = f"proposal_networks.{network}"
    grid = _grid(take, prefix, PROPOSAL_BASE_RESOLUTION, entries)
    config, weights = _density(take, own, own, grid, int(entries.get("hidden_dim", 64)), prefix)
    return grid, config, weights


def _density(  # noqa: PLR0913 - two sets of names, one grid, one width
    take: TensorTaker,
    network: str,
    table: str,
    grid: TcnnGridConfig,
    width: int,
    proposal: str | None = None,
) -> tuple[TcnnNetworkConfig, dict[str, Tensor]]:
    """Return a grid's network and the weights of both, whether one vector holds them or two."""
    joined, split, outputs = JOINED_BASE, SPLIT_BASE, 1 + GEOMETRY
    if proposal is not None:
        joined, outputs = (f"{proposal}.mlp_base.params",), 1
        split = tuple(
            f"{proposal}.{part}.tcnn_encoding.params" for part in ("encoding", "mlp_base.1")
        )
    is_joined = any(name in take.tensors for name in joined)
    config = TcnnNetworkConfig(
        inputs=grid.size,
        outputs=outputs,
        width=width,
        hidden_layers=1,
        padding=0.0 if is_joined else 1.0,
    )
    if is_joined:
        counts = {"network": config.parameters, "grid": grid.parameters}
        flat = _counted(take, _first(take, joined), counts)
        of_network, of_grid = flat.split(list(counts.values()))
    else:
        of_grid = _counted(take, split[0], {"grid": grid.parameters})
        of_network = _counted(take, split[1], {"network": config.parameters})
    weights = _layers(network, config, of_network)
    start = 0
    for i, level in enumerate(grid.shape()):
        stop = start + level.entries * grid.features
        weights[f"{table}.{i}.table"] = (
            of_grid[start:stop].view(level.entries, grid.features).clone()
        )
        start = stop
    return config, weights


def _layers(own: str, config: TcnnNetworkConfig, flat: Tensor) -> dict[str, Tensor]:
    return {f"{own}.{i}.weight": w.clone() for i, w in enumerate(config.split(flat))}


def _counted(take: TensorTaker, name: str, parts: Mapping[str, int]) -> Tensor:
    expected, value = sum(parts.values()), take.tensors.get(name)
    if isinstance(value, Tensor) and value.numel() != expected:
        listed = " + ".join(f"{count:,} {part}" for part, count in parts.items())
        raise ValueError(
            f"{take.where} was trained with tiny-cuda-nn: expected {expected:,} numbers in "
            f"{name!r} ({listed}, by config.yml), found {value.numel():,}; the run was not trained "
            "with the config.yml beside it"
        )
    return take(name, (expected,))


def _first(take: TensorTaker, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in take.tensors), names[0])


def _grid(take: TensorTaker, prefix: str, base: int, entries: Mapping[str, Any]) -> TcnnGridConfig:
    levels, top, log2_size = (
        stated(name, take.tensors, prefix, entries, take.where)
        for name in ("num_levels", "max_res", "log2_hashmap_size")
    )
    return TcnnGridConfig(
        levels=levels,
        base_resolution=base,
        max_resolution=top,
        log2_table_size=log2_size,
        features=int(entries.get("features_per_level", 2)),
    )


def _appearance(take: TensorTaker, *, average: bool) -> Tensor:
    name = "field.embedding_appearance.embedding.weight"
    if name not in take.tensors:
        return torch.zeros(0)
    embedding = take(name, (None, None))
    return embedding.mean(dim=0) if average else torch.zeros(embedding.shape[1])
