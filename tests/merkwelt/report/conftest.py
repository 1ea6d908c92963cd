from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.alignment.maps.human_maps import HumanMaps
from merkwelt.alignment.results import CeilingScores, FloorScores, MetricScores, Results
from merkwelt.alignment.scores.bootstrap import Interval
from merkwelt.alignment.scores.floors import RANDOM_NETWORK
from merkwelt.render.clip import Clip
from merkwelt.render.key import ClipKey
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.scenes.card import OrientedBox, SceneCard, SceneObject

FRAMES = 12


def box(x, y, width, depth, yaw_rad=0.0):
    return OrientedBox(centre_m=(x, y, 0.4), size_m=(width, depth, 0.8), yaw_rad=yaw_rad)


@pytest.fixture
def card():
    objects = (
        SceneObject(
            name="sofa", box=box(1.2, 4.2, 2.0, 0.9), wnid="n04344873", label="studio couch"
        ),
        SceneObject(name="rug_2", box=box(4.0, 2.0, 0.3, 1.8, 0.4)),
    )
    return SceneCard(
        name="room",
        licence="CC0-1.0",
        source="a test",
        field_kind="analytic",
        metres_per_unit=1.0,
        bounds=((0.0, 0.0, 0.0), (6.0, 5.0, 2.7)),
        floor_height=0.0,
        objects=objects,
        quality={"held_out_psnr_db": 28.4},
    )


@pytest.fixture
def walkable():
    free = np.zeros((50, 60), dtype=bool)
    free[5:45, 5:55] = True
    return free, (0.0, 0.0), 0.1


@pytest.fixture
def trajectory():
    time_s = np.arange(FRAMES) / 10
    world_from_head = np.tile(np.eye(4), (FRAMES, 1, 1))
    world_from_head[:, 0, 3] = 1.0 + time_s
    world_from_head[:, 1, 3] = 1.5 + 0.3 * np.sin(time_s)
    world_from_head[:, 2, 3] = 1.6
    world_from_eye = np.tile(world_from_head, (2, 1, 1, 1))
    world_from_eye[..., :3, :3] = np.array([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]])
    saccade = np.zeros(FRAMES, dtype=bool)
    saccade[5] = True
    blink = np.zeros(FRAMES, dtype=bool)
    blink[8:10] = True
    return Trajectory(
        time_s=time_s,
        world_from_head=world_from_head,
        world_from_eye=world_from_eye,
        gaze_target=np.tile([5.0, 2.0, 1.0], (FRAMES, 1)),
        fixation_id=np.repeat([0, 1], FRAMES // 2),
        saccade=saccade,
        blink=blink,
        gait_phase_rad=time_s,
    )


@pytest.fixture
def clip(trajectory):
    generator = torch.Generator().manual_seed(0)
    video = torch.randint(0, 256, (2, FRAMES, 3, 24, 32), generator=generator, dtype=torch.uint8)
    depth = 1 + 4 * torch.rand(2, FRAMES, 24, 32, generator=generator)
    key = ClipKey(dataset_seed=0, scene="room", clip=3)
    return Clip(key=key, video=video, depth=depth, trajectory=trajectory, caption="A walk.")


@pytest.fixture
def mono_clip(clip):
    one_eyed = replace(clip.trajectory, world_from_eye=clip.trajectory.world_from_eye[:1])
    return replace(clip, video=clip.video[:1], depth=None, trajectory=one_eyed)


def interval(values):
    mean = float(np.nanmean(values))
    return Interval(mean=mean, low=mean - 0.1, high=mean + 0.1, count=len(values))


def floor(name, values, own):
    return FloorScores(
        name=name,
        per_image=values,
        interval=interval(values),
        difference=interval(own - values),
    )


def make_results(*, are_human=True, seed=0, undefined=(), missing_floors=(), ceiling=True):
    """Results with made-up numbers on four noise images."""
    images, size = 4, 16
    rng = np.random.default_rng(seed)
    pictures = np.random.default_rng(9).integers(0, 256, (images, size, size, 3), dtype=np.uint8)
    own = 0.3 + 0.1 * rng.random(images)
    centre = np.linspace(0.1, 0.5, images)
    kind = "click maps" if are_human else "object masks, not human maps"
    maps = HumanMaps(
        images=pictures,
        maps=np.ones((images, size, size), np.float32),
        names=tuple(f"image {n}" for n in range(images)),
        labels=("tv", "toy_truck", "tv", "kite"),
        kind=kind,
        are_human=are_human,
        source="a test",
        licence="CC0-1.0",
    )
    metric = MetricScores(
        name="Spearman",
        meaning="rank correlation",
        chance=0.0,
        per_image=own,
        interval=interval(own),
        floors=(floor("centred Gaussian", centre, own), floor(RANDOM_NETWORK, centre / 2, own)),
        ceilings=(
            (
                CeilingScores(
                    name="published ceiling",
                    value=0.44,
                    source="a paper",
                    measured=False,
                    interval=None,
                    per_image=None,
                    over_own_ceiling=None,
                    over_ceiling=interval(own / 0.44),
                    floor_name="centred Gaussian",
                    floor_corrected=interval(own - 0.1),
                ),
            )
            if ceiling
            else ()
        ),
    )
    return Results(
        recipe={"name": "gradient"},
        settings={"size": size},
        maps=maps,
        metrics=(metric,),
        undefined=dict(undefined),
        missing_floors=dict(missing_floors),
        ceiling_note="no ceiling: made up",
        images=pictures,
        target_maps=rng.random((images, size, size)).astype(np.float32),
        saliency=rng.random((images, size, size)).astype(np.float32),
        floor_maps={RANDOM_NETWORK: rng.random((images, size, size)).astype(np.float32)},
    )


@pytest.fixture
def results_of():
    return make_results
