"""The seed paper's experiments on real human maps, one table.

    python benchmarks/experiments.py --maps clickme2_co3d_29.npz --out FOLDER --json table.json \
        [--clips FOLDER] [--images scene:living_room] [--published published_alignment.csv]

Baseline, harmonized network and twin, stream, share of annotations, and the comparison of all; each
beside its floors, with intervals over objects. --clips is a rendered data set for the stream, which
is left out without. Networks are kept in the folder, so that a run that was stopped goes on.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from merkwelt.streams.crew import limit_threads

from merkwelt.experiments.annotations import annotations
from merkwelt.experiments.baseline import baseline
from merkwelt.experiments.compare import compare
from merkwelt.experiments.finish import Done
from merkwelt.experiments.harmonized import harmonized
from merkwelt.experiments.labelled import Pictures
from merkwelt.experiments.settings import Harmonizing, Learning
from merkwelt.experiments.streamed import Streaming, stream
from merkwelt.training.clips import StoredClips

Row = dict[str, Any]


def runs(options: argparse.Namespace) -> dict[str, Callable[[Path], Done]]:
    """Return the experiments by name; each takes its folder."""
    maps: Path = options.maps
    learning = Learning(size=options.size, steps=options.steps, seeds=options.seeds)
    harmonizing = Harmonizing(folds=options.folds)
    found: dict[str, Callable[[Path], Done]] = {
        "baseline": lambda out: baseline(
            maps, Pictures(images=options.images), out, learning=learning
        ),
        "harmonized": lambda out: harmonized(maps, out, learning=learning, harmonizing=harmonizing),
        "annotations": lambda out: annotations(
            maps, out, learning=learning, harmonizing=harmonizing
        ),
    }
    clips: Path | None = options.clips
    if clips is not None:
        streaming = Streaming(steps=options.steps, seeds=options.seeds, size=options.size)
        found["stream"] = lambda out: stream(
            maps, lambda: StoredClips(clips), clips.name, out, streaming=streaming
        )
    return {name: run for name, run in found.items() if name in options.only}


def row_of(name: str, done: Done, seconds: float) -> Row:
    """Return what an experiment's table row shows."""
    plain = done.outcome.to_dict()
    return {
        "experiment": name,
        "recipe": plain["recipe"],
        "scores": plain["rows"],
        "differences": plain["differences"],
        "verdict": plain["verdict"],
        "seconds": seconds,
    }


def main() -> None:
    """Run the experiments that are asked for."""
    parser = argparse.ArgumentParser(description="The seed paper's experiments on real human maps")
    parser.add_argument("--maps", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--images", default="scene:living_room")
    parser.add_argument("--published", type=Path)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    every = ("baseline", "harmonized", "stream", "annotations")
    parser.add_argument("--only", nargs="+", default=every, choices=every)
    options = parser.parse_args()
    limit_threads(options.threads)
    rows: list[Row] = []
    for name, run in runs(options).items():
        start = time.perf_counter()
        done = run(options.out / name)
        rows.append(row_of(name, done, time.perf_counter() - start))
        print(f"{name}: {rows[-1]['seconds']:.0f} s")
        print("\n".join(f"    {line}" for line in done.lines))
        if options.json is not None:
            options.json.write_text(json.dumps({"rows": rows}, indent=1))
    if rows:
        folders = [options.out / row["experiment"] for row in rows]
        compared = compare(folders, options.out / "compare", published=options.published)
        print("\n".join(compared.lines))


if __name__ == "__main__":
    main()
