"""The GPU path for nerfacto: one Triton kernel a pass, without a word to the host in between.

Same samples and same picture as ``scenes/nerfacto.py`` through ``render/volume.render_field``, but
for half-precision tables and factors. A launch takes as many rays as the workspace holds, whole
clips; the workspace holds each proposal pass's edges and cumulated weights, and is the only memory
that rendering needs beside its output.

A call can be captured in a CUDA graph once a call of the same sizes has packed the weights and
compiled the kernels. Needs triton, which CUDA builds of torch bring along.
"""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ...scenes.nerfacto import NerfactoConfig, NerfactoField
from ..triton_launch import on_device, require_tensors, require_triton
from .triton_launch import Chunk, TritonOptions, launches
from .triton_pack import PackedField, pack_field

OUTPUTS = 6
ALIGNED = 32
"""Chunks are multiples of this many rays, so that the arrays of each start at 128 bytes."""
FLOAT_BYTES = 4

_PACKED: "WeakKeyDictionary[NerfactoField, dict[torch.device, PackedField]]" = WeakKeyDictionary()


@torch.no_grad()
def render_nerfacto_triton(
    field: NerfactoField,
    origins: Tensor,
    directions: Tensor,
    *,
    out: Tensor | None = None,
    workspace: Tensor | None = None,
    options: TritonOptions | None = None,
) -> Tensor:
    """Return ``[ray, 6]``: colour, expected and median distance, opacity; all in field units.

    Args:
        field: the field; its weights are packed for the rays' device once.
        origins: float32 ``[ray, 3]`` on a CUDA device, contiguous.
        directions: unit directions, likewise.
        out: where to write, float32 ``[ray, 6]``; made if not given.
        workspace: float32, ``workspace_floats`` numbers or fewer; made if not given.
        options: how to launch.

    Raises:
        ValueError: tensors that the kernels cannot take.
        ImportError: triton is not installed.
    """
    options = options or TritonOptions()
    require_triton()
    from .triton_shading import shade_kernel

    rays, device = origins.shape[0], origins.device
    if out is None:
        out = torch.empty(rays, OUTPUTS, device=device)
    if workspace is None:
        workspace = torch.empty(workspace_floats(field.config, rays, options), device=device)
    require_tensors(
        shade_kernel,
        origins=(origins, (rays, 3)),
        directions=(directions, (rays, 3)),
        out=(out, (rays, OUTPUTS)),
        workspace=(workspace, (workspace.numel(),)),
    )
    packed = packed_field(field, device)
    at_once = _rays_at_once(field.config, workspace)
    with on_device(device):
        for first in range(0, rays, at_once):
            part = slice(first, first + at_once)
            chunk = Chunk(
                origins=origins[part],
                directions=directions[part],
                passes=_passes(field.config, workspace, at_once),
                out=out[part],
            )
            for launch in launches(field, packed, chunk, options):
                launch()
    return out


def workspace_floats(
    config: NerfactoConfig, rays: int, options: TritonOptions | None = None
) -> int:
    """Return how many numbers a workspace for so many rays holds, within the options' limit."""
    per_ray = _floats_per_ray(config)
    most = (options or TritonOptions()).workspace_bytes // (FLOAT_BYTES * per_ray)
    wanted = -(-max(rays, 1) // ALIGNED) * ALIGNED
    return min(wanted, max(most // ALIGNED * ALIGNED, ALIGNED)) * per_ray


def packed_field(field: NerfactoField, device: torch.device) -> PackedField:
    """Return a field's weights on a device, packed when first asked for."""
    by_device = _PACKED.setdefault(field, {})
    if device not in by_device:
        by_device[device] = pack_field(field, device)
    return by_device[device]


def _floats_per_ray(config: NerfactoConfig) -> int:
    return max(sum(2 * samples + 1 for samples in config.proposal_samples), 1)


def _rays_at_once(config: NerfactoConfig, workspace: Tensor) -> int:
    per_ray = _floats_per_ray(config)
    at_once = workspace.numel() // per_ray // ALIGNED * ALIGNED
    if not at_once:
        raise ValueError(
            f"expected a workspace of at least {ALIGNED * per_ray} numbers, for {ALIGNED} rays, "
            f"got {workspace.numel()}"
        )
    return at_once


def _passes(
    config: NerfactoConfig, workspace: Tensor, rays: int
) -> tuple[tuple[Tensor, Tensor], ...]:
    """Return room for each proposal pass's edges and cumulated weights, one after the other."""
    found, start = [], 0
    for samples in config.proposal_samples:
        middle, end = start + rays * (samples + 1), start + rays * (2 * samples + 1)
        found.append((workspace[start:middle], workspace[middle:end]))
        start = end
    return tuple(found)
