"""Clips in memory with known truth, and encoders that see exactly as much as a test wants."""

from types import SimpleNamespace

import numpy as np
import torch
from merkwelt.objectives.slowness.deep import SlownessConfig
from merkwelt.render.clip import Clip
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.render.truth.quantities import Truth
from merkwelt.streams.samples import Sample
from merkwelt.video_models.encoder import Features
from scipy.spatial.transform import Rotation

from merkwelt.probing.seen_clips import SeenClips
from merkwelt.training.experiment import Experiment, build
from merkwelt.training.run_folder import LoadedRun

FRAMES, SIZE, CELLS, RATE_HZ = 8, 24, 3, 10.0
MAP = "stage4"
EYES_FROM_WORLD = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
"""Axes of an eye that looks along the world's x."""


def walk(rng, frames=FRAMES, *, saccade_at=None):
    """Return a trajectory that walks and turns with a speed and a turn of its own."""
    turns = rng.normal(scale=0.02, size=frames) + rng.normal(scale=0.05)
    yaw = rng.uniform(-np.pi, np.pi) + np.cumsum(turns)
    pitch = np.cumsum(rng.normal(scale=0.02, size=frames))
    axes = Rotation.from_euler("zy", np.column_stack([yaw, pitch])).as_matrix() @ EYES_FROM_WORLD
    aside = rng.uniform(-0.6, 0.6)
    course = np.stack([np.cos(yaw + aside), np.sin(yaw + aside), 0 * yaw], axis=-1)
    speed = rng.uniform(0.3, 1.5) + rng.normal(scale=0.05, size=(frames, 1))
    place = rng.uniform(-2, 2, 3) + np.cumsum(course * speed / RATE_HZ, axis=0)
    eye = np.tile(np.eye(4), (2, frames, 1, 1))
    eye[:, :, :3, :3], eye[:, :, :3, 3] = axes, place
    eye[0, :, :3, 3] -= 0.03 * axes[..., 0]
    eye[1, :, :3, 3] += 0.03 * axes[..., 0]
    fixation = np.zeros(frames, np.int64)
    if saccade_at is not None:
        fixation[saccade_at:] = 1
    return Trajectory(
        time_s=np.arange(frames) / RATE_HZ,
        world_from_head=eye.mean(axis=0),
        world_from_eye=eye,
        gaze_target=np.zeros((frames, 3)),
        fixation_id=fixation,
        saccade=np.zeros(frames, bool),
        blink=np.zeros(frames, bool),
        gait_phase_rad=np.zeros(frames),
    )


def stereo_dots(rng, frames=FRAMES):
    """Return random dots in two eyes, and the whole-pixel disparity of each third of the picture.

    A point at x in the left eye is at ``x - disparity`` in the right one.
    """
    disparity = rng.integers(-2, 3, (frames, CELLS, CELLS))
    step = SIZE // CELLS
    wide = rng.integers(0, 256, (frames, 3, SIZE, SIZE + 8), dtype=np.uint8)
    left, right = wide[..., 4:-4], np.empty((frames, 3, SIZE, SIZE), np.uint8)
    for t in range(frames):
        for row in range(CELLS):
            for column in range(CELLS):
                rows = slice(row * step, (row + 1) * step)
                start = column * step + 4 + int(disparity[t, row, column])
                right[t, :, rows, column * step : (column + 1) * step] = wide[
                    t, :, rows, start : start + step
                ]
    full = disparity.repeat(step, axis=1).repeat(step, axis=2).astype(np.float32)
    return torch.from_numpy(np.stack([left, right])), torch.from_numpy(np.stack([full, full]))


def seen_clips(count=24, *, scenes=("hall",), seed=0, disparity=True, depth=True, describe=None):
    """Return clips whose first pixel is their number."""
    samples, videos = [], []
    for clip in range(count):
        rng = np.random.default_rng((seed, clip))
        video, shift = stereo_dots(rng)
        video[:, :, 0, 0, 0] = clip
        noise = rng.normal(scale=0.2, size=(2, FRAMES, SIZE, SIZE)).astype(np.float32)
        far = torch.from_numpy(np.exp(noise))
        samples.append(
            Sample(
                clip=clip,
                scene=scenes[clip % len(scenes)],
                video=None,
                depth=far * (3 + shift) if depth else None,
                trajectory=walk(rng),
                caption=None,
                description=None if describe is None else describe(clip),
                truth=Truth(disparity=shift if disparity else None),
            )
        )
        videos.append(video)
    return SeenClips(
        samples=tuple(samples),
        video=torch.stack(videos),
        metric=np.ones(count, bool),
        frame_rate_hz=RATE_HZ,
        identity="test",
        name="test",
        of_all=count,
    )


class Remembers:
    """An encoder whose features are a table ``[clip, step, feature]``, by the clips' numbers."""

    eyes, causal = 2, True

    def __init__(self, table):
        self.table = torch.from_numpy(np.asarray(table, np.float32))

    def __call__(self, clips):
        numbers = (clips[:, 0, 0, 0, 0, 0] * 255).round().long()
        pooled = self.table[numbers]
        cells = pooled.transpose(1, 2)[..., None, None].expand(-1, -1, -1, CELLS, CELLS)
        return Features(maps={MAP: cells}, pooled=pooled)


class ComparesEyes:
    """An encoder that computes disparity: how well the eyes agree at each of five shifts."""

    eyes, causal = 2, True

    def __call__(self, clips):
        grey = clips.mean(dim=3) - 0.5
        left, right = grey[:, 0], grey[:, 1]
        step = SIZE // CELLS
        found = []
        for shift in range(-2, 3):
            # What is at x in the right eye is at x + disparity in the left one.
            product = torch.roll(left, -shift, dims=-1) * right
            by_cell = product.unflatten(-1, (CELLS, step)).unflatten(-3, (CELLS, step))
            found.append(by_cell.mean((-3, -1)))
        cells = torch.stack(found, dim=1)
        return Features(maps={MAP: cells}, pooled=cells.mean((-2, -1)).transpose(1, 2))


def loaded(encoder):
    """Return a run with this encoder, whose untrained twin is a small stereo CNN."""
    experiment = Experiment(name="sfa", objective=SlownessConfig())
    return LoadedRun(encoder=encoder, objective=build(experiment)[1], experiment=experiment, step=7)


def thing(noun):
    return SimpleNamespace(noun=noun, name=noun)


def rendered(plan, clip):
    """Return a clip of a plan with depth and disparity: a ``ClipMaker``'s work."""
    rng = plan.key(clip).generator("picture")
    video, shift = stereo_dots(rng, int(plan.settings["frames"]))
    return Clip(
        key=plan.key(clip),
        video=video,
        depth=3 + shift,
        trajectory=walk(rng, int(plan.settings["frames"])),
        truth=Truth(disparity=shift) if plan.settings.get("truth") else Truth(),
    )
