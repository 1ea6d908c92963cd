"""What is launched to render a chunk of rays with Triton: one kernel a pass, and its arguments.

triton is an optional package, so that it is imported only when something is to be launched.
"""

# triton is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from ...scenes.nerfacto import NerfactoConfig, NerfactoField
from ..triton_launch import Launch
from .triton_pack import LEAST, PackedField, PackedGrid, power_of_two

BACKGROUNDS = {"last_sample": 1, "white": 2}
"""Numbers that the shading kernel knows; any other background adds nothing."""
LEAST_WARPS, MOST_WARPS = 4, 8
"""Four warps work together on Hopper's tensor cores."""


@dataclass(frozen=True, kw_only=True)
class TritonOptions:
    """How the kernels are launched; only ``factors`` changes the picture."""

    samples_per_program: int = 128
    """Samples that share a program's layers, of several rays if rays have fewer."""
    samples_per_warp: int = 32
    """Fewer leave more registers to each sample, more make an instruction serve more of them."""
    most_registers: int | None = None
    """Registers of a thread; fewer let more programs wait for memory together, but may be written
    out to it. None leaves the choice to the compiler, which writes none out."""
    workspace_bytes: int = 1 << 29
    """Memory for what passes hand on; batches that need more are rendered in chunks."""
    factors: Literal["float16", "float32"] = "float16"
    """Type of the factors in the networks' products. float32 is slow, for checks."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Rays that are rendered at once, and what their passes hand on."""

    origins: Tensor
    directions: Tensor
    passes: tuple[tuple[Tensor, Tensor], ...]
    """Edges ``[ray, k + 1]`` and cumulated weights ``[ray, k]`` of each proposal pass, flat."""
    out: Tensor


def launches(
    field: NerfactoField, packed: PackedField, chunk: Chunk, options: TritonOptions
) -> list[Launch]:
    """Return what renders a chunk of rays, in order."""
    passes = range(len(packed.proposals))
    found = [_propose(field.config, packed, chunk, options, number) for number in passes]
    return [*found, _shade(field, packed, chunk, options)]


def _sizes(samples: int, options: TritonOptions) -> dict[str, Any]:
    """Return what the kernel of a pass of so many samples is compiled for."""
    import triton.language as tl

    room = power_of_two(samples)
    rays = max(options.samples_per_program // room, -(-LEAST // room), 1)
    warps = power_of_two(rays * room // options.samples_per_warp)
    capped = {"maxnreg": options.most_registers} if options.most_registers else {}
    return {
        "SAMPLES": samples,
        "ROOM": room,
        "RAYS": rays,
        "KIND": getattr(tl, options.factors),
        "num_warps": min(max(warps, LEAST_WARPS), MOST_WARPS),
        **capped,
    }


def _pass(
    config: NerfactoConfig, packed: PackedField, chunk: Chunk, options: TritonOptions, number: int
) -> dict[str, Any]:
    """Return the arguments that all kernels take, of pass ``number``."""
    samples = (*config.proposal_samples, config.samples)
    if number:
        before, (edges, cdf) = samples[number - 1], chunk.passes[number - 1]
    else:
        before, edges, cdf = 0, packed.first_edges, packed.first_edges
    return {
        "origins": chunk.origins,
        "directions": chunk.directions,
        "rays": chunk.origins.shape[0],
        "edges_before": edges,
        "cdf_before": cdf,
        "scale": config.average_init_density,
        "BEFORE": before,
        "STEPS": (before - 1).bit_length() if before else 0,
        **_sizes(samples[number], options),
    }


def _grid(grid: PackedGrid) -> dict[str, Any]:
    return {
        "table": grid.table,
        "resolutions": grid.resolutions,
        "size": grid.size,
        "LEVELS": grid.levels,
    }


def _launch(kernel: object, arguments: dict[str, Any]) -> Launch:
    programs = -(-arguments["rays"] // arguments["RAYS"])
    return Launch(kernel=kernel, programs=programs, arguments=arguments)


def _propose(
    config: NerfactoConfig, packed: PackedField, chunk: Chunk, options: TritonOptions, number: int
) -> Launch:
    from .triton_proposal import propose_kernel

    network, (edges, cdf) = packed.proposals[number], chunk.passes[number]
    arguments = {
        **_pass(config, packed, chunk, options, number),
        **_grid(network.grid),
        "edges": edges,
        "cdf": cdf,
        "weight": network.hidden.weight,
        "bias": network.hidden.bias,
        "last_weight": network.last_weight,
        "last_bias": network.last_bias,
        "HIDDEN": network.hidden.outputs,
    }
    return _launch(propose_kernel, arguments)


def _shade(
    field: NerfactoField, packed: PackedField, chunk: Chunk, options: TritonOptions
) -> Launch:
    from .triton_shading import shade_kernel

    base, head = packed.base, packed.head
    arguments = {
        **_pass(field.config, packed, chunk, options, len(packed.proposals)),
        **_grid(packed.grid),
        "out": chunk.out,
        **{f"base_weight_{i}": layer.weight for i, layer in enumerate(base)},
        **{f"base_bias_{i}": layer.bias for i, layer in enumerate(base)},
        **{f"head_weight_{i}": layer.weight for i, layer in enumerate(head)},
        **{f"head_bias_{i}": layer.bias for i, layer in enumerate(head)},
        "head_geometry_weight": packed.head_geometry,
        "HIDDEN": base[0].outputs,
        "GEOMETRY": base[1].outputs,
        "DEEP_0": head[0].outputs,
        "DEEP_1": head[1].outputs,
        "BACKGROUND": BACKGROUNDS.get(field.background, 0),
    }
    return _launch(shade_kernel, arguments)
