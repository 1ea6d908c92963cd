"""A nerfacto's weights as the Triton kernels take them: halves, padded for tensor cores."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...scenes.nerfacto import GridConfig, NerfactoField
from ...scenes.proposal_sampling import first_edges

LEAST = 16
"""Inputs and outputs that a product on tensor cores takes at least."""
LEVEL_BLOCK = 8
"""Levels that the kernels look up at once (``triton_hash.LEVELS_AT_ONCE``)."""
HARMONICS = 16


@dataclass(frozen=True, kw_only=True)
class PackedGrid:
    """A hash table on the device."""

    table: Tensor
    """Rows as words, int32 ``[levels * size]``."""
    resolutions: Tensor
    """Cells along an edge, float32 ``[levels]``."""
    levels: int
    size: int
    """Rows of a level."""


@dataclass(frozen=True, kw_only=True)
class PackedLayer:
    """A layer on the device, padded with zeros to powers of two."""

    weight: Tensor
    """float16 ``[inputs, outputs]``."""
    bias: Tensor
    """float32 ``[outputs]``."""
    inputs: int
    outputs: int


@dataclass(frozen=True, kw_only=True)
class PackedProposal:
    """A proposal network on the device."""

    grid: PackedGrid
    hidden: PackedLayer
    last_weight: Tensor
    """float32 ``[hidden.outputs]``: one output is no work for tensor cores."""
    last_bias: Tensor
    """float32 ``[1]``."""


@dataclass(frozen=True, kw_only=True)
class PackedField:
    """All that the kernels read of a field."""

    first_edges: Tensor
    """Spacing coordinates of the first pass, float32 ``[samples + 1]``."""
    proposals: tuple[PackedProposal, ...]
    grid: PackedGrid
    base: tuple[PackedLayer, PackedLayer]
    head: tuple[PackedLayer, PackedLayer, PackedLayer]
    """The first one takes harmonics only and holds the bias."""
    head_geometry: Tensor
    """The first layer's weight for the base's outputs, float16; zero for the density."""


def power_of_two(size: int, least: int = 1) -> int:
    """Return the smallest power of two that is at least ``size`` and ``least``."""
    return max(least, 1 << (size - 1).bit_length())


def rows_in_halves(table: Tensor) -> Tensor:
    """Return a table ``[row, 2]`` as int32 words ``[row]``, its first channel in the low half."""
    return _halves(table).contiguous().view(torch.int32)[:, 0]


def pack_field(field: NerfactoField, device: torch.device) -> PackedField:
    """Return a field's weights on a device.

    Raises:
        ValueError: a weight is too large for half precision.
    """
    config, weights = field.config, field.weights
    proposals = tuple(
        _pack_proposal(weights, f"proposal.{i}", grid, device)
        for i, grid in enumerate(config.proposal_grids)
    )
    base = [(weights[f"base.{i}.weight"], weights[f"base.{i}.bias"]) for i in range(2)]
    head = [(weights[f"head.{i}.weight"], weights[f"head.{i}.bias"]) for i in range(3)]
    of_harmonics, of_geometry = head[0][0][:, :HARMONICS], head[0][0][:, HARMONICS:]
    with_density = torch.nn.functional.pad(of_geometry, (1, 0))
    samples = (*config.proposal_samples, config.samples)[0]
    return PackedField(
        first_edges=first_edges(samples, config.far).to(device),
        proposals=proposals,
        grid=_pack_grid(weights["grid.table"], config.grid, device),
        base=(
            _pack_layer(*base[0], device, inputs=_encoded(config.grid)),
            _pack_layer(*base[1], device),
        ),
        head=(
            _pack_layer(of_harmonics, head[0][1], device),
            _pack_layer(*head[1], device),
            _pack_layer(*head[2], device),
        ),
        head_geometry=_pack_layer(with_density, head[0][1], device).weight,
    )


def _halves(weight: Tensor) -> Tensor:
    halves = weight.half()
    if not bool(torch.isfinite(halves).all()):
        raise ValueError(
            f"expected weights below 65504 in a nerfacto for the Triton kernels, got "
            f"{float(weight.abs().max()):.3g}; use backend 'torch' or 'compiled'"
        )
    return halves


def _encoded(grid: GridConfig) -> int:
    """Return a network's inputs from a grid: two of each level, whole blocks of levels."""
    return -(-grid.levels // LEVEL_BLOCK) * LEVEL_BLOCK * 2


def _pack_grid(table: Tensor, grid: GridConfig, device: torch.device) -> PackedGrid:
    return PackedGrid(
        table=rows_in_halves(table).to(device),
        # Computed where the reference computes them: the floor must fall as it fell in training.
        resolutions=grid.resolutions().to(device),
        levels=grid.levels,
        size=table.shape[0] // grid.levels,
    )


def _pack_layer(
    weight: Tensor, bias: Tensor, device: torch.device, *, inputs: int | None = None
) -> PackedLayer:
    inputs = inputs or power_of_two(weight.shape[1], LEAST)
    outputs = power_of_two(weight.shape[0], LEAST)
    padded = torch.zeros(inputs, outputs, dtype=torch.float16)
    padded[: weight.shape[1], : weight.shape[0]] = _halves(weight).T.cpu()
    padded_bias = torch.zeros(outputs)
    padded_bias[: len(bias)] = bias.cpu()
    return PackedLayer(
        weight=padded.to(device), bias=padded_bias.to(device), inputs=inputs, outputs=outputs
    )


def _pack_proposal(
    weights: dict[str, Tensor], name: str, grid: GridConfig, device: torch.device
) -> PackedProposal:
    hidden = _pack_layer(
        weights[f"{name}.0.weight"], weights[f"{name}.0.bias"], device, inputs=_encoded(grid)
    )
    last = torch.zeros(hidden.outputs)
    last[: weights[f"{name}.1.weight"].shape[1]] = weights[f"{name}.1.weight"][0].cpu()
    return PackedProposal(
        grid=_pack_grid(weights[f"{name}.table"], grid, device),
        hidden=hidden,
        last_weight=last.to(device),
        last_bias=weights[f"{name}.1.bias"][:1].to(device),
    )
