"""The compiled CPU path for nerfacto: same samples, same picture as the torch reference.

Sampling and table look-ups are compiled loops over rays; the networks of the last pass are matrix
products. A proposal pass stops once less than 1e-7 of a ray's light is left.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from ..scenes.nerfacto import NerfactoField
from ..scenes.proposal_sampling import first_edges
from ..scenes.spherical_harmonics import spherical_harmonics
from . import nerfacto_loops as loops
from .composite import composite

DARK = 1e-7
"""Samples of less weight are not coloured."""

RAYS_PER_BLOCK = 64
RAYS_PER_CHUNK = 1024
"""Few enough that the networks' inputs stay in the processor's cache."""


@dataclass(frozen=True, kw_only=True)
class _Packed:
    """A field's weights as the loops want them."""

    table: np.ndarray
    resolutions: np.ndarray
    proposals: tuple[np.ndarray, ...]
    samples: np.ndarray
    edges: np.ndarray
    scale: np.float32


_PACKED: "WeakKeyDictionary[NerfactoField, _Packed]" = WeakKeyDictionary()


@torch.no_grad()
def render_nerfacto(field: NerfactoField, origins: Tensor, directions: Tensor) -> Tensor:
    """Return ``[ray, 6]``: colour, expected and median distance, opacity; all in field units."""
    if field not in _PACKED:
        _PACKED[field] = _pack(field)
    parts = [
        _render_chunk(field, _PACKED[field], o, d)
        for o, d in zip(
            origins.split(RAYS_PER_CHUNK), directions.split(RAYS_PER_CHUNK), strict=True
        )
    ]
    return torch.cat(parts) if parts else torch.zeros(0, 6)


def _render_chunk(
    field: NerfactoField, packed: _Packed, origins: Tensor, directions: Tensor
) -> Tensor:
    rays, samples = origins.shape[0], field.config.samples
    edges = torch.empty(rays, samples + 1)
    rays_np = origins.numpy(), directions.numpy()
    loops.propose(
        *rays_np,
        packed.proposals,
        packed.samples,
        packed.edges,
        packed.scale,
        RAYS_PER_BLOCK,
        edges.numpy(),
    )
    features = torch.empty(rays, samples, 2 * packed.resolutions.shape[0])
    inside = torch.empty(rays, samples, dtype=torch.bool)
    loops.encode(
        *rays_np, edges.numpy(), packed.table, packed.resolutions, features.numpy(), inside.numpy()
    )
    geometry = _dense(field, "base", 2, features.view(rays * samples, -1))
    weights = torch.empty(rays, samples)
    raw = geometry[:, 0].reshape(rays, samples)
    loops.weigh(raw.numpy(), inside.numpy(), edges.numpy(), packed.scale, weights.numpy())
    rgb = _colour(field, directions, geometry, weights)
    return composite(weights, rgb, edges, field.background)


def _colour(field: NerfactoField, directions: Tensor, geometry: Tensor, weights: Tensor) -> Tensor:
    """Return colours ``[ray, k, 3]`` of all samples that can be seen, 0 for the others.

    The harmonics' share of the first layer is the same along a ray and computed once.
    """
    visible = weights > DARK
    visible[:, -1] = True
    index = visible.flatten().nonzero()[:, 0]
    first = field.weights["head.0.weight"]
    along = torch.addmm(
        field.weights["head.0.bias"], spherical_harmonics((directions + 1) / 2), first[:, :16].T
    )
    hidden = geometry[index, 1:] @ first[:, 16:].T
    hidden += along[index // weights.shape[1]]
    hidden = torch.relu_(hidden)
    for layer in (1, 2):
        weight, bias = (field.weights[f"head.{layer}.{part}"] for part in ("weight", "bias"))
        hidden = torch.addmm(bias, hidden, weight.T)
        if layer == 1:
            hidden = torch.relu_(hidden)
    rgb = torch.zeros(weights.numel(), 3)
    rgb[index] = torch.sigmoid_(hidden)
    return rgb.view(*weights.shape, 3)


def _dense(field: NerfactoField, name: str, layers: int, hidden: Tensor) -> Tensor:
    for layer in range(layers):
        weight, bias = (field.weights[f"{name}.{layer}.{part}"] for part in ("weight", "bias"))
        hidden = torch.addmm(bias, hidden, weight.T)
        if layer < layers - 1:
            hidden = torch.relu_(hidden)
    return hidden


def _pack(field: NerfactoField) -> _Packed:
    config = field.config
    weights = {name: value.numpy() for name, value in field.weights.items()}
    return _Packed(
        table=weights["grid.table"],
        resolutions=config.grid.resolutions().numpy(),
        proposals=_pack_proposals(field, weights),
        samples=np.array([*config.proposal_samples, config.samples], dtype=np.int64),
        edges=first_edges(config.proposal_samples[0], config.far).numpy(),
        scale=np.float32(config.average_init_density),
    )


def _pack_proposals(field: NerfactoField, weights: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """Stack the proposal networks, padding with zeros where their sizes differ.

    A padded hidden unit has zero weights on both sides; a padded level reads table row 0 with
    zero weight in the first layer.
    """
    grids = field.config.proposal_grids
    names = [f"proposal.{i}" for i in range(len(grids))]
    levels = max(grid.levels for grid in grids)
    hidden = max(weights[f"{n}.0.weight"].shape[0] for n in names)
    rows = max(weights[f"{n}.table"].shape[0] for n in names)
    channels = weights[f"{names[0]}.table"].shape[1]
    tables = np.zeros((len(names), rows, channels), dtype=np.float32)
    sizes = np.zeros(len(names), dtype=np.int64)
    resolutions = np.ones((len(names), levels), dtype=np.float32)
    first = np.zeros((len(names), levels * channels, hidden), dtype=np.float32)
    biases = np.zeros((len(names), hidden), dtype=np.float32)
    second = np.zeros((len(names), hidden + 1), dtype=np.float32)
    for i, (name, grid) in enumerate(zip(names, grids, strict=True)):
        table, weight = weights[f"{name}.table"], weights[f"{name}.0.weight"]
        tables[i, : table.shape[0]] = table
        sizes[i] = table.shape[0] // grid.levels
        resolutions[i, : grid.levels] = grid.resolutions().numpy()
        first[i, : weight.shape[1], : weight.shape[0]] = weight.T
        biases[i, : weight.shape[0]] = weights[f"{name}.0.bias"]
        second[i, : weight.shape[0]] = weights[f"{name}.1.weight"][0]
        second[i, hidden] = weights[f"{name}.1.bias"][0]
    counts = np.array([grid.levels for grid in grids], dtype=np.int64)
    return tables, sizes, counts, resolutions, first, biases, second
