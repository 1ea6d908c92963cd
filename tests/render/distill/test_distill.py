"""A whole scene made render-ready, small."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render import RenderOptions, render_rays
from merkwelt.render.distill import DistillSettings, distill, walk_quality
from merkwelt.render.distill.teacher import Photographs, Teacher, absorption
from merkwelt.render.distill.viewpoints import (
    LEARNED_SEED,
    TESTED_SEED,
    learning_poses,
    scattered_rays,
    walked_poses,
)
from merkwelt.scenes.analytic import AnalyticField
from merkwelt.scenes.captures import choose_split, read_capture
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfstudio.run import import_run
from merkwelt.scenes.placement import describe_place
from merkwelt.scenes.scene import Scene

SMALL = DistillSettings(cells=128, steps=(40, 40, 60), rays_per_step=4096)


@pytest.fixture(scope="module")
def optimised(room):
    notes = []
    made = distill(room, SMALL, progress=lambda done, note: notes.append((done, note)))
    return room.with_bricks(made.bricks), made, notes


def test_a_room_is_learned_well_enough_to_be_recognised(optimised):
    scene, made, notes = optimised
    quality = walk_quality(scene)
    # 140 small steps at 5 cm; a grey picture of this room has 13 dB.
    assert quality.psnr_db > 20
    assert quality.psnr_db > quality.worst_psnr_db
    assert quality.depth_error < 0.03
    assert made.learned_psnr_db > 20
    shares = [done for done, _ in notes]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert "128 cells" in notes[-1][1]


def test_depth_is_the_rooms(optimised, room):
    scene = optimised[0]
    poses = walked_poses(room, TESTED_SEED, 2, frames=2).reshape(-1, 4, 4)
    rays = scattered_rays(poses, 2000, np.random.default_rng(0))
    exact, fast = (render_rays(scene, rays, RenderOptions(path=p)) for p in ("exact", "fast"))
    error = (fast.depth_median - exact.depth_median).abs()
    # Cells are 5 cm.
    assert float(error.median()) < 0.05
    assert float(fast.opacity.mean()) > 0.97


def test_the_same_arguments_make_the_same_bricks(room):
    settings = replace(SMALL, steps=(3, 3, 3), rays_per_step=512)
    a, b = (distill(room, settings).bricks for _ in range(2))
    for name, array in a.arrays().items():
        np.testing.assert_array_equal(array, b.arrays()[name])
    other = distill(room, replace(settings, seed=1)).bricks
    assert other.density.shape != a.density.shape or (other.density != a.density).any()


def test_walks_to_learn_from_are_not_those_to_test_on(room):
    learned, tested = (walked_poses(room, seed, 3) for seed in (LEARNED_SEED, TESTED_SEED))
    assert learned.shape == tested.shape == (3, 2, 8, 4, 4)
    assert np.abs(learned - tested).max() > 0.1


def test_rays_pass_through_wide_pictures_of_their_poses(room):
    rng = np.random.default_rng(0)
    poses = learning_poses(room, 3.0, rng)
    rays = scattered_rays(poses, 500, rng)
    assert float(rays.z_per_distance.min()) > np.cos(np.arctan(np.sqrt(2) * np.tan(np.radians(40))))
    low, high = np.array(room.card.bounds)
    inside = (rays.origins.numpy() > low - 0.5) & (rays.origins.numpy() < high + 0.5)
    assert inside.all()


def test_batches_are_drawn_from_a_pool_that_is_renewed(room):
    rng = np.random.default_rng(0)
    poses = learning_poses(room, 3.0, rng)
    teacher = Teacher(room, poses, rng, rays_per_step=64, reuse=1.0)
    first = teacher._parts
    batch = teacher.batch()
    assert len(batch) == 64
    assert batch.colours.shape == (64, 3)
    for _ in range(40):
        teacher.batch()
    assert teacher._parts != first
    assert len(teacher._parts) > 4


def test_light_is_absorbed_where_the_exact_renderer_absorbs_it(room):
    rng = np.random.default_rng(0)
    rays = scattered_rays(learning_poses(room, 3.0, rng), 300, rng)
    edges, weights = absorption(room, rays)
    seen = render_rays(room, rays)
    middles = (edges[:, 1:] + edges[:, :-1]) / 2
    torch.testing.assert_close(weights.sum(dim=1), seen.opacity, atol=1e-4, rtol=0)
    depth = (weights * middles).sum(dim=1) / weights.sum(dim=1) * rays.z_per_distance
    torch.testing.assert_close(depth, seen.depth, atol=1e-3, rtol=1e-3)


def test_photographs_give_the_pixels_they_hold(shared_data):
    run, folder = shared_data / "trained" / "fox_nerfacto", shared_data / "noncommercial" / "fox"
    scene = import_run(run, ImportOptions(name="fox"))
    capture = read_capture(folder)
    scene = Scene(describe_place(scene.card, capture, choose_split(capture)), scene.field)
    photographs = Photographs(scene, capture)
    assert not {view.name for view in photographs.views} & set(scene.card.held_out)
    lesson = photographs.lesson(3000, np.random.default_rng(0))
    assert len(lesson) == 3000
    assert np.isnan(lesson.light_left).all()
    rays = type(scattered_rays(np.eye(4)[None], 1, np.random.default_rng(0)))(
        origins=torch.from_numpy(lesson.origins),
        directions=torch.from_numpy(lesson.directions),
        z_per_distance=torch.ones(3000),
    )
    seen = render_rays(scene, rays).rgb.numpy()
    # The field was trained on these very photographs, and reproduces them at 26 dB or so.
    assert -10 * np.log10(np.mean((seen - lesson.colours) ** 2)) > 22


def test_an_empty_scene_and_one_that_nobody_looks_at_are_refused(room):
    nothing = AnalyticField(torch.tensor([[0.0, 0, 90, 0.1, 0.1, 0.1, 0]]), torch.ones(1, 3))
    with pytest.raises(ValueError, match="neither training views nor a floor"):
        distill(Scene(replace(room.card, floor_height=None, metres_per_unit=None), room.field), SMALL)
    pose = tuple(map(tuple, np.eye(4).tolist()))
    card = replace(
        room.card, floor_height=None, metres_per_unit=None, world_from_training_camera=(pose,)
    )
    with pytest.raises(ValueError, match="nothing that absorbs light"):
        distill(Scene(card, nothing), SMALL)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"cells": 100}, "multiples of 128"),
        ({"steps": (1, 0, 1)}, "positive numbers of steps"),
        ({"rays_per_step": 0}, "at least 1 ray"),
        ({"reuse": 0.5}, "used at least once"),
        ({"photographs": 1.5}, "share of photographs"),
        ({"matter": 0.0}, "between 0 and 1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong, match):
    with pytest.raises(ValueError, match=match):
        DistillSettings(**wrong)
