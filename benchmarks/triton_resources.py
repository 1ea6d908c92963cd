"""What the Triton kernels take on a GPU, compiled for one that need not be here.

    python benchmarks/triton_resources.py --field living_room --field nerfacto --json resources.json
    python benchmarks/triton_resources.py --field bricks --field "tilted bricks"  # the fast path's

For each kernel of each field's sizes: registers a thread, bytes spilled, shared memory a program,
the programs and warps that fit on a multiprocessor at once, and how many instructions of tensor
cores and of loads it has. Needs triton, whose wheel holds the assembler, and no GPU.
"""

# triton is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

import argparse
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.render.bricks.triton_pack import pack_bricks
from merkwelt.render.bricks.triton_path import MarchOptions, march_launch
from merkwelt.render.nerfacto.triton_launch import Chunk, TritonOptions, launches
from merkwelt.render.nerfacto.triton_pack import pack_field
from merkwelt.render.triton_launch import Launch
from merkwelt.scenes.bricks import BrickLook, Bricks, BrickSpace
from merkwelt.scenes.bricks.space import VERTICES, VOXELS
from merkwelt.scenes.nerfacto import GridConfig, NerfactoConfig, NerfactoField

POINTERS = {
    torch.float16: "*fp16",
    torch.float32: "*fp32",
    torch.int32: "*i32",
    torch.int64: "*i64",
}
REGISTERS, SHARED_BYTES, WARPS, PROGRAMS = 65536, 227 * 1024, 64, 32
"""What a multiprocessor of compute capability 9.0 has (CUDA programming guide, table of technical
specifications)."""
REGISTER_STEP = 8
"""Registers are given to a thread in steps of this many."""


def _config(levels: tuple[int, int, int], samples: tuple[int, int, int]) -> NerfactoConfig:
    """Return a nerfacto of so many levels and samples, the proposal networks' first."""
    first, second, field = (
        GridConfig(levels=n, base_resolution=16, max_resolution=m)
        for n, m in zip(levels, (128, 256, 2048), strict=True)
    )
    return NerfactoConfig(
        grid=field, proposal_grids=(first, second), proposal_samples=samples[:2], samples=samples[2]
    )


FIELDS = {
    "living_room": _config((5, 5, 13), (64, 32, 24)),
    "nerfacto": _config((5, 5, 16), (256, 96, 48)),
}
"""The bundled scene, and nerfstudio's defaults."""
BRICKS, TILTED_BRICKS = "bricks", "tilted bricks"
"""The fast path of any scene, without and with brightness that depends on the direction: its kernel
is compiled for no sizes."""


def empty_field(config: NerfactoConfig, hidden: int = 64, hidden_proposal: int = 16) -> Any:  # noqa: ANN401
    """Return a field of these sizes whose tables have a single row a level.

    How many rows there are is no part of what is compiled.
    """
    shapes = {"base": (2 * config.grid.levels, hidden, 16), "head": (31, hidden, hidden, 3)}
    for i, grid in enumerate(config.proposal_grids):
        shapes[f"proposal.{i}"] = (2 * grid.levels, hidden_proposal, 1)
    weights = {"grid.table": torch.zeros(config.grid.levels, 2)}
    for name, widths in shapes.items():
        for i, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            weights[f"{name}.{i}.weight"] = torch.zeros(outputs, inputs)
            weights[f"{name}.{i}.bias"] = torch.zeros(outputs)
    for i, grid in enumerate(config.proposal_grids):
        weights[f"proposal.{i}.table"] = torch.zeros(grid.levels, 2)
    return NerfactoField(config, weights)


def launches_of(config: NerfactoConfig, options: TritonOptions) -> list[Launch]:
    """Return what a batch of rays would launch."""
    field, rays = empty_field(config), 32
    chunk = Chunk(
        origins=torch.zeros(rays, 3),
        directions=torch.zeros(rays, 3),
        passes=tuple((torch.zeros(0), torch.zeros(0)) for _ in config.proposal_samples),
        out=torch.zeros(rays, 6),
    )
    return launches(field, pack_field(field, torch.device("cpu")), chunk, options)


def launch_of_bricks(options: MarchOptions, *, tilted: bool) -> Launch:
    """Return what a batch of rays through bricks would launch."""
    words = np.zeros((0, VERTICES), dtype=np.uint32)
    bricks = Bricks(
        space=BrickSpace(centre=(0.0, 0.0, 0.0), half_edge=1.0, cells=32, levels=2),
        look=BrickLook(),
        places=np.zeros((0, 4), dtype=np.int32),
        occupied=np.zeros((0, VOXELS), dtype=bool),
        density=np.zeros((0, VERTICES), dtype=np.uint8),
        colour=words,
        tilt=words if tilted else None,
    )
    rays = torch.zeros(32, 3), torch.zeros(32, 3), torch.zeros(32, 6)
    return march_launch(bricks, pack_bricks(bricks, torch.device("cpu")), rays, options)


def compiled(launch: Launch, capability: int) -> Any:  # noqa: ANN401 (untyped package)
    """Return a launch's kernel, compiled for a compute capability (90 is 9.0)."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    names = launch.kernel.arg_names
    signature, constants, aligned = {}, {}, {}
    for place, name in enumerate(names):
        value = launch.arguments[name]
        if isinstance(value, torch.Tensor):
            signature[name] = POINTERS[value.dtype]
            aligned[(place,)] = [["tt.divisibility", 16]]
        elif launch.kernel.params[place].is_constexpr:
            signature[name] = "constexpr"
            constants[(place,)] = value
        else:
            signature[name] = "fp32" if isinstance(value, float) else "i32"
    source = ASTSource(launch.kernel, signature, constexprs=constants, attrs=aligned)
    options = {k: v for k, v in launch.arguments.items() if k in ("num_warps", "maxnreg")}
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)


def resources(launch: Launch, capability: int) -> dict[str, Any]:
    """Return what a launch's kernel takes."""
    kernel = compiled(launch, capability)
    ptx, warps = kernel.asm["ptx"], launch.arguments["num_warps"]
    said = _assembler(ptx, launch.arguments.get("maxnreg"))
    registers = int(_found(r"Used (\d+) registers", said))
    shared = kernel.metadata.shared
    by_registers = REGISTERS // (-(-registers // REGISTER_STEP) * REGISTER_STEP * 32 * warps)
    programs = min(by_registers, SHARED_BYTES // max(shared, 1), WARPS // warps, PROGRAMS)
    return {
        "kernel": launch.kernel.__name__,
        "samples": launch.arguments.get("SAMPLES"),
        "rays_per_program": launch.arguments["RAYS"],
        "warps": warps,
        "registers": registers,
        "spilled_bytes": int(_found(r"(\d+) bytes spill stores", said)),
        "shared_bytes": shared,
        "programs_per_multiprocessor": programs,
        "warps_per_multiprocessor": programs * warps,
        "tensor_core_instructions": len(re.findall(r"wgmma\.mma_async|mma\.sync", ptx)),
        "loads": len(re.findall(r"ld\.global", ptx)),
    }


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"expected {pattern!r} in what the assembler says, got {text!r}")
    return match.group(1)


def _assembler(ptx: str, most_registers: int | None) -> str:
    """Return what the assembler of triton's wheel says about a program."""
    from triton import knobs

    target = _found(r"\.target (\w+)", ptx)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.ptx"
        path.write_text(ptx)
        command = [knobs.nvidia.ptxas.path, "-v", "--gpu-name", target, path, "-o", os.devnull]
        command += [f"-maxrregcount={most_registers}"] if most_registers else []
        return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def report(name: str, rows: list[dict[str, Any]]) -> None:
    """Print a field's kernels."""
    print(f"{name}")
    print(
        f"  {'kernel':16s}{'samples':>8s}{'rays':>6s}{'warps':>6s}{'registers':>10s}{'spilled':>8s}"
        f"{'shared':>8s}{'warps/SM':>9s}{'mma':>5s}{'loads':>6s}"
    )
    for row in rows:
        samples = row["samples"] or "-"  # Of each ray; those of a march are what is in its way.
        print(
            f"  {row['kernel']:16s}{samples:>8}{row['rays_per_program']:6d}"
            f"{row['warps']:6d}{row['registers']:10d}{row['spilled_bytes']:8d}"
            f"{row['shared_bytes']:8d}{row['warps_per_multiprocessor']:9d}"
            f"{row['tensor_core_instructions']:5d}{row['loads']:6d}"
        )


def main() -> None:
    """Compile and print; write JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [*FIELDS, BRICKS, TILTED_BRICKS]
    parser.add_argument("--field", choices=names, action="append", help="may be given twice")
    parser.add_argument("--capability", type=int, default=90, choices=(80, 86, 89, 90))
    parser.add_argument("--samples-per-program", type=int, default=128)
    parser.add_argument("--samples-per-warp", type=int, default=32)
    parser.add_argument("--most-registers", type=int)
    parser.add_argument("--rays-per-program", type=int, default=MarchOptions().rays_per_program)
    parser.add_argument("--warps", type=int, default=MarchOptions().warps, help="of bricks")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    options = TritonOptions(
        samples_per_program=arguments.samples_per_program,
        samples_per_warp=arguments.samples_per_warp,
        most_registers=arguments.most_registers,
    )
    march = MarchOptions(rays_per_program=arguments.rays_per_program, warps=arguments.warps)
    results = {}
    for name in arguments.field or names:
        if name in FIELDS:
            found = launches_of(FIELDS[name], options)
        else:
            found = [launch_of_bricks(march, tilted=name == TILTED_BRICKS)]
        results[name] = [resources(launch, arguments.capability) for launch in found]
        report(name, results[name])
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
