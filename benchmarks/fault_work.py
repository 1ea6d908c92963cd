"""The data sets of `faults.py`: as commands to run, kill and verify."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FAKES = ROOT / "tests/streams"
FAKE = """
import sys, time
from fake_clips import FakeClips, fake_plan
from merkwelt.streams.engine import run_plan
if __name__ == "__main__":
    options = eval(sys.argv[2])
    run_plan(fake_plan(options["clips"]), FakeClips(delay_s=0.01), sys.argv[1], **options["run"])
"""
JUMPY = """
import itertools, sys, time
hours = itertools.cycle([4e9, 0.0, 1.9e9, 1e6])
time.time = lambda: next(hours)
time.time_ns = lambda: int(next(hours) * 1e9)
"""
CLI = "from merkwelt.cli import main; raise SystemExit(main())"


@dataclass(frozen=True, kw_only=True)
class Work:
    """A data set to render, as a command that takes its folder."""

    kind: str
    room: Path
    clips: int

    def command(self, folder: Path, *, workers: int = 1, before: str = "") -> list[str]:
        """Return the command that renders it, or goes on."""
        if self.kind == "fake":
            options = {"clips": self.clips, "run": {"workers": workers}}
            return [sys.executable, "-c", before + FAKE, str(folder), repr(options)]
        words = f"render --scene {self.room} --frames 2 --size 8 --clips {self.clips}"
        words += f" --shard-clips 2 --workers {workers} --out {folder}"
        return [sys.executable, "-c", before + CLI, *words.split()]

    def run(self, folder: Path, **options: Any) -> "subprocess.CompletedProcess[str]":  # noqa: ANN401
        """Run it to its end."""
        return subprocess.run(
            self.command(folder, **options), capture_output=True, text=True, env=environment()
        )

    def start(self, folder: Path, *, workers: int = 1) -> "subprocess.Popen[Any]":
        """Start it."""
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(self.command(folder, workers=workers), env=environment(), **quiet)


def environment() -> dict[str, str]:
    """Return the environment of what is run: fake clips can be imported."""
    return {**os.environ, "PYTHONPATH": str(FAKES), "OMP_NUM_THREADS": "1"}


def committed(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Return bytes, inode and time of change of every shard that has a receipt."""
    found = {}
    for shard in (folder / "shards").glob("*.tar"):
        if (folder / "receipts" / f"{shard.stem}.json").exists():
            stat = shard.stat()
            found[shard.name] = (shard.read_bytes(), stat.st_ino, stat.st_mtime_ns)
    return found


def verified(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Return what `merkwelt verify` says."""
    command = [sys.executable, "-c", CLI, "verify", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env=environment())
