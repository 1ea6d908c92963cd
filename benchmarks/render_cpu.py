"""How fast nerfacto renders on the CPU, beside nerfstudio's own renderer in the same run.

    python benchmarks/render_cpu.py --run ../shared/data/trained/fox_nerfacto \
        --rays ../shared/data/trained/fox_nerfacto/nerfstudio_renders_128.npz --json render_cpu.json

Needs the extra `nerfstudio`. `--rays` is an archive with `ray_origins` and `ray_directions`
`[view, height, width, 3]` in the run's own coordinates. The renderers take turns on the same
views, so that a machine that is busy is so for all of them; ratios are of medians.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.render.nerfacto.kernel import render_nerfacto
from merkwelt.render.volume import render_field
from merkwelt.scenes.nerfstudio.run import ImportOptions, find_run, import_run
from merkwelt.scenes.scene import Scene, save_scene
from merkwelt.scenes.training.environment import nerfstudio_mended
from nerfstudio_peer import Renderer, nerfstudio_renderer

RAYS_AT_ONCE = 4096
READY = """
import os, sys, threading, time
import torch
from pathlib import Path
from merkwelt.render.nerfacto.kernel import render_nerfacto
from merkwelt.scenes.scene import Scene

def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

def watch():
    while not done.wait(0.002):
        seen.append(resident_mb())

started = time.perf_counter()
scene = Scene.load(Path(sys.argv[1]))
rays = torch.load(sys.argv[2], weights_only=True)
render_nerfacto(scene.field, rays[0][:64], rays[1][:64])
ready_s = time.perf_counter() - started
loaded, seen, done = resident_mb(), [], threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
for _ in range(4):
    render_nerfacto(scene.field, rays[0], rays[1])
done.set()
watcher.join()
print(ready_s, max(seen) - loaded)
"""


def our_renderers(scene: Scene) -> dict[str, Renderer]:
    """Return the torch reference and the compiled kernel."""
    field = scene.field

    def reference(origins: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        parts = zip(origins.split(RAYS_AT_ONCE), directions.split(RAYS_AT_ONCE), strict=True)
        return torch.cat([render_field(field, o, d) for o, d in parts])[:, :3]

    def compiled(origins: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        return render_nerfacto(field, origins, directions)[:, :3]  # type: ignore[arg-type]

    return {"torch": reference, "compiled": compiled}


def measure(
    renderers: dict[str, Renderer], views: list[tuple[torch.Tensor, torch.Tensor]], rounds: int
) -> dict[str, dict[str, Any]]:
    """Return rays per second, PSNR to the first renderer and the ratio to it, by name."""
    seconds: dict[str, list[float]] = {name: [] for name in renderers}
    pictures: dict[str, list[torch.Tensor]] = {name: [] for name in renderers}
    for render in renderers.values():
        render(*(part[:256] for part in views[0]))
    for turn in range(rounds):
        for origins, directions in views:
            for name, render in renderers.items():
                started = time.perf_counter()
                picture = render(origins, directions)
                seconds[name].append(time.perf_counter() - started)
                if turn == 0:
                    pictures[name].append(picture)
    peer = next(iter(renderers))
    slow = statistics.median(seconds[peer])
    rays = len(views[0][0])
    table = {}
    for name in renderers:
        median = statistics.median(seconds[name])
        error = torch.cat(pictures[name]) - torch.cat(pictures[peer])
        table[name] = {
            "rays_per_s": rays / median,
            "picture_ms": 1000 * median,
            "fastest_ms": 1000 * min(seconds[name]),
            "times_nerfstudio": slow / median,
            "psnr_db": None if name == peer else -10 * float((error**2).mean().log10()),
        }
    return table


def cost_by_rays(
    render: Renderer, views: list[tuple[torch.Tensor, torch.Tensor]], rounds: int
) -> dict[int, float]:
    """Return microseconds per ray for batches of different sizes."""
    origins, directions = (torch.cat([view[i] for view in views]) for i in range(2))
    cost = {}
    for count in (256, 1024, 4096, 16384, len(origins)):
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            render(origins[:count], directions[:count])
            times.append(time.perf_counter() - started)
        cost[min(count, len(origins))] = 1e6 * statistics.median(times) / min(count, len(origins))
    return cost


def readiness(scene: Scene, rays: tuple[torch.Tensor, torch.Tensor]) -> dict[str, float]:
    """Return, of a fresh process, the time until a scene renders and the memory rendering adds.

    Reads memory from `/proc`, so it needs Linux.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved, batch = Path(folder) / "scene", Path(folder) / "rays.pt"
        save_scene(scene, saved)
        torch.save(list(rays), batch)
        command = [sys.executable, "-W", "ignore", "-c", READY, str(saved), str(batch)]
        subprocess.run(command, check=True, capture_output=True)  # Fills the kernels' cache.
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return {"ready_s": float(said[0]), "added_mb": float(said[1])}


def read_rays(path: Path, views: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return origins and directions ``[ray, 3]`` of each view."""
    with np.load(path) as archive:
        both = [archive[f"ray_{part}"][:views] for part in ("origins", "directions")]
    return [
        tuple(torch.from_numpy(part.reshape(-1, 3).astype(np.float32)) for part in pair)  # type: ignore[misc]
        for pair in zip(*both, strict=True)
    ]


def report(results: dict[str, Any]) -> None:
    """Print what was measured."""
    print(f"{results['machine']}, {results['threads']} threads, load {results['load']:.1f}")
    print(f"{'renderer':12s} {'rays/s':>9s} {'ms/view':>9s} {'x nerfstudio':>13s} {'PSNR dB':>8s}")
    for name, row in results["renderers"].items():
        psnr = "" if row["psnr_db"] is None else f"{row['psnr_db']:.1f}"
        print(
            f"{name:12s} {row['rays_per_s']:9.0f} {row['picture_ms']:9.1f} "
            f"{row['times_nerfstudio']:13.2f} {psnr:>8s}"
        )
    cost = ", ".join(f"{count}: {us:.1f}" for count, us in results["us_per_ray"].items())
    print(f"compiled, microseconds a ray by rays in the batch: {cost}")
    print(
        f"compiled, fresh process: scene ready in {results['ready_s']:.2f} s, "
        f"rendering adds {results['added_mb']:.0f} MB"
    )


def main() -> None:
    """Measure and print; write JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="nerfstudio nerfacto run")
    parser.add_argument("--rays", type=Path, required=True, help=".npz of ray_origins, _directions")
    parser.add_argument("--views", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    run = find_run(arguments.run)
    scene = import_run(run, ImportOptions(name="benchmark"))
    views = read_rays(arguments.rays, arguments.views)
    with nerfstudio_mended():
        renderers = {"nerfstudio": nerfstudio_renderer(run), **our_renderers(scene)}
        table = measure(renderers, views, arguments.rounds)
    results = {
        "machine": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "renderers": table,
        "us_per_ray": cost_by_rays(renderers["compiled"], views, arguments.rounds),
        **readiness(scene, views[0]),
    }
    report(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
