"""The fast path on a GPU: one Triton kernel, one launch for as many rays as there are.

Nothing is said to the host in between and nothing is needed beside the output, so that a call with
``out`` can be captured in a CUDA graph once a call has packed the bricks and compiled the kernel.
Needs triton, which CUDA builds of torch bring along.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ...scenes.bricks import Bricks
from ...scenes.bricks.bricks import MOST_STORED, TEN_BITS
from ..triton_launch import Launch, on_device, require_tensors, require_triton
from .triton_pack import PackedBricks, pack_bricks

OUTPUTS = 6

_PACKED: "WeakKeyDictionary[Bricks, dict[torch.device, PackedBricks]]" = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class MarchOptions:
    """How the kernel is launched; none of it changes the picture."""

    rays_per_program: int = 32
    """Rays that wait for each other. One warp's worth: it is over with its own last ray, and asks
    whether it is with a shuffle, for which larger programs need shared memory and a barrier.
    Neighbouring rays are in one program, as they pass the same bricks and end at similar depths."""
    warps: int = 1


@torch.no_grad()
def render_bricks_triton(
    bricks: Bricks,
    origins: Tensor,
    directions: Tensor,
    *,
    out: Tensor | None = None,
    options: MarchOptions | None = None,
) -> Tensor:
    """Return what ``kernel.render_bricks`` returns: ``[ray, 6]``, distances in grid units.

    Args:
        bricks: what to look at; packed for the rays' device once.
        origins: float32 ``[ray, 3]`` in grid units on a CUDA device, contiguous.
        directions: unit vectors, likewise.
        out: where to write, float32 ``[ray, 6]``; made if not given.
        options: how to launch.

    Raises:
        ValueError: tensors that the kernel cannot take.
        ImportError: triton is not installed.
    """
    require_triton()
    from .triton_march import march_kernel

    rays, device = origins.shape[0], origins.device
    if out is None:
        out = torch.empty(rays, OUTPUTS, device=device)
    require_tensors(
        march_kernel,
        origins=(origins, (rays, 3)),
        directions=(directions, (rays, 3)),
        out=(out, (rays, OUTPUTS)),
    )
    packed = packed_bricks(bricks, device)
    if rays:
        with on_device(device):
            march_launch(bricks, packed, (origins, directions, out), options)()
    return out


def packed_bricks(bricks: Bricks, device: torch.device) -> PackedBricks:
    """Return bricks on a device, packed when first asked for."""
    by_device = _PACKED.setdefault(bricks, {})
    if device not in by_device:
        by_device[device] = pack_bricks(bricks, device)
    return by_device[device]


def march_launch(
    bricks: Bricks,
    packed: PackedBricks,
    tensors: tuple[Tensor, Tensor, Tensor],
    options: MarchOptions | None = None,
) -> Launch:
    """Return what renders rays: origins, directions, and where to write."""
    from .triton_march import march_kernel

    options = options or MarchOptions()
    look, (origins, directions, out) = bricks.look, tensors
    (low_depth, high_depth), (low, high) = look.density_range, look.colour_range
    least_tilt, most_tilt = look.tilt_range
    arguments = {
        "origins": origins,
        "directions": directions,
        "out": out,
        "rays": origins.shape[0],
        "index": packed.index,
        "words": packed.words,
        "colours": packed.colours,
        # Something must be handed over, even if it is not read.
        "tilts": packed.colours if packed.tilts is None else packed.tilts,
        "levels": bricks.space.levels,
        "cells": bricks.space.cells,
        "step_cells": float(look.step_cells),
        "dark": float(look.dark),
        "faint": float(look.faint),
        "lowest_depth": float(low_depth),
        "rise_depth": (high_depth - low_depth) / MOST_STORED,
        "lowest": float(low),
        "rise": (high - low) / TEN_BITS,
        "lowest_tilt": float(least_tilt),
        "rise_tilt": (most_tilt - least_tilt) / TEN_BITS,
        "behind_red": float(look.behind[0]),
        "behind_green": float(look.behind[1]),
        "behind_blue": float(look.behind[2]),
        "RAYS": options.rays_per_program,
        "TILTED": packed.tilts is not None,
        "num_warps": options.warps,
    }
    programs = -(-origins.shape[0] // options.rays_per_program)
    return Launch(kernel=march_kernel, programs=programs, arguments=arguments)
