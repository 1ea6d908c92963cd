"""A whole scene made render-ready, small."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render import Rays, RenderOptions, render_rays
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.distill import DistillSettings, distill, walk_quality
from merkwelt.render.distill.settings import Decided
from merkwelt.render.distill.teacher import Photographs, Teacher, absorption
from merkwelt.render.distill.viewpoints import (
    LEARNED_SEED,
    TESTED_SEED,
    Vantages,
    walked_poses,
)
from merkwelt.scenes.analytic import AnalyticField
from merkwelt.scenes.bricks import BrickSpace
from merkwelt.scenes.captures import choose_split, read_capture
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfstudio.run import import_run
from merkwelt.scenes.placement import describe_place
from merkwelt.scenes.scene import Scene

SMALL = DistillSettings(cells=128, steps=(60, 60, 110), rays_per_step=4096)


@pytest.fixture(scope="module")
def optimised(room):
    notes = []
    made = distill(room, SMALL, progress=lambda done, note: notes.append((done, note)))
    return room.with_bricks(made.bricks), made, notes


def test_a_room_is_learned_well_enough_to_be_recognised(optimised):
    scene, made, notes = optimised
    quality = walk_quality(scene)
    # Few small steps, and cells of 5 cm; an even picture of the room's mean colour is the floor.
    poses = walked_poses(scene, TESTED_SEED, 12, frames=2).reshape(-1, 4, 4)
    seen = render_rays(scene, rays_of(PinholeCamera.from_hfov(1.13, (16, 16)), poses)).rgb
    floor_db = -10 * float(((seen - seen.mean(dim=0)) ** 2).mean().log10())
    assert quality.psnr_db > floor_db + 6
    assert quality.psnr_db > quality.worst_psnr_db
    assert quality.depth_error < 0.06
    assert made.learned_psnr_db > floor_db + 6
    shares = [done for done, _ in notes]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert "128 cells" in notes[-1][1]


def test_depth_is_the_rooms(optimised, room):
    scene = optimised[0]
    poses = walked_poses(room, TESTED_SEED, 2, frames=2).reshape(-1, 4, 4)
    camera = PinholeCamera.from_hfov(1.2, (24, 24))
    rays = rays_of(camera, poses)
    exact, fast = (render_rays(scene, rays, RenderOptions(path=p)) for p in ("exact", "fast"))
    error = (fast.depth_median - exact.depth_median).abs()
    # Cells are 5 cm; so few steps leave some fog in front of the walls.
    assert float(error.median()) < 0.2
    assert float(fast.opacity.mean()) > 0.95


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
    vantages = Vantages.of(room)
    rays = vantages.rays(500, np.random.default_rng(0))
    widest = np.cos(np.arctan(np.sqrt(2) * np.tan(np.radians(40))))
    assert widest - 1e-6 < float(rays.z_per_distance.min()) < widest + 0.1
    low, high = np.array(room.card.bounds)
    inside = (rays.origins.numpy() > low) & (rays.origins.numpy() < high)
    assert inside.all()
    # Each from a place of its own, a few centimetres from a walk.
    assert len(np.unique(rays.origins.numpy(), axis=0)) == 500
    away = np.linalg.norm(rays.origins.numpy()[:, None] - vantages.poses[None, :, :3, 3], axis=2)
    assert 0.005 < np.median(away.min(axis=1)) < 0.06


def test_half_of_the_rays_come_from_around_the_training_views(statue):
    vantages = Vantages.of(statue)
    views = np.asarray(statue.card.world_from_training_camera)
    near = (vantages.poses[:, None, :3, 3] == views[None, :, :3, 3]).all(axis=2).any(axis=1)
    assert near.mean() == pytest.approx(0.5, abs=0.01)
    assert set(vantages.stray[near]) == {0.04 * 4.0}


def test_batches_are_drawn_from_a_pool_that_is_renewed(room):
    rng = np.random.default_rng(0)
    teacher = Teacher(room, Vantages.of(room), rng, rays_per_step=64, reuse=1.0)
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
    rays = Vantages.of(room).rays(300, rng)
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
    rays = Rays(
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
        distill(
            Scene(replace(room.card, floor_height=None, metres_per_unit=None), room.field), SMALL
        )
    pose = tuple(map(tuple, np.eye(4).tolist()))
    card = replace(
        room.card, floor_height=None, metres_per_unit=None, world_from_training_camera=(pose,)
    )
    with pytest.raises(ValueError, match="nothing that absorbs light"):
        distill(Scene(card, nothing), SMALL)


def test_nothing_is_kept_of_what_nobody_saw(room):
    settings = replace(SMALL, steps=(1, 1, 1), rays_per_step=16, visible=0.999)
    with pytest.raises(ValueError, match="nothing is left; take more steps"):
        distill(room, settings)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"cells": 100}, "multiples of 128"),
        ({"steps": (1, 0, 1)}, "positive numbers of steps"),
        ({"rays_per_step": 0}, "at least 1 ray"),
        ({"reuse": 0.5}, "used at least once"),
        ({"photographs": 1.5}, "share of photographs"),
        ({"matter": 0.0}, "between 0 and 1"),
        ({"step_cells": 3.0}, "at most 2 cells"),
        ({"compact": -1.0}, "at least 0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong, match):
    with pytest.raises(ValueError, match=match):
        DistillSettings(**wrong)


@pytest.mark.parametrize("tilt", [None, True])
def test_a_scene_that_ends_at_its_bounds_is_tilted_only_if_asked(room, tilt):
    settings = replace(SMALL, steps=(3, 3, 3), rays_per_step=512, tilt=tilt)
    bricks = distill(room, settings).bricks
    assert bricks.space.levels == 1
    assert (bricks.tilt is not None) == (tilt is True)


def test_what_is_not_said_depends_on_whether_a_scene_goes_on():
    def decided(levels, **said):
        space = BrickSpace(centre=(0.0, 0.0, 0.0), half_edge=1.0, cells=64, levels=levels)
        return DistillSettings(**said).decided(space)

    assert decided(1) == decided(2) == Decided(photographs=0.5, compact=0.05, tilt=False)
    assert decided(3) == decided(8) == Decided(photographs=0.05, compact=0.01, tilt=True)
    said = {"photographs": 0.0, "compact": 0.0, "tilt": False}
    assert decided(8, **said) == Decided(**said)
