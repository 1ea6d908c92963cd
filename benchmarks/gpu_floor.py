"""What a ray needs of a GPU at least, exactly and fast, beside what the GPU can do."""

from typing import Any

import gpu_ceilings
import torch
from brick_work import work_of
from merkwelt.render.bricks.triton_path import packed_bricks
from merkwelt.scenes.bricks import Bricks
from merkwelt.scenes.nerfacto import NerfactoField
from merkwelt.scenes.scene import Scene

RayPair = tuple[torch.Tensor, torch.Tensor]
FAST = "fast"
"""The renderer whose rays are in grid units, and what is told of it."""


def work_per_ray(field: NerfactoField) -> dict[str, float]:
    """Return look-ups, floating-point operations and bytes of device memory that a ray needs.

    Bytes are those of the ray, of what is seen, and of what passes hand on, written and read once;
    tables stay in the second cache.
    """
    config = field.config
    passes = [*zip(config.proposal_grids, config.proposal_samples, strict=True)]
    passes.append((config.grid, config.samples))
    products = [
        sum(w.numel() for name, w in field.weights.items() if name.endswith("weight") and of(name))
        for of in (
            *(lambda name, i=i: name.startswith(f"proposal.{i}.") for i in range(len(passes) - 1)),
            lambda name: name.startswith(("base", "head")),
        )
    ]
    samples = [count for _, count in passes]
    return {
        "gathers": sum(8 * grid.levels * count for grid, count in passes),
        "flops": sum(2 * size * count for size, count in zip(products, samples, strict=True)),
        "bytes": 4 * (3 + 3 + 6) + 2 * 4 * sum(2 * count + 1 for count in samples[:-1]),
    }


def work_per_fast_ray(bricks: Bricks, rays: RayPair) -> dict[str, float]:
    """Return look-ups of either kind and bytes that a ray through bricks needs, by counting.

    The eight colours of a sample are four pairs of neighbours, and its eight tilts, if there are
    any. Bytes are useful ones, of which each
    look-up moves a whole sector; ``busy`` is the share of a warp's turns that rays have use for.
    """
    counted = work_of(bricks, *rays)
    words = 8 if bricks.tilt is None else 16
    return {
        **counted,
        "lone_gathers": counted["looks"] + counted["words"],
        "gathers": words * counted["coloured"],
        "bytes": 48 + 4 * (counted["looks"] + words * counted["coloured"]) + 8 * counted["words"],
    }


def fast_floor(work: dict[str, float], most: dict[str, float]) -> dict[str, float]:
    """Return the seconds that the look-ups and the bytes of a ray through bricks take at least."""
    kinds = ("lone_gathers", "gathers")
    return {
        "gathers": sum(work[kind] / most[kind] for kind in kinds),
        "bytes": work["bytes"] / most["bytes"],
    }


def ceilings(device: torch.device, rows: int) -> dict[str, float]:
    """Return what the device can do in a second, at random in a table of so many rows."""
    return {
        "bytes": gpu_ceilings.bytes_per_s(device),
        "flops": gpu_ceilings.flops_per_s(device),
        "gathers": gpu_ceilings.gathers_per_s(device, rows=rows, pair=True),
        "lone_gathers": gpu_ceilings.gathers_per_s(device, rows=rows, pair=False),
    }


def power_of_two(count: int) -> int:
    """Return the smallest power of two that is not less."""
    return 1 << (count - 1).bit_length()


def needs(scene: Scene, grid: RayPair | None, device: torch.device) -> dict[str, dict[str, Any]]:
    """Return what a ray needs, the device's ceilings and the floor: exactly, and fast.

    ``grid`` are some rays through the scene's bricks, if it has any.
    """
    field = scene.field
    assert isinstance(field, NerfactoField)
    work = work_per_ray(field)
    most = ceilings(device, power_of_two(len(field.weights["grid.table"])))
    floor = {name: work[name] / most[name] for name in work}
    found = {"exact": {"work_per_ray": work, "ceilings_per_s": most, "floor_s_per_ray": floor}}
    if grid is not None:
        packed = packed_bricks(scene.bricks, device)
        tilts = 0 if packed.tilts is None else len(packed.tilts)
        held = 2 * len(packed.words) + len(packed.colours) + tilts + len(packed.index)
        fast, most = work_per_fast_ray(scene.bricks, grid), ceilings(device, power_of_two(held))
        floor = fast_floor(fast, most)
        found[FAST] = {"work_per_ray": fast, "ceilings_per_s": most, "floor_s_per_ray": floor}
    return found


def report_needs(found: dict[str, Any]) -> None:
    """Print what a ray needs of either kind, and what the device can do at most."""
    work, most, floor = (
        found["exact"][k] for k in ("work_per_ray", "ceilings_per_s", "floor_s_per_ray")
    )
    print(f"a ray needs {work['gathers']:.0f} look-ups, {work['flops'] / 1e6:.2f} MFLOP, ")
    print(f"  {work['bytes']:.0f} bytes; the device does {most['gathers'] / 1e9:.0f} G look-ups/s")
    print(
        f"  in pairs ({most['lone_gathers'] / 1e9:.0f} alone), {most['flops'] / 1e12:.0f} TFLOP/s,"
    )
    print(f"  {most['bytes'] / 1e12:.2f} TB/s: at most {1e-6 / max(floor.values()):.0f} M rays/s")
    if FAST in found:
        work, floor = found[FAST]["work_per_ray"], found[FAST]["floor_s_per_ray"]
        print(
            f"a fast ray looks {work['looks']:.1f} times, reads {work['words']:.1f} cells and "
            f"{work['coloured']:.1f} colours, {work['bytes']:.0f} bytes;"
        )
        print(f"  in a warp it is busy {work['busy']:.0%} of the turns:", end="")
        print(f" at most {1e-6 / max(floor.values()):.0f} M rays/s")
