"""What a data set goes through: kills, races, full disks, damage, clocks that jump.

    python benchmarks/faults.py --rounds 50 --json faults.json

Every round ends with the same demands: after the same command again the clips are exactly the
plan's, `merkwelt verify` is clean, every shard has the bytes that undisturbed rendering gives it,
and shards that were committed and not damaged have never been written again. Damage must first be
found, and the damaged shard named, by `merkwelt verify`. `cli` rounds run `merkwelt render` in a
real room in real processes; `fake` rounds render noise, as the tests do, and so strike while shards
are written. Disks are full for real: a small tmpfs if this may mount one, else a limit on file
sizes.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_work import JUMPY, Work, committed, environment, verified


class Fault(AssertionError):
    """A demand that was not met."""


def demand(fulfilled: object, what: str) -> None:
    """Raise unless a demand is met."""
    if not fulfilled:
        raise Fault(what)


@dataclass
class Bench:
    """One data set's trials, and what undisturbed rendering gives."""

    work: Work
    place: Path
    rng: random.Random

    def __post_init__(self) -> None:
        """Render undisturbed, and see how long it takes."""
        started = time.monotonic()
        done = self.work.run(self.place / "undisturbed")
        demand(done.returncode == 0, f"undisturbed rendering failed: {done.stderr}")
        self.seconds = time.monotonic() - started
        self.expected = {k: v[0] for k, v in committed(self.place / "undisturbed").items()}
        self.number = 0

    def new(self) -> Path:
        """Return a new folder."""
        self.number += 1
        return self.place / f"{self.work.kind}{self.number}"

    def resume(self, folder: Path, kept: dict[str, tuple[bytes, int, int]]) -> None:
        """Go on, and make every demand on the result."""
        done = self.work.run(folder)
        demand(done.returncode == 0, f"resuming failed: {done.stderr}")
        after = committed(folder)
        demand({k: v[0] for k, v in after.items()} == self.expected, "shards differ")
        demand(kept.items() <= after.items(), "a committed shard was written again")
        from merkwelt.streams import ClipDataset

        data = ClipDataset(folder)
        ids = sorted([*data.clip_ids.tolist(), *data.skipped])
        demand(ids == list(range(self.work.clips)), f"clips are {ids}")
        said = verified(folder)
        demand(said.returncode == 0, f"verify: {said.stderr}")
        left = [p.name for p in folder.rglob("*") if ".partial" in str(p) and p.is_file()]
        demand(not left, f"left behind: {left}")

    def kill(self) -> str:
        """Kill -9 at a random moment, until it is finished; one to three workers."""
        folder, kept, kills = self.new(), {}, 0
        for _ in range(self.rng.randint(1, 3)):
            process = self.work.start(folder, workers=self.rng.choice([1, 1, 2]))
            time.sleep(self.rng.uniform(0.2, 1.0) * self.seconds)
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            now = committed(folder)
            demand(kept.items() <= now.items(), "a kill changed a committed shard")
            kept = now
        self.resume(folder, kept)
        return f"{kills} kills, {len(kept)} of {len(self.expected)} shards kept"

    def race(self) -> str:
        """Two writers of one data set, one of them with two workers."""
        folder = self.new()
        writers = [self.work.start(folder, workers=workers) for workers in (1, 2)]
        codes = [writer.wait() for writer in writers]
        demand(codes == [0, 0], f"writers ended with {codes}")
        self.resume(folder, committed(folder))
        return "both ended well"

    def full_disk(self) -> str:
        """The disk is full in the middle; then there is room."""
        folder = self.new()
        folder.mkdir()
        need = sum(len(data) for data in self.expected.values())
        size = int(need * self.rng.uniform(0.3, 0.9)) + 16384
        how = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
        if subprocess.run(how, capture_output=True).returncode == 0:
            try:
                return f"tmpfs of {size} bytes, {self._filled(folder, size)}"
            finally:
                subprocess.run(["umount", str(folder)], check=True)
        largest = max(len(data) for data in self.expected.values())
        done = self._limited(folder, int(largest * 0.7))
        self._refused(folder, done, "File too large")
        self.resume(folder, committed(folder))
        return f"files of at most {int(largest * 0.7)} bytes"

    def _filled(self, folder: Path, size: int) -> str:
        self._refused(folder, self.work.run(folder), "No space left on device")
        kept = committed(folder)
        subprocess.run(["mount", "-o", f"remount,size={size + 2**26}", str(folder)], check=True)
        self.resume(folder, kept)
        return f"{len(kept)} of {len(self.expected)} shards kept"

    def _limited(self, folder: Path, size: int) -> "subprocess.CompletedProcess[str]":
        limit = (size, resource.RLIM_INFINITY)
        return subprocess.run(
            self.work.command(folder),
            capture_output=True,
            text=True,
            env=environment(),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        )

    def _refused(self, folder: Path, done: "subprocess.CompletedProcess[str]", what: str) -> None:
        demand(done.returncode == 1, f"a full disk ended with {done.returncode}: {done.stderr}")
        demand(what in done.stderr, f"a full disk said: {done.stderr}")
        half = [p for p in (folder / "shards/.partial").glob("*")]
        demand(not half, f"half-written shards stayed: {half}")

    def truncated(self) -> str:
        """A shard loses its end."""

        def cut(data: bytes) -> bytes:
            return data[: self.rng.randrange(len(data))]

        return self._damaged(cut, "truncated")

    def flipped(self) -> str:
        """A bit of a shard changes."""

        def flip(data: bytes) -> bytes:
            at = self.rng.randrange(len(data))
            return data[:at] + bytes([data[at] ^ 1 << self.rng.randrange(8)]) + data[at + 1 :]

        return self._damaged(flip, "its bytes changed since it was written")

    def _damaged(self, change: Callable[[bytes], bytes], what: str) -> str:
        folder = self.new()
        demand(self.work.run(folder).returncode == 0, "rendering failed")
        shard = self.rng.choice(sorted((folder / "shards").glob("*.tar")))
        shard.write_bytes(change(shard.read_bytes()))
        said = verified(folder)
        named = [line for line in said.stderr.splitlines() if ".tar: " in line]
        demand(said.returncode == 1, f"verify ended with {said.returncode}")
        demand(len(named) == 1 and f"{shard.name}: {what}" in named[0], f"verify said {named}")
        kept = {name: data for name, data in committed(folder).items() if name != shard.name}
        self.resume(folder, kept)
        return f"{shard.name} was named"

    def clock(self) -> str:
        """The clock jumps back and forth while rendering, and files get dates of all times."""
        folder = self.new()
        process = self.work.start(folder)
        time.sleep(self.rng.uniform(0.4, 0.9) * self.seconds)
        process.kill()
        process.wait()
        for path in folder.rglob("*"):
            os.utime(path, ns=(0, self.rng.choice([0, 4 * 10**18])))
        kept = committed(folder)
        done = self.work.run(folder, before=JUMPY)
        demand(done.returncode == 0, f"rendering with a jumping clock failed: {done.stderr}")
        self.resume(folder, kept)
        return f"{len(kept)} shards kept"


def trials(rounds: int) -> dict[str, tuple[Callable[[Bench], str], int]]:
    """Return what is tried, and how often."""
    few = max(1, rounds // 5)
    return {
        "kill -9": (Bench.kill, rounds),
        "two writers": (Bench.race, few),
        "full disk": (Bench.full_disk, few),
        "truncated": (Bench.truncated, few),
        "bit flipped": (Bench.flipped, few),
        "clock jumps": (Bench.clock, few),
    }


def attempt(bench: Bench, name: str, trial: Callable[[Bench], str], rounds: int) -> dict[str, Any]:
    """Try it so often, and return how it went."""
    started = time.monotonic()
    told, failed = [], []
    for number in range(rounds):
        try:
            told.append(trial(bench))
        except Fault as fault:
            failed.append(f"round {number + 1}: {fault}")
    row = {"rounds": rounds, "failed": failed, "told": told}
    row["seconds"] = time.monotonic() - started
    verdict = "all well" if not failed else f"{len(failed)} FAILED: {failed[0]}"
    print(f"{bench.work.kind:5s} {name:12s} {rounds:4d} rounds {row['seconds']:7.0f} s  {verdict}")
    return row


def main() -> None:
    """Try everything and print; write JSON if asked; end with 1 if a demand was not met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50, help="of kills; a fifth of the others")
    parser.add_argument("--kinds", nargs="+", choices=("fake", "cli"), default=["fake", "cli"])
    parser.add_argument("--only", nargs="+", help="trials by name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"seed": arguments.seed}
    with tempfile.TemporaryDirectory(prefix="merkwelt-faults-") as place:
        from merkwelt.scenes.analytic import analytic_room
        from merkwelt.scenes.scene import save_scene

        save_scene(analytic_room(), Path(place) / "room")
        for kind in arguments.kinds:
            clips = 40 if kind == "fake" else 60
            work = Work(kind=kind, room=Path(place) / "room", clips=clips)
            (Path(place) / kind).mkdir()
            bench = Bench(work, Path(place) / kind, random.Random(arguments.seed))
            results[kind] = {
                name: attempt(bench, name, trial, rounds)
                for name, (trial, rounds) in trials(arguments.rounds).items()
                if not arguments.only or name in arguments.only
            }
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    rows = [row for kind in arguments.kinds for row in results[kind].values()]
    sys.exit(any(row["failed"] for row in rows))


if __name__ == "__main__":
    main()
