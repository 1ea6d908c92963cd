from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.clip import Clip
from merkwelt.render.key import ClipKey
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.streams.engine import run_plan
from merkwelt.streams.plan import Plan, PlannedScene, Storage

from merkwelt.training import StoredClips, train

from .drifting import drifting_clips, small_experiment


class Drifting:
    """Renders the drifting textures, with a saccade after the third frame."""

    skips = ()
    device = "none"

    def __call__(self, plan, clip):
        frames = int(plan.settings["frames"])
        eye = np.tile(np.eye(4), (2, frames, 1, 1))
        trajectory = Trajectory(
            time_s=np.arange(frames) / 10,
            world_from_head=eye[0],
            world_from_eye=eye,
            gaze_target=np.zeros((frames, 3)),
            fixation_id=(np.arange(frames) > 2).astype(np.int64),
            saccade=np.zeros(frames, bool),
            blink=np.zeros(frames, bool),
            gait_phase_rad=np.zeros(frames),
        )
        return Clip(
            key=ClipKey(dataset_seed=plan.seed, scene="hall", clip=clip),
            video=drifting_clips().read(clip).video,
            depth=None,
            trajectory=trajectory,
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    plan = Plan(
        scenes=(PlannedScene(name="hall", sha256="none"),),
        observer={"name": "adult"},
        settings={"frames": 6, "size": 24, "frame_rate_hz": 10.0, "depth": False},
        clips=10,
        seed=0,
        storage=Storage(shard_clips=4),
        code_version="0.1.0",
    )
    folder = tmp_path_factory.mktemp("data")
    run_plan(plan, Drifting(), folder)
    return folder


def test_stored_clips_are_the_clips_that_were_rendered(folder):
    stored, source = StoredClips(folder), drifting_clips()
    assert stored.clip_ids == list(range(10))
    assert stored.frame_rate_hz == 10
    clip = stored.read(3)
    assert torch.equal(clip.video, source.read(3).video)
    assert clip.valid_pairs.tolist() == [True, True, False, True, True]


def test_a_folder_trains_like_the_same_clips_in_memory(folder, tmp_path):
    experiment = small_experiment("predict", mask_saccades=False, steps=2)
    from_disk = train(experiment, folder, tmp_path / "disk", device="cpu")
    from_memory = train(experiment, drifting_clips(), tmp_path / "memory", device="cpu")
    assert from_disk.held_out == from_memory.held_out
    masked = replace(experiment, mask_saccades=True)
    with_mask = train(masked, str(folder), tmp_path / "masked", device="cpu")
    assert with_mask.held_out["copy_last_mse"] != from_disk.held_out["copy_last_mse"]


def test_a_folder_without_data_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        train(small_experiment("sfa"), tmp_path / "nothing", tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()
