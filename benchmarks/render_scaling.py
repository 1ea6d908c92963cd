"""What a ray costs on the CPU by the number of rays: a table, and a plot.

python benchmarks/render_scaling.py --scene living_room --plot render_scaling.png
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.render.distill.viewpoints import Vantages
from merkwelt.render.rays import Rays
from merkwelt.render.volume import RenderOptions, render_rays
from merkwelt.scenes.scene import Scene

COUNTS = (256, 1024, 4096, 16384, 65536, 262144)


def cost(scene: Scene, rays: Rays, path: str, rounds: int) -> dict[int, float]:
    """Return the median seconds of batches of different sizes."""
    options = RenderOptions(path=path)  # type: ignore[arg-type]
    render_rays(scene, rays[:256], options)
    found = {}
    for count in COUNTS:
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            render_rays(scene, rays[:count], options)
            times.append(time.perf_counter() - started)
        found[count] = statistics.median(times)
    return found


def exponent(seconds: dict[int, float]) -> float:
    """Return the slope of log time over log rays, from 4096 rays on: 1 is linear."""
    counts = [count for count in seconds if count >= 4096]
    return float(np.polyfit(np.log(counts), np.log([seconds[c] for c in counts]), 1)[0])


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw seconds over rays, both logarithmic, beside the line of proportionality."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, row in results["paths"].items():
        counts = [int(count) for count in row["seconds"]]
        seconds = list(row["seconds"].values())
        (line,) = axes.loglog(counts, seconds, "o-", label=f"{name}: rays^{row['exponent']:.2f}")
        proportional = [seconds[-1] * count / counts[-1] for count in counts]
        axes.loglog(counts, proportional, ":", color=line.get_color())
    axes.set(xlabel="rays in a batch", ylabel="seconds", title=results["title"])
    axes.legend(title="dotted: proportional")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure, print and plot; write JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scene", default="living_room", help="name or folder")
    parser.add_argument("--library", type=Path, help="folder of scenes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", type=Path, help="write the picture here")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    scene = Scene.load(arguments.scene, library=arguments.library)
    rays = Vantages.of(scene).rays(max(COUNTS), np.random.default_rng(0))
    machine = platform.processor() or platform.machine()
    results: dict[str, Any] = {
        "title": f"{scene.card.name}, {machine}, {torch.get_num_threads()} threads",
        "load": os.getloadavg()[0],
        "paths": {},
    }
    for path in ("exact", "fast") if scene.has_bricks else ("exact",):
        seconds = cost(scene, rays, path, arguments.rounds)
        results["paths"][path] = {"seconds": seconds, "exponent": exponent(seconds)}
    print(f"{results['title']}, load {results['load']:.1f}; microseconds a ray")
    print(f"{'rays':>8s}" + "".join(f"{name:>9s}" for name in results["paths"]))
    for count in COUNTS:
        row = [results["paths"][name]["seconds"][count] / count for name in results["paths"]]
        print(f"{count:8d}" + "".join(f"{1e6 * each:9.2f}" for each in row))
    for name, row in results["paths"].items():
        print(f"{name}: time grows as rays^{row['exponent']:.2f} from 4096 rays on")
    if arguments.plot:
        plot(results, arguments.plot)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
