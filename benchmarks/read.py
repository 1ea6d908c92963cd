"""How fast clips are read and decoded, beside webdataset on the same shards with the same decoder.

python benchmarks/read.py --json read.json

Writes a data set of textured, moving stereo clips to a temporary folder, then lets both readers
take turns on it: whole epochs, batches of video, `DataLoader` workers. Both decode with merkwelt's
`decode_eyes`; webdataset is told to skip the members that are not asked for. The clock runs from
the first batch, when all workers run, to the last; a row gives the median round, and the ratio is
the median of the rounds' ratios. Processes have one thread each. CPU time is that of all processes,
with opening the data set and starting the workers; on a machine that does other things too it says
more.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.render.clip import Clip
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.streams import ClipDataset, Plan, Storage
from merkwelt.streams.clip_members import VIDEO, decode_eyes
from merkwelt.streams.engine import run_plan
from merkwelt.streams.plan import PlannedScene
from torch import Tensor

BUFFER_CLIPS = 32
"""Clips in webdataset's shuffle buffer."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is read."""

    clips: int = 48
    shard_clips: int = 8
    frames: int = 16
    size: int = 128
    batch: int = 8
    epochs: int = 6
    profile: str = "lossless"


class MovingTextures:
    """Makes clips of sums of waves that drift, with another disparity in each clip."""

    skips = ()
    device = "none"

    def __call__(self, plan: Plan, clip: int) -> Clip:
        """Return a clip; it depends on its id alone."""
        key = plan.key(clip)
        rng = key.generator("picture")
        frames, size = plan.settings["frames"], plan.settings["size"]
        y, x = np.mgrid[:size, :size] + 0.5
        # Amplitudes fall with frequency, as in natural pictures.
        frequency = np.exp(rng.uniform(np.log(0.01), np.log(0.33), 24))
        angle, phase = rng.uniform(0, 2 * np.pi, (2, 24))
        gain = 26 * (0.01 / frequency) ** 0.5
        shift_px, (move_x, move_y) = rng.uniform(1, 8), rng.normal(size=2)

        def picture(eye: int, time: int) -> np.ndarray:
            moved_x, moved_y = x + move_x * time + eye * shift_px, y + move_y * time
            along = moved_x[..., None] * np.cos(angle) + moved_y[..., None] * np.sin(angle)
            waves = 2 * np.pi * frequency * along + phase
            return np.stack([127.5 + np.sin(waves + c) @ gain for c in (0.0, 0.3, 0.6)])

        video = np.stack([[picture(eye, time) for time in range(frames)] for eye in (0, 1)])
        return Clip(
            key=key,
            video=torch.from_numpy(np.clip(np.rint(video), 0, 255).astype(np.uint8)),
            depth=2 + torch.zeros(2, frames, size, size),
            trajectory=_standing(frames, plan.frame_rate_hz),
            caption="A texture drifts.",
            attempts=1,
        )


def _standing(frames: int, rate_hz: float) -> Trajectory:
    still = np.broadcast_to(np.eye(4), (frames, 4, 4))
    never = np.zeros(frames, bool)
    return Trajectory(
        time_s=np.arange(frames) / rate_hz,
        world_from_head=still,
        world_from_eye=np.stack([still, still]),
        gaze_target=np.ones((frames, 3)),
        fixation_id=np.zeros(frames, np.int64),
        saccade=never,
        blink=never,
        gait_phase_rad=np.zeros(frames),
    )


def write_clips(work: Work, folder: Path) -> None:
    """Write the data set."""
    plan = Plan(
        scenes=(PlannedScene(name="textures", sha256="none"),),
        observer={"name": "none"},
        settings={"frames": work.frames, "size": work.size, "frame_rate_hz": 10.0},
        clips=work.clips,
        storage=Storage(shard_clips=work.shard_clips, profile=work.profile),  # type: ignore[arg-type]
    )
    run_plan(plan, MovingTextures(), folder)


def merkwelt_batches(folder: Path, work: Work, workers: int, *, shuffled: bool) -> Iterator[Tensor]:
    """Yield video ``[batch, eye, time, 3, height, width]`` as merkwelt reads it."""
    clips = ClipDataset(folder, streams=("video",))
    seed = 0 if shuffled else None
    for batch in clips.loader(work.batch, seed=seed, epochs=work.epochs, workers=workers):
        assert batch.video is not None
        yield batch.video


def webdataset_batches(
    folder: Path, work: Work, workers: int, *, shuffled: bool
) -> Iterator[Tensor]:
    """Yield the same as webdataset reads it."""
    webdataset: Any = import_module("webdataset")  # Its exports are not typed.

    def is_video(name: str) -> bool:
        return name.partition(".")[2] in VIDEO

    def video(sample: dict[str, Any]) -> Tensor:
        return decode_eyes(sample, "video")

    urls = sorted(str(path) for path in (folder / "shards").glob("*.tar"))
    samples = webdataset.WebDataset(
        urls, shardshuffle=len(urls) if shuffled else False, select_files=is_video
    )
    if shuffled:
        samples = samples.shuffle(BUFFER_CLIPS)
    batches = samples.map(video).batched(work.batch, collation_fn=torch.stack).repeat(work.epochs)
    return iter(webdataset.WebLoader(batches, batch_size=None, num_workers=workers))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What reading all clips took."""

    clips_per_s: float
    """From the first batch to the last."""
    cpu_ms_per_clip: float


def timed(read: Callable[[], Iterable[Tensor]], expected: int) -> Reading:
    """Return what reading took, and check that every clip came."""
    start, end, first, seen, cpu_s = 0.0, 0.0, 0, 0, _cpu_s()
    for batch in read():
        end = time.perf_counter()
        seen += len(batch)
        if not start:
            start, first = end, len(batch)
    if seen != expected:
        raise RuntimeError(f"expected {expected} clips, read {seen}")
    return Reading(
        clips_per_s=(seen - first) / (end - start), cpu_ms_per_clip=1e3 * (_cpu_s() - cpu_s) / seen
    )


def _cpu_s() -> float:
    """Return the CPU seconds of this process and of its workers that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


READERS: dict[str, Callable[..., Iterable[Tensor]]] = {
    "merkwelt": merkwelt_batches,
    "webdataset": webdataset_batches,
}


def measure(folder: Path, work: Work, workers: list[int], rounds: int) -> list[dict[str, Any]]:
    """Return one row for each order and number of workers."""
    rows = []
    for shuffled in (False, True):
        for count in workers:
            order = {"order": "shuffled" if shuffled else "sequential", "workers": count}
            rows.append({**order, **_compared(folder, work, count, shuffled, rounds)})
            print(_line(rows[-1]), flush=True)
    return rows


def _compared(
    folder: Path, work: Work, workers: int, shuffled: bool, rounds: int
) -> dict[str, Any]:
    """Return medians of rounds in which the readers take turns in going first."""
    readings: dict[str, list[Reading]] = {name: [] for name in READERS}
    for number in range(rounds + 1):
        for name in sorted(READERS, reverse=bool(number % 2)):
            read = partial(READERS[name], folder, work, workers, shuffled=shuffled)
            readings[name].append(timed(read, work.clips * work.epochs))
    # The first round brings files and code into memory.
    ours, peer = readings["merkwelt"][1:], readings["webdataset"][1:]
    ratios = [a.clips_per_s / b.clips_per_s for a, b in zip(ours, peer, strict=True)]
    return {
        "merkwelt_clips_per_s": statistics.median(each.clips_per_s for each in ours),
        "webdataset_clips_per_s": statistics.median(each.clips_per_s for each in peer),
        "ratio": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
        "merkwelt_cpu_ms_per_clip": statistics.median(each.cpu_ms_per_clip for each in ours),
        "webdataset_cpu_ms_per_clip": statistics.median(each.cpu_ms_per_clip for each in peer),
    }


HEAD = (
    f"{'order':12s}{'workers':>8s}{'merkwelt':>10s}{'webdataset':>12s}   ratio   range"
    f"{'CPU ms a clip':>22s}"
)


def _line(row: dict[str, Any]) -> str:
    low, high = row["ratio_range"]
    return (
        f"{row['order']:12s}{row['workers']:8d}{row['merkwelt_clips_per_s']:10.1f}"
        f"{row['webdataset_clips_per_s']:12.1f}{row['ratio']:8.2f}   {low:.2f} to {high:.2f}"
        f"{row['merkwelt_cpu_ms_per_clip']:7.1f} and {row['webdataset_cpu_ms_per_clip']:.1f}"
    )


def main() -> None:
    """Write clips, measure, print; write JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=Work.clips)
    parser.add_argument("--profile", default=Work.profile, help="lossless or compact")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    work = Work(clips=arguments.clips, profile=arguments.profile)
    with tempfile.TemporaryDirectory() as folder:
        write_clips(work, Path(folder))
        machine = f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}"
        print(
            f"{work.clips} stereo clips of {work.frames} frames {work.size}x{work.size}, "
            f"{work.profile}, batches of {work.batch}; {machine}; clips a second"
        )
        print(HEAD)
        rows = measure(Path(folder), work, arguments.workers, arguments.rounds)
    if arguments.json is not None:
        results = {"work": vars(work), "machine": machine, "rows": rows}
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
