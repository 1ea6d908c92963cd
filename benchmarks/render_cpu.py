"""How fast a scene renders on the CPU, beside nerfstudio's own renderer in the same run.

    python benchmarks/render_cpu.py --scene fox --json render_cpu.json

Needs the extra `nerfstudio`. `--scene` is a nerfacto scene by name or folder; one that was
optimised gets a row for its fast path, too. The renderers take turns on the same views, so that a
machine that is busy is so for all of them; ratios are of medians.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.distill.viewpoints import TESTED_SEED, walked_poses
from merkwelt.render.rays import Rays
from merkwelt.render.volume import RenderOptions, field_rays, render_rays
from merkwelt.scenes.nerfacto import NerfactoField
from merkwelt.scenes.scene import Scene, save_scene
from merkwelt.scenes.training.environment import nerfstudio_mended
from nerfstudio_peer import nerfstudio_renderer

Renderer = Callable[[Rays], torch.Tensor]
SIZE_PX = 128
HFOV_RAD = np.radians(65)
READY = """
import os, sys, threading, time
import torch
from pathlib import Path
from merkwelt.render.rays import Rays
from merkwelt.render.volume import RenderOptions, render_rays
from merkwelt.scenes.scene import Scene

def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

def watch():
    while not done.wait(0.002):
        seen.append(resident_mb())

options = RenderOptions(path=sys.argv[3])
started = time.perf_counter()
scene = Scene.load(Path(sys.argv[1]))
origins, directions = torch.load(sys.argv[2], weights_only=True)
rays = Rays(origins=origins, directions=directions, z_per_distance=torch.ones(len(origins)))
loaded = resident_mb()
render_rays(scene, rays[:64], options)
ready_s = time.perf_counter() - started
seen, done = [], threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
for _ in range(4):
    render_rays(scene, rays, options)
done.set()
watcher.join()
print(ready_s, max(seen) - loaded)
"""


def renderers_of(scene: Scene) -> dict[str, Renderer]:
    """Return nerfstudio, the torch reference, the compiled kernel, and the fast path if any."""
    assert isinstance(scene.field, NerfactoField), "nerfstudio renders nerfacto scenes only"
    peer = nerfstudio_renderer(scene.field)

    def nerfstudio(rays: Rays) -> torch.Tensor:
        return peer(*field_rays(scene, rays)[:2])

    found: dict[str, Renderer] = {"nerfstudio": nerfstudio}
    ours = {"torch": RenderOptions(backend="torch"), "exact": RenderOptions(backend="compiled")}
    if scene.has_bricks:
        ours["fast"] = RenderOptions(path="fast")
    for name, options in ours.items():
        found[name] = lambda rays, options=options: render_rays(scene, rays, options).rgb
    return found


def measure(renderers: dict[str, Renderer], views: list[Rays], rounds: int) -> dict[str, Any]:
    """Return rays per second, PSNR to the first renderer and the ratio to it, by name."""
    seconds: dict[str, list[float]] = {name: [] for name in renderers}
    pictures: dict[str, list[torch.Tensor]] = {name: [] for name in renderers}
    for render in renderers.values():
        render(views[0][:256])
    for turn in range(rounds):
        for rays in views:
            for name, render in renderers.items():
                started = time.perf_counter()
                picture = render(rays)
                seconds[name].append(time.perf_counter() - started)
                if turn == 0:
                    pictures[name].append(picture)
    peer = next(iter(renderers))
    table = {}
    for name in renderers:
        error = torch.cat(pictures[name]) - torch.cat(pictures[peer])
        median = statistics.median(seconds[name])
        table[name] = {
            "rays_per_s": len(views[0]) / median,
            "picture_ms": 1000 * median,
            "fastest_ms": 1000 * min(seconds[name]),
            "times_nerfstudio": statistics.median(seconds[peer]) / median,
            "psnr_db": None if name == peer else -10 * float((error**2).mean().log10()),
        }
    return table


def readiness(scene: Scene, rays: Rays, path: str) -> dict[str, float]:
    """Return, of a fresh process, the time until a scene renders and the memory rendering adds.

    Added to what there is once the scene is loaded. Reads `/proc`, so it needs Linux.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved, batch = Path(folder) / "scene", Path(folder) / "rays.pt"
        save_scene(scene, saved)
        torch.save([rays.origins, rays.directions], batch)
        command = [sys.executable, "-W", "ignore", "-c", READY, str(saved), str(batch), path]
        subprocess.run(command, check=True, capture_output=True)  # Fills the kernels' cache.
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return {"ready_s": float(said[0]), "added_mb": float(said[1])}


def views_of(scene: Scene, count: int) -> list[Rays]:
    """Return the rays of pictures from free walks that no optimised scene learned from."""
    poses = walked_poses(scene, TESTED_SEED, count, frames=2).reshape(-1, 4, 4)[:count]
    camera = PinholeCamera.from_hfov(HFOV_RAD, (SIZE_PX, SIZE_PX))
    return [rays_of(camera, pose[None]) for pose in poses]


def report(results: dict[str, Any]) -> None:
    """Print what was measured."""
    print(f"{results['scene']} on {results['machine']}, {results['threads']} threads, ", end="")
    print(f"load {results['load']:.1f}, {SIZE_PX} x {SIZE_PX} pixels")
    print(f"{'renderer':12s} {'rays/s':>9s} {'ms/view':>9s} {'x nerfstudio':>13s} {'PSNR dB':>8s}")
    for name, row in results["renderers"].items():
        psnr = "" if row["psnr_db"] is None else f"{row['psnr_db']:.1f}"
        print(
            f"{name:12s} {row['rays_per_s']:9.0f} {row['picture_ms']:9.1f} "
            f"{row['times_nerfstudio']:13.2f} {psnr:>8s}"
        )
    for path, found in results["fresh_process"].items():
        print(
            f"{path}, fresh process: scene ready in {found['ready_s']:.2f} s, "
            f"rendering adds {found['added_mb']:.0f} MB"
        )


def main() -> None:
    """Measure and print; write JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scene", default="living_room", help="nerfacto scene, name or folder")
    parser.add_argument("--library", type=Path, help="folder of scenes")
    parser.add_argument("--views", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    scene = Scene.load(arguments.scene, library=arguments.library)
    views = views_of(scene, arguments.views)
    with nerfstudio_mended():
        table = measure(renderers_of(scene), views, arguments.rounds)
    paths = ("exact", "fast") if scene.has_bricks else ("exact",)
    results = {
        "scene": scene.card.name,
        "machine": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "renderers": table,
        "fresh_process": {path: readiness(scene, views[0], path) for path in paths},
    }
    report(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
