"""The compiled CPU path for nerfacto: same samples, same picture as the torch reference.

Chunks of rays are shared among the processor's cores; each passes both proposal networks and the
field in tiles of 64 samples. Weights are packed once per field.
"""

from typing import Any
from weakref import WeakKeyDictionary

import numba
import numpy as np
import torch
from torch import Tensor

from ...scenes.nerfacto import GridConfig, NerfactoField
from ...scenes.proposal_sampling import first_edges
from . import shading_loops as loops
from .hash_loops import rows_in_words
from .tile_loops import QUAD

MOST_RAYS_PER_CHUNK = 512
"""Few enough that a chunk's samples stay in a core's cache, many enough that a level of the hash
table is used often once it is there."""
LEAST_RAYS_PER_CHUNK = 32

_PACKED: "WeakKeyDictionary[NerfactoField, tuple[Any, ...]]" = WeakKeyDictionary()


@torch.no_grad()
def render_nerfacto(field: NerfactoField, origins: Tensor, directions: Tensor) -> Tensor:
    """Return ``[ray, 6]``: colour, expected and median distance, opacity; all in field units."""
    if field not in _PACKED:
        _PACKED[field] = _pack(field)
    rays = origins.shape[0]
    out = torch.zeros(rays, loops.OUTPUTS)
    if rays:
        shared = -(-rays // numba.get_num_threads())
        chunk = min(max(shared, LEAST_RAYS_PER_CHUNK), MOST_RAYS_PER_CHUNK)
        rays_np = origins.numpy(), directions.numpy()
        loops.render(*rays_np, *_PACKED[field], chunk, out.numpy())  # pyright: ignore[reportCallIssue]
    return out


@torch.no_grad()
def absorb_nerfacto(
    field: NerfactoField, origins: Tensor, directions: Tensor
) -> tuple[Tensor, Tensor]:
    """Return where the light of rays is absorbed, in the samples that the field places itself.

    Edges ``[ray, k + 1]`` are in field units; weights ``[ray, k]`` are what each sample has in what
    the ray sees.
    """
    from .absorption_loops import absorb

    if field not in _PACKED:
        _PACKED[field] = _pack(field)
    networks, samples, first = _PACKED[field][:3]
    rays, count = origins.shape[0], field.config.samples
    edges, weights = torch.zeros(rays, count + 1), torch.zeros(rays, count)
    absorb(  # pyright: ignore[reportCallIssue]
        *(origins.numpy(), directions.numpy()),
        *(networks, samples, first),
        _pack_density(field),
        np.float32(field.config.average_init_density),
        MOST_RAYS_PER_CHUNK,
        *(edges.numpy(), weights.numpy()),
    )
    return edges, weights


def _pack(field: NerfactoField) -> tuple[Any, ...]:
    """Return networks, samples, edges, field, sizes, scale and background for the loops."""
    config = field.config
    weights = {name: value.numpy() for name, value in field.weights.items()}
    layers, sizes = _pack_layers(weights)
    backgrounds = {"last_sample": loops.LAST_SAMPLE, "white": loops.WHITE}
    return (
        _pack_proposals(config.proposal_grids, weights),
        np.array([*config.proposal_samples, config.samples], dtype=np.int64),
        first_edges(config.proposal_samples[0], config.far).numpy(),
        (rows_in_words(weights["grid.table"]), config.grid.resolutions().numpy(), *layers),
        sizes,
        np.float32(config.average_init_density),
        backgrounds.get(field.background, 0),
    )


def _padded(size: int) -> int:
    return -(-size // QUAD) * QUAD


def _layer(weight: np.ndarray, bias: np.ndarray, inputs: int, outputs: int) -> tuple:
    """Return a layer's weight, flat ``[input, output]``, and bias, padded with zeros."""
    padded = np.zeros((inputs, outputs), dtype=np.float32)
    padded[: weight.shape[1], : weight.shape[0]] = weight.T
    padded_bias = np.zeros(outputs, dtype=np.float32)
    padded_bias[: len(bias)] = bias
    return padded.ravel(), padded_bias


def _pack_layers(weights: dict[str, np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """Return weights and biases of base and head, and the sizes between their layers.

    The head takes harmonics, then geometry without the density.
    """
    base = [(weights[f"base.{i}.weight"], weights[f"base.{i}.bias"]) for i in range(2)]
    head = [(weights[f"head.{i}.weight"], weights[f"head.{i}.bias"]) for i in range(3)]
    inputs, hidden = (_padded(size) for size in base[0][0].shape[::-1])
    outputs = _padded(base[1][0].shape[0])
    seen = _padded(loops.HARMONICS + outputs - 1)
    deep = _padded(max(head[0][0].shape[0], head[1][0].shape[0]))
    layers = [
        *_layer(*base[0], inputs, hidden),
        *_layer(*base[1], hidden, outputs),
        *_layer(*head[0], seen, deep),
        *_layer(*head[1], deep, deep),
        *_layer(*head[2], deep, QUAD),
    ]
    return layers, np.array([inputs, hidden, outputs, seen, deep], dtype=np.int64)


def _pack_density(field: NerfactoField) -> tuple[np.ndarray, ...]:
    """Return the field's density as one proposal network: its last layer's first output."""
    weights = {
        "table": field.weights["grid.table"],
        "0.weight": field.weights["base.0.weight"],
        "0.bias": field.weights["base.0.bias"],
        "1.weight": field.weights["base.1.weight"][:1],
        "1.bias": field.weights["base.1.bias"][:1],
    }
    named = {f"proposal.0.{name}": value.numpy() for name, value in weights.items()}
    return _pack_proposals((field.config.grid,), named)


def _pack_proposals(
    grids: tuple[GridConfig, ...], weights: dict[str, np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Stack proposal networks, padding with zeros where their sizes differ."""
    names = [f"proposal.{i}" for i in range(len(grids))]
    inputs = _padded(max(weights[f"{n}.0.weight"].shape[1] for n in names))
    hidden = _padded(max(weights[f"{n}.0.weight"].shape[0] for n in names))
    tables = [weights[f"{n}.table"] for n in names]
    stacked = np.zeros((len(names), max(map(len, tables))), dtype=np.uint64)
    resolutions = np.ones((len(names), max(g.levels for g in grids)), dtype=np.float32)
    for i, (table, grid) in enumerate(zip(tables, grids, strict=True)):
        stacked[i, : len(table)] = rows_in_words(table)
        resolutions[i, : grid.levels] = grid.resolutions().numpy()
    first = [
        _layer(weights[f"{n}.0.weight"], weights[f"{n}.0.bias"], inputs, hidden) for n in names
    ]
    second = [_layer(weights[f"{n}.1.weight"], weights[f"{n}.1.bias"], hidden, QUAD) for n in names]
    levels = np.array([grid.levels for grid in grids], dtype=np.int64)
    return (
        stacked,
        np.array([len(t) for t in tables], dtype=np.int64) // levels,
        levels,
        resolutions,
        *(np.stack(parts) for parts in zip(*first, strict=True)),
        *(np.stack(parts) for parts in zip(*second, strict=True)),
    )
