"""How rendering scales with workers: one, two and four, in processes and in Ray's actors.

    python benchmarks/workers.py --scenes living_room --json workers.json

Each worker has one thread, so that what is seen is the scaling by processes; the last row is one
process whose kernels use every core. A scene that was optimised is rendered by its fast form. Every
measurement is a process of its own, with the same plan. Variants take turns and the best of the
rounds counts, for a machine that does something else besides. Rates without the start are those
after the first `--warm` of the clips, when every worker has had time to load, as far as progress is
known: Ray and processes tell it five times a second. Ray needs the extra `cluster`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.render.volume import RenderOptions
from merkwelt.scenes.scene import Scene
from merkwelt.streams import Storage, make_plan, render_dataset

THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ONE_PROCESS = "local 1, all cores"


def variants(counts: list[int], *, with_ray: bool) -> dict[str, tuple[str, int, bool]]:
    """Return engine, workers, and whether kernels use every core, by name."""
    engines = ("local", "ray") if with_ray else ("local",)
    table = {f"{e} {n}": (e, n, False) for e in engines for n in counts}
    return {**table, ONE_PROCESS: ("local", 1, True)}


def measure(arguments: argparse.Namespace, engine: str, workers: int) -> dict[str, Any]:
    """Render the data set once, here, and return clips per second and the shards' hash."""
    scenes = [Scene.load(name, library=arguments.library) for name in arguments.scenes]
    fast = all(scene.has_bricks for scene in scenes)
    settings = ClipSettings(
        frames=arguments.frames,
        size=arguments.size,
        renderer=RenderOptions(path="fast" if fast else "exact"),
    )
    plan = make_plan(
        scenes,
        load_observer("adult"),
        settings,
        clips=arguments.clips,
        storage=Storage(shard_clips=arguments.shard_clips),
    )
    reached: list[tuple[float, float]] = []

    def progress(share: float, _message: str) -> None:
        reached.append((time.perf_counter(), share))

    with tempfile.TemporaryDirectory() as folder:
        by_name = {scene.card.name: scene for scene in scenes}
        started = time.perf_counter()
        done = render_dataset(
            plan,
            by_name,
            folder,
            workers=workers,
            engine=engine,  # type: ignore[arg-type]
            progress=progress,
        )
        seconds = time.perf_counter() - started
        shards = sorted((Path(folder) / "shards").glob("*.tar"))
        digest = sha256(b"".join(shard.read_bytes() for shard in shards)).hexdigest()
    assert done.is_complete
    warm_s, warm = next(at for at in reached if at[1] >= arguments.warm)
    end_s = next(at[0] for at in reached if at[1] >= 1)
    return {
        "path": settings.renderer.path,
        "skipped": len(done.skipped),
        "seconds": seconds,
        "clips_per_s": (1 - warm) * plan.clips / (end_s - warm_s),
        "clips_per_s_with_start": plan.clips / seconds,
        "sha256": digest,
    }


def in_a_process(name: str, *, all_cores: bool) -> dict[str, Any]:
    """Measure a variant in a fresh process."""
    environment = {k: v for k, v in os.environ.items() if k not in THREADS}
    if not all_cores:
        environment |= dict.fromkeys(THREADS, "1")
    command = [sys.executable, __file__, *sys.argv[1:], "--one", name]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(said.stdout.splitlines()[-1])


def best(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a variant's best rates of all rounds, which must have made the same shards."""
    rates = ("clips_per_s", "clips_per_s_with_start")
    hashes = {one["sha256"] for one in found}
    assert len(hashes) == 1, f"rounds of one variant differ: {hashes}"
    return {**found[0], **{rate: max(one[rate] for one in found) for rate in rates}, "all": found}


def report(results: dict[str, Any]) -> None:
    """Print what was measured."""
    rows = results["variants"]
    print(
        f"{', '.join(results['scenes'])} ({next(iter(rows.values()))['path']} path), "
        f"{results['clips']} clips of {results['frames']} stereo frames of {results['size']} px, "
        f"{results['cores']} cores of {results['machine']}, best of {results['rounds']} rounds, "
        f"load {results['load']:.1f} at the start and {results['load_after']:.1f} at the end"
    )
    print(f"{'':>20s} {'without the start':>26s} {'with the start':>26s}")
    print(f"{'engine, workers':20s}" + 2 * f" {'clips/s':>12s} {'to one':>13s}" + "  shards")
    same = len({row["sha256"] for row in rows.values()}) == 1
    for name, row in rows.items():
        one = rows.get(f"{name.split()[0]} 1", row)
        cells = "".join(
            f" {row[rate]:12.3f} {row[rate] / one[rate]:13.2f}"
            for rate in ("clips_per_s", "clips_per_s_with_start")
        )
        print(f"{name:20s}{cells}  {row['sha256'][:12]}")
    print("all shards are the same, byte for byte" if same else "SHARDS DIFFER")


def parsed() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenes", nargs="+", default=["living_room"], help="names or folders")
    parser.add_argument("--library", type=Path, help="folder of scenes")
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--shard-clips", type=int, default=2)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm", type=float, default=0.25, help="share of clips not timed")
    parser.add_argument("--without-ray", action="store_true")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure and print; write JSON if asked."""
    arguments = parsed()
    table = variants(arguments.workers, with_ray=not arguments.without_ray)
    if arguments.one:
        engine, workers, _ = table[arguments.one]
        print(json.dumps(measure(arguments, engine, workers)))
        return
    load = os.getloadavg()[0]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in table}
    for turn in range(arguments.rounds):
        for name, (_, _, all_cores) in table.items():
            found[name].append(in_a_process(name, all_cores=all_cores))
            rate = found[name][-1]["clips_per_s"]
            print(f"round {turn + 1}: {name}: {rate:.3f} clips/s", file=sys.stderr)
    results = {
        "scenes": arguments.scenes,
        "clips": arguments.clips,
        "frames": arguments.frames,
        "size": arguments.size,
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "rounds": arguments.rounds,
        "load": load,
        "load_after": os.getloadavg()[0],
        "variants": {name: best(rows) for name, rows in found.items()},
    }
    report(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    if len({row["sha256"] for row in results["variants"].values()}) > 1:
        sys.exit(1)


if __name__ == "__main__":
    main()
