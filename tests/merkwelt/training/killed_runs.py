"""Begins every recipe's tiny run in a process of its own, and has it killed (``kill -9``)."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch

from merkwelt.recipes import RECIPES, recipe
from merkwelt.training import train

sys.path.insert(0, str(Path(__file__).parent))

from drifting import drifting_clips

STEPS, KILLED_AT = 4, 3


def tiny(name, **changes):
    """Return a recipe with its own network, for clips of ``tiny_clips``."""
    settings = {"steps": STEPS, "batch_size": 2, "validate_every": 4, "checkpoint_every": 2}
    return replace(recipe(name), **(settings | changes))


class MovingClips:
    """Clips that are long and large enough for every recipe, and say how their eyes move."""

    def __init__(self):
        self._clips = drifting_clips(clips=5, frames=16, size=32)
        self.identity = self._clips.identity
        self.frame_rate_hz = self._clips.frame_rate_hz
        self.clip_ids = self._clips.clip_ids

    def read(self, clip):
        steps = torch.randn(2, 15, 3, generator=torch.Generator().manual_seed(clip)) / 10
        return replace(self._clips.read(clip), translation_m=steps[0], rotation_rad=steps[1])


def cases():
    """Return what is killed: every recipe, and averaged weights in float32 and bfloat16."""
    return {
        **{name: tiny(name) for name in RECIPES},
        "ema, jepa": tiny("jepa", ema=0.9),
        "bf16, ema": tiny("sfa", precision="bf16", ema=0.9),
    }


def killed(experiment, out):
    """Train in a child that is killed; return the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            train(experiment, MovingClips(), out, device="cpu", progress=_kill)
        finally:
            os._exit(1)  # not reached, unless something else went wrong
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def _kill(done, message):
    if message.startswith(f"step {KILLED_AT} "):
        os.kill(os.getpid(), signal.SIGKILL)


def main():
    torch.set_num_threads(1)  # a child has none of its parent's threads
    for name, experiment in cases().items():
        ended_by = killed(experiment, Path(sys.argv[1]) / name)
        if ended_by != signal.SIGKILL:
            sys.exit(f"{name}: expected SIGKILL, got {ended_by}")


if __name__ == "__main__":
    main()
