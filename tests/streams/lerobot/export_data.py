"""A small data set whose pictures, depth and poses are known, and readers of its export."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import torch
from fake_clips import FakeClips, fake_plan
from merkwelt.render.clip import Clip
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.streams import ClipDataset
from merkwelt.streams.engine import run_plan
from scipy.spatial.transform import Rotation

CAMERAS = ("observation.images.left", "observation.images.right")
FRAMES, CLIPS, RATE_HZ, SIZE = 5, 4, 10, 16


def walk(rng, frames=FRAMES, eyes=2):
    """Return a rigid trajectory that turns, shifts and looks about."""
    heads = _poses(rng, frames, turn=0.3, shift=0.1)
    head_from_eyes = [_poses(rng, frames, turn=0.2, shift=0.03) for _ in range(eyes)]
    return Trajectory(
        time_s=np.arange(frames) / RATE_HZ,
        world_from_head=heads,
        world_from_eye=np.stack([heads @ head_from_eye for head_from_eye in head_from_eyes]),
        gaze_target=rng.normal(size=(frames, 3)),
        fixation_id=np.arange(frames) // 2 + 7,
        saccade=np.arange(frames) % 2 == 1,
        blink=np.arange(frames) == 2,
        gait_phase_rad=rng.uniform(0, 6, frames),
    )


def _poses(rng, frames, turn, shift):
    """Return poses ``[time, 4, 4]`` that start anywhere and drift."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.random(random_state=rng.integers(1000)).as_matrix()
    poses = []
    for _ in range(frames):
        step = np.eye(4)
        step[:3, :3] = Rotation.from_rotvec(rng.normal(size=3) * turn).as_matrix()
        step[:3, 3] = rng.normal(size=3) * shift
        pose = pose @ step
        poses.append(pose)
    return np.stack(poses)


class WalkingClips(FakeClips):
    """Fake clips with rigid trajectories, and depth that holds the unknown and the infinite."""

    def __call__(self, plan, clip):
        made = super().__call__(plan, clip)
        rng = plan.key(clip).generator("walk")
        depth = made.depth
        if depth is not None:
            depth = depth.clone()
            depth[:, :, 0, 0], depth[:, :, 0, 1] = 0, torch.inf
        return Clip(
            key=made.key,
            video=made.video,
            depth=depth,
            trajectory=walk(rng, plan.settings["frames"], self.eyes),
            # Two clips have the same task.
            caption=f"task {clip % 3}",
        )


def make_data(folder, *, eyes=2, **of_plan):
    plan = fake_plan(CLIPS, frames=FRAMES, shard_clips=3, **of_plan)
    plan = replace(plan, settings={**plan.settings, "stereo": eyes == 2})
    run_plan(plan, WalkingClips(eyes=eyes), folder)
    return folder


def rows_of(folder, pattern):
    """Return the rows of all Parquet files of a kind, in the order of their names."""
    tables = [pq.read_table(path).to_pylist() for path in sorted(folder.glob(pattern))]
    return [row for table in tables for row in table]


def videos_of(data, eye):
    """Return an eye's video of all clips of a data set ``[clip, time, 3, height, width]``."""
    clips = ClipDataset(data, streams=("video",))
    return np.stack([clips.sample(int(clip)).video[eye].numpy() for clip in clips.clip_ids])
