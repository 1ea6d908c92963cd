"""Drifting textures as the clips of a plan: made anywhere, some of them not at all."""

import numpy as np
import torch
from merkwelt.render.clip import Clip
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.streams.plain import to_plain
from merkwelt.streams.plan import Plan, PlannedScene
from scipy.spatial.transform import Rotation

SKIPPED = (1, 7)


def moving_eyes(clip, frames):
    """Return poses of two eyes that walk and turn, another way in every clip."""
    rng = np.random.default_rng(clip)
    turns = Rotation.from_rotvec(np.cumsum(rng.normal(scale=0.1, size=(frames, 3)), axis=0))
    eye = np.tile(np.eye(4), (2, frames, 1, 1))
    eye[:, :, :3, :3] = turns.as_matrix()
    eye[:, :, :3, 3] = np.cumsum(rng.normal(scale=0.1, size=(frames, 3)), axis=0)
    eye[1, :, :3, 3] += 0.063 * turns.as_matrix()[..., 0]
    return eye


FRAMES, SIZE = 6, 24


class NoWay(RuntimeError):
    pass


def streaming_plan(*, seed=0):
    return Plan(
        scenes=(PlannedScene(name="hall", sha256="none"),),
        observer=to_plain(load_observer("adult")),
        settings=to_plain(ClipSettings(frames=FRAMES, size=SIZE, depth=False)),
        clips=1,
        seed=seed,
        code_version="0.1.0",
    )


class DriftingClips:
    """Smooth textures that drift; a saccade after the third frame."""

    skips = (NoWay,)
    device = "none"

    def __init__(self, *, fail=False):
        self.fail = fail

    def __call__(self, plan, clip):
        if clip in SKIPPED:
            raise NoWay("a wall in front and a wall behind")
        if self.fail:
            raise ZeroDivisionError("the lens fell off")
        coarse = plan.key(clip).generator("picture").random((1, 3, 8, 24), dtype=np.float32)
        wide = (SIZE, 3 * SIZE)
        world = torch.nn.functional.interpolate(torch.from_numpy(coarse), wide, mode="bicubic")[0]
        world = (world.clamp(0, 1) * 255).round().to(torch.uint8)
        speed = 1 if clip % 2 else -1
        starts = [[SIZE + speed * t + eye for t in range(FRAMES)] for eye in range(2)]
        video = [torch.stack([world[..., s : s + SIZE] for s in each]) for each in starts]
        eye = moving_eyes(clip, FRAMES)
        trajectory = Trajectory(
            time_s=np.arange(FRAMES) / 10,
            world_from_head=eye[0],
            world_from_eye=eye,
            gaze_target=np.zeros((FRAMES, 3)),
            fixation_id=(np.arange(FRAMES) > 2).astype(np.int64),
            saccade=np.zeros(FRAMES, bool),
            blink=np.zeros(FRAMES, bool),
            gait_phase_rad=np.zeros(FRAMES),
        )
        return Clip(key=plan.key(clip), video=torch.stack(video), depth=None, trajectory=trajectory)
