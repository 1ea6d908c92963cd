"""Training steps per second of every recipe and every encoder, and where the time goes.

    python benchmarks/training.py --json training.json
    python benchmarks/training.py --device cuda --steps 50

Batches of 8 stereo clips of 16 frames of 48 px, from memory. Each measurement is a process of its
own with all cores, or with two ranks of half of them each; parts are medians over the steps,
without the first ones, in which torch tunes and compiles. ``forward`` is augmentation, encoder and
loss; ``optimiser`` is also whatever follows the weights. On a GPU every part waits for the device,
so that parts are what they say. Encoders run under slow feature analysis. Encoders of extras that
are not installed are named.
"""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import torch

from merkwelt.encoders import ENCODER_PRESETS
from merkwelt.recipes import RECIPES
from merkwelt.training.clips import ClipLoader, TrainingClip
from merkwelt.training.experiment import Experiment, clip_eyes_of
from merkwelt.training.feed import EpochFeed
from merkwelt.training.learner import Learner
from merkwelt.training.ranks import joined_ranks

PARTS = ("data", "forward", "backward", "optimiser")
WAYS: dict[str, dict[str, Any]] = {
    "float32": {},
    "bf16": {"precision": "bf16"},
    "compiled": {"compile": True},
    "2 ranks": {},
}


class NoiseThatMoves:
    """Smooth noise in memory that says how the eyes move, so that every recipe can learn."""

    identity = "noise"
    frame_rate_hz = 10.0

    def __init__(self, *, clips: int, frames: int, size: int) -> None:
        """Draw the clips from a seed of their own."""
        draw = torch.Generator().manual_seed(0)
        shape = (2, frames, 3, size, size)
        self._clips = [
            TrainingClip(
                video=torch.randint(256, shape, dtype=torch.uint8, generator=draw),
                translation_m=torch.randn(frames - 1, 3, generator=draw) / 10,
                rotation_rad=torch.randn(frames - 1, 3, generator=draw) / 10,
            )
            for _ in range(clips)
        ]
        self.clip_ids: Sequence[int] = list(range(clips))

    def read(self, clip: int) -> TrainingClip:
        """Return a clip."""
        return self._clips[clip]


def experiment_of(what: str, name: str) -> Experiment:
    """Return a recipe, or slow feature analysis with an encoder."""
    if what == "recipe":
        return RECIPES[name]()  # type: ignore[index]
    return replace(RECIPES["sfa"](), encoder=ENCODER_PRESETS[name]())  # type: ignore[index]


def measure(arguments: argparse.Namespace, what: str, name: str, way: str) -> dict[str, Any]:
    """Return seconds of each part of a step, here; on every rank, if there are two."""
    experiment = replace(
        experiment_of(what, name), batch_size=arguments.batch, steps=10_000, **WAYS[way]
    )
    clips = NoiseThatMoves(clips=2 * arguments.batch, frames=arguments.frames, size=arguments.size)
    feed = EpochFeed(clips, experiment)
    loader = ClipLoader(
        feed,
        eyes=clip_eyes_of(experiment),
        image_size_px=None,
        mask_saccades=experiment.mask_saccades,
    )
    with joined_ranks(torch.device(arguments.device)) as (ranks, device):
        learner = Learner(experiment, device, ranks=ranks)
        spent: defaultdict[str, list[float]] = defaultdict(list)
        last = time.perf_counter()

        def reached(part: str) -> None:
            nonlocal last
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            now = time.perf_counter()
            spent[part].append(now - last)
            last = now

        learner.reached = reached
        for step in range(arguments.warm + arguments.steps):
            if step == arguments.warm:
                spent.clear()
            last = time.perf_counter()
            batch = loader.batch(ranks.share(feed.batch_ids(step)), device)
            reached("data")
            learner.step(batch, step)
        held_out = [loader.batch(feed.held_out_ids, device)]
        last = time.perf_counter()
        learner.evaluate(held_out, held_out)
        reached("evaluation")
    per_step = {part: median(spent[part]) for part in PARTS}
    return {
        "steps_per_s": 1 / sum(per_step.values()),
        "seconds": per_step,
        "evaluation_s_per_clip": spent["evaluation"][0] / (2 * len(feed.held_out_ids)),
        "encoder_parameters": sum(p.numel() for p in learner.encoder.parameters()),
        "news": learner.news(),
    }


def in_processes(arguments: argparse.Namespace, what: str, name: str, way: str) -> dict[str, Any]:
    """Measure in fresh processes: one, or one for each of two ranks."""
    count = 2 if way == "2 ranks" else 1
    threads = str(max(1, (os.cpu_count() or 1) // count))
    environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    if count > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        environment |= {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, __file__, *sys.argv[1:], "--one", what, name, way]
    running = [
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | ({"RANK": str(r), "LOCAL_RANK": str(r)} if count > 1 else {}),
        )
        for r in range(count)
    ]
    said = [each.communicate() for each in running]
    if running[0].returncode:
        return {"not_measured": said[0][1].strip().splitlines()[-1]}
    return json.loads(said[0][0].splitlines()[-1])


def why_not(arguments: argparse.Namespace, way: str) -> str | None:
    """Return why a way cannot be measured on this machine."""
    if arguments.device != "cuda":
        return None
    if not torch.cuda.is_available():
        return "not measured: no CUDA device"
    if way == "2 ranks" and torch.cuda.device_count() < 2:
        return "not measured: one CUDA device"
    return None


def line(name: str, way: str, row: dict[str, Any]) -> str:
    """Return a row of the table."""
    if "not_measured" in row:
        return f"{name:24s} {way:9s} {row['not_measured']}"
    total = sum(row["seconds"].values())
    shares = "".join(f"{100 * row['seconds'][part] / total:11.0f}" for part in PARTS)
    noted = f"  {row['news'][0][:60]}" if row["news"] else ""
    return (
        f"{name:24s} {way:9s} {row['steps_per_s']:8.3f}{shares} "
        f"{1000 * row['evaluation_s_per_clip']:11.1f} {row['encoder_parameters'] / 1e6:9.3f}{noted}"
    )


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--recipes", nargs="*", default=list(RECIPES))
    parser.add_argument("--encoders", nargs="*", default=list(ENCODER_PRESETS))
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--encoder-ways", nargs="*", default=["float32"], choices=list(WAYS))
    parser.add_argument("--steps", type=int, default=5, help="counted steps")
    parser.add_argument("--warm", type=int, default=2, help="steps before those")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--json", help="file for all that was measured")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure everything that was asked for, and print it."""
    arguments = parse()
    if arguments.one:
        print(json.dumps(measure(arguments, *arguments.one)))
        return
    print(
        f"{arguments.batch} stereo clips of {arguments.frames} frames of {arguments.size} px on "
        f"{arguments.device}; {os.cpu_count()} cores of {platform.machine()}, load "
        f"{os.getloadavg()[0]:.1f}, torch {torch.__version__}"
    )
    heads = "".join(f"{part + ' %':>11s}" for part in PARTS)
    print(f"{'':24s} {'way':9s} {'steps/s':>8s}{heads} {'eval ms/clip':>11s} {'M params':>8s}")
    jobs = [("recipe", name, way) for name in arguments.recipes for way in arguments.ways]
    jobs += [
        ("encoder", name, way) for name in arguments.encoders for way in arguments.encoder_ways
    ]
    rows = []
    for what, name, way in jobs:
        reason = why_not(arguments, way)
        row = {"not_measured": reason} if reason else in_processes(arguments, what, name, way)
        rows.append({"what": what, "name": name, "way": way, **row})
        print(line(name, way, row), flush=True)
    if arguments.json:
        settings = {k: v for k, v in vars(arguments).items() if k not in ("json", "one")}
        content = {"settings": settings, "torch": torch.__version__, "rows": rows}
        with open(arguments.json, "w", encoding="utf-8") as file:  # noqa: PTH123 - a plain path
            json.dump(content, file, indent=2)


if __name__ == "__main__":
    main()
