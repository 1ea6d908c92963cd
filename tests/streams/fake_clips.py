"""Clips without a renderer: cheap, different for every id, the same for the same id."""

import os
import signal
import time

import numpy as np
import torch
from merkwelt.render.clip import Clip
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.streams.plan import Plan, PlannedScene, Storage


class NoWay(RuntimeError):
    pass


def fake_plan(
    clips=10, *, seed=0, shard_clips=4, profile="lossless", frames=3, scenes=("hall",), depth=True
):
    return Plan(
        scenes=tuple(PlannedScene(name=name, sha256=f"hash of {name}") for name in scenes),
        observer={"name": "adult", "body": {"eye_height_m": 1.6}},
        settings={"frames": frames, "size": 16, "frame_rate_hz": 10.0, "depth": depth},
        clips=clips,
        seed=seed,
        storage=Storage(shard_clips=shard_clips, profile=profile),
        code_version="0.1.0",
    )


def fake_trajectory(rng, frames, eyes=2):
    return Trajectory(
        time_s=np.arange(frames) / 10,
        world_from_head=rng.normal(size=(frames, 4, 4)),
        world_from_eye=rng.normal(size=(eyes, frames, 4, 4)),
        gaze_target=rng.normal(size=(frames, 3)),
        fixation_id=np.arange(frames),
        saccade=np.zeros(frames, bool),
        blink=np.zeros(frames, bool),
        gait_phase_rad=rng.uniform(size=frames),
    )


class FakeClips:
    """Makes clips; skips and fails where it is told to."""

    skips = (NoWay,)
    device = "none"

    def __init__(self, *, skip=(), fail=(), kill=(), delay_s=0.0, eyes=2, pids=None):
        self.skip, self.fail, self.kill = skip, fail, kill
        self.delay_s, self.eyes, self.pids = delay_s, eyes, pids

    def __call__(self, plan, clip):
        if clip in self.skip:
            raise NoWay("a wall in front and a wall behind")
        if clip in self.fail:
            raise ZeroDivisionError("the lens fell off")
        if clip in self.kill:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.pids is not None:
            (self.pids / str(os.getpid())).touch()
        time.sleep(self.delay_s)
        key = plan.key(clip)
        rng = key.generator("picture")
        frames, size = plan.settings["frames"], plan.settings["size"]
        shape = (self.eyes, frames, 3, size, size)
        depth = rng.uniform(0.5, 20, (self.eyes, frames, size, size)).astype(np.float32)
        return Clip(
            key=key,
            video=torch.from_numpy(rng.integers(0, 256, shape, dtype=np.uint8)),
            depth=torch.from_numpy(depth) if plan.settings["depth"] else None,
            trajectory=fake_trajectory(rng, frames, self.eyes),
            caption=f"clip {clip} in the {key.scene}",
            attempts=1 + clip % 3,
        )


def tree(folder):
    """Return every file below a folder with its bytes; receipts without their timing."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files[str(path.relative_to(folder))] = path.read_bytes()
    return files


def shards_of(folder):
    return {name: data for name, data in tree(folder).items() if name.endswith(".tar")}
