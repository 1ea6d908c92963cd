"""The compiled march against the slow one, closed forms, and itself without skipping."""

import math
from dataclasses import replace

import numba
import numpy as np
import pytest
import torch
from merkwelt.render.bricks.kernel import render_bricks
from merkwelt.render.bricks.reference import render_ray
from merkwelt.scenes.bricks import BRICK, BrickLook, Bricks, BrickSpace
from merkwelt.scenes.bricks.bricks import store_colour, store_tilt
from merkwelt.scenes.bricks.hop_loops import grown
from merkwelt.scenes.bricks.space import VERTICES, VOXELS
from random_bricks import KINDS, random_bricks, random_rays, with_tilts

WHOLE = BrickLook(dark=0.0, faint=0.0, density_range=(-3.0, 2.0))
"""Nothing is passed over, so that no decision hangs on round-off."""
SPACES = [
    {"levels": 1, "share": 0.5},
    {"levels": 3, "share": 0.4},
    {"levels": 3, "share": 0.3, "matter": 0.02},  # Long ways through bricks without matter.
    {"levels": 4, "share": 0.15, "cells": 64, "matter": 0.05},
    {"levels": 2, "share": 0.3, "cells": 96},  # Steps that are no binary fractions.
]


def reference(bricks, origins, directions):
    rays = zip(origins.double().numpy(), directions.double().numpy(), strict=True)
    return torch.from_numpy(np.stack([render_ray(bricks, o, d) for o, d in rays])).float()


def with_least_skipping(bricks):
    """Return the same bricks, through which a ray goes step by step and brick by brick."""
    slow = replace(bricks)
    slow.__dict__["hops"] = np.minimum(bricks.hops, 1)
    slow.__dict__["index"] = np.maximum(bricks.index, -1)
    return slow


def one_brick(*, log_depth, rgb, look):
    """Return a brick around (0.25, 0.25, 0.25) of edge 0.5, and nothing else."""
    occupied = np.ones((1, VOXELS), dtype=bool)
    low, high = look.density_range
    stored = round((log_depth - low) / (high - low) * 255)
    return Bricks(
        space=BrickSpace(centre=(0.0, 0.0, 0.0), half_edge=1.0, cells=32, levels=2),
        look=look,
        places=np.array([[0, 2, 2, 2]], dtype=np.int32),
        occupied=occupied,
        density=np.full((1, VERTICES), stored, dtype=np.uint8),
        colour=np.full((1, VERTICES), store_colour(np.array(rgb), look), dtype=np.uint32),
    )


def ray(origin, direction):
    return torch.tensor([origin], dtype=torch.float32), torch.tensor([direction]).float()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("step_cells", [1.0, 0.7])
def test_every_ray_equals_the_reference(space, step_cells):
    bricks = random_bricks(1, look=replace(WHOLE, step_cells=step_cells), **space)
    rays = random_rays(2, 300, bricks)
    ours, expected = render_bricks(bricks, *rays), reference(bricks, *rays)
    # Where a table says how much light a step passes, its optical depth x is off by an eighth of
    # a stored step, 0.25 %, which is at most 0.0025 x exp(-x) < 0.001 of the light.
    torch.testing.assert_close(ours[:, [0, 1, 2, 5]], expected[:, [0, 1, 2, 5]], atol=2e-3, rtol=0)
    torch.testing.assert_close(ours[:, 3], expected[:, 3], atol=1e-3, rtol=3e-3)
    # The median jumps where half of the light is left between two pieces of matter.
    assert ((ours[:, 4] - expected[:, 4]).abs() < 1e-2).float().mean() > 0.99
    assert expected[3 :: len(KINDS), 5].abs().max() == 0
    assert 0.03 < expected[:, 5].mean() < 0.9


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("dark", [0.0, 0.05])
def test_brightness_changes_with_the_direction_as_in_the_reference(space, dark):
    flat = random_bricks(1, look=replace(WHOLE, dark=dark), **space)
    bricks, rays = with_tilts(flat, 5), random_rays(2, 300, flat)
    ours, expected = render_bricks(bricks, *rays), reference(bricks, *rays)
    error = (ours - expected)[:, :3].abs().amax(dim=1)
    # Beside the table's error, few rays end one sample earlier or later.
    assert (error < 3e-3).float().mean() > 0.99
    assert error.max() < 0.05
    changed = (ours - render_bricks(flat, *rays)).abs()
    assert changed[:, :3].mean() > 0.005
    assert changed[:, 3:].max() == 0


def test_a_tilt_is_added_to_all_channels_in_closed_form():
    flat = one_brick(log_depth=5.0, rgb=(0.2, 0.4, 0.5), look=BrickLook())
    tilt = store_tilt(np.array([0.1, -0.2, 0.3]), flat.look)
    bricks = replace(flat, tilt=np.full((1, VERTICES), tilt, dtype=np.uint32))
    for direction in ((0, 0, -1), (0.6, 0, 0.8), (0, 1, 0), (0, -0.8, 0.6)):
        seen = render_bricks(bricks, *ray((0.25, 0.25, 0.25), direction))[0]
        more = float(np.dot(direction, (0.1, -0.2, 0.3)))
        expected = torch.tensor([0.2 + more, 0.4 + more, 0.5 + more]).clamp(0, 1)
        torch.testing.assert_close(seen[:3], expected, atol=2e-3, rtol=0)


def test_no_tilt_at_all_is_as_good_as_none():
    bricks = random_bricks(1, look=WHOLE)
    rays = random_rays(2, 600, bricks)
    none = render_bricks(with_tilts(bricks, 0, most=0.0), *rays)
    torch.testing.assert_close(none, render_bricks(bricks, *rays), atol=1e-6, rtol=0)


@pytest.mark.parametrize("space", SPACES)
def test_what_is_passed_over_is_what_the_reference_passes_over(space):
    look = BrickLook(dark=0.05, faint=0.02, behind=(0.2, 0.4, 0.9))
    bricks = random_bricks(3, look=look, **space)
    rays = random_rays(4, 300, bricks)
    ours, expected = render_bricks(bricks, *rays), reference(bricks, *rays)
    error = (ours - expected)[:, [0, 1, 2, 5]].abs().amax(dim=1)
    # The table is off by 0.6 % of an optical depth here, 0.0022 of the light. Few rays have a
    # sample whose weight is so near to ``faint`` that this decides about it.
    assert (error < 5e-3).float().mean() > 0.97
    assert error.max() < 0.05
    assert (ours[:, 5] == 1).float().mean() > 0.03
    nothing = expected[:, 5] == 0
    behind = torch.tensor(look.behind).expand(int(nothing.sum()), 3)
    torch.testing.assert_close(ours[nothing, :3], behind)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("step_cells", [1.0, 0.7])
def test_skipping_changes_no_bit(space, step_cells):
    look = BrickLook(step_cells=step_cells)
    for seed in range(4):
        bricks = random_bricks(seed, look=look, **space)
        bricks = with_tilts(bricks, seed) if seed == 3 else bricks
        rays = random_rays(seed, 2000, bricks)
        slow = with_least_skipping(bricks)
        assert torch.equal(render_bricks(bricks, *rays), render_bricks(slow, *rays))


def test_a_brick_without_matter_may_as_well_not_be_there():
    bricks = random_bricks(5, matter=0.01)
    more = random_bricks(5, share=1.0)
    extra = [i for i, p in enumerate(more.places.tolist()) if p not in bricks.places.tolist()]
    nothing = np.zeros((len(extra), VOXELS), dtype=bool)
    padded = replace(
        bricks,
        places=np.concatenate([bricks.places, more.places[extra]]),
        occupied=np.concatenate([bricks.occupied, nothing]),
        density=np.concatenate([bricks.density, more.density[extra]]),
        colour=np.concatenate([bricks.colour, more.colour[extra]]),
    )
    assert len(padded.places) == 64 + 2 * 56
    rays = random_rays(6, 3000, bricks)
    assert torch.equal(render_bricks(bricks, *rays), render_bricks(padded, *rays))


@pytest.mark.parametrize("tilted", [False, True])
def test_a_ray_depends_on_neither_threads_nor_company(tilted):
    bricks = random_bricks(7)
    bricks = with_tilts(bricks, 0) if tilted else bricks
    origins, directions = random_rays(8, 1500, bricks)
    whole = render_bricks(bricks, origins, directions)
    order = torch.from_numpy(np.random.default_rng(9).permutation(1500))
    threads = numba.get_num_threads()
    try:
        for count in {1, threads}:
            numba.set_num_threads(count)
            shuffled = render_bricks(bricks, origins[order], directions[order])
            assert torch.equal(shuffled, whole[order])
            alone = render_bricks(bricks, origins[700:701], directions[700:701])
            assert torch.equal(alone, whole[700:701])
    finally:
        numba.set_num_threads(threads)


def test_matter_of_one_density_absorbs_in_closed_form():
    look = replace(WHOLE, behind=(0.0, 0.0, 1.0))
    bricks = one_brick(log_depth=math.log(0.06), rgb=(1.0, 0.5, 0.0), look=look)
    seen = render_bricks(bricks, *ray((-0.75, 0.21, 0.3), (1, 0, 0)))[0]
    # Eight cells of the byte that is nearest to 0.06, and of the table's entry above it.
    stored = round((math.log(0.06) + 3) / 5 * 255)
    depth = math.exp(-3 + 5 * (stored + 0.125) / 255)
    left = math.exp(-8 * depth)
    colour = torch.tensor([1 - left, 0.5 * (1 - left), left])
    torch.testing.assert_close(seen[:3], colour, atol=1e-3, rtol=0)  # Colours have ten bits.
    torch.testing.assert_close(seen[5], torch.tensor(1 - left), atol=1e-6, rtol=0)
    places = np.arange(8) / 16 + 0.75 + 1 / 32
    weights = np.exp(-depth * np.arange(8)) * (1 - np.exp(-depth))
    expected = torch.tensor((weights * places).sum() / weights.sum()).float()
    torch.testing.assert_close(seen[3], expected, atol=1e-5, rtol=0)
    assert seen[4] == 2.75  # More than half of the light is left: where the outer cube ends.


def test_half_of_the_light_is_lost_where_it_is_lost_in_closed_form():
    bricks = one_brick(log_depth=math.log(0.5), rgb=(0.5, 0.5, 0.5), look=WHOLE)
    seen = render_bricks(bricks, *ray((-0.75, 0.21, 0.3), (1, 0, 0)))[0]
    depth = math.exp(-3 + 5 * (round((math.log(0.5) + 3) / 5 * 255) + 0.125) / 255)
    assert float(seen[4]) == pytest.approx(0.75 + math.log(2) / depth / 16, abs=1e-5)


def test_an_eye_in_opaque_matter_sees_its_colour_at_no_distance():
    bricks = one_brick(log_depth=5.0, rgb=(0.2, 0.5, 0.8), look=BrickLook())
    seen = render_bricks(bricks, *ray((0.25, 0.25, 0.25), (0, 0, -1)))[0]
    torch.testing.assert_close(seen[:3], torch.tensor([0.2, 0.5, 0.8]), atol=1e-3, rtol=0)
    assert seen[5] == 1
    assert 0 <= seen[4] < 1 / 16


@pytest.mark.parametrize(
    ("origin", "direction", "leaves"),
    [
        ((0.0, 0.0, -1.5), (0, 0, -1), 0.5),
        ((3.0, 0.0, 0.0), (0, 1, 0), 0.0),  # Along the cube, past it.
        ((3.0, 0.0, 0.0), (1, 0, 0), 0.0),  # Away from it.
        ((-3.0, 0.9, 0.9), (1, 0, 0), 5.0),
    ],
)
def test_rays_without_matter_see_what_is_behind_where_the_cube_ends(origin, direction, leaves):
    bricks = one_brick(log_depth=2.0, rgb=(1, 1, 1), look=replace(WHOLE, behind=(0.1, 0.2, 0.3)))
    seen = render_bricks(bricks, *ray(origin, direction))[0]
    torch.testing.assert_close(seen, torch.tensor([0.1, 0.2, 0.3, leaves, leaves, 0.0]))


def test_no_rays_give_no_picture():
    assert render_bricks(random_bricks(0), torch.zeros(0, 3), torch.zeros(0, 3)).shape == (0, 6)


def test_no_bricks_at_all_are_nothing():
    bricks = random_bricks(0, share=0.0)
    rays = random_rays(0, 60, bricks)
    assert len(bricks.places) == 0
    assert render_bricks(bricks, *rays)[:, 5].abs().max() == 0


def _distance_to(solid, ends):
    """Return the Chebyshev distance of each place of a cube to the next ``solid`` or end."""
    n = len(solid)
    wanted = np.argwhere(np.pad(solid | ends, 1, constant_values=True)) - 1
    places = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    best = [np.abs(wanted - place).max(axis=1).min() for place in places]
    return np.array(best).reshape(solid.shape)


def _inner(level, n):
    """Return the part of a level that belongs to the finer ones."""
    inner = np.zeros((n,) * 3, dtype=bool)
    if level > 0:
        inner[(slice(n // 4, n - n // 4),) * 3] = True
    return inner


def test_the_index_knows_how_far_it_is_to_a_brick_or_to_where_a_level_ends():
    bricks = random_bricks(10, levels=2, cells=64, share=0.02)
    index = bricks.index.reshape(2, 8, 8, 8)
    for level in range(2):
        solid = np.zeros((8, 8, 8), dtype=bool)
        for number, (_, z, y, x) in enumerate(bricks.places):
            if bricks.places[number, 0] == level:
                assert index[level, z, y, x] == number
                solid[z, y, x] = True
        distance = np.maximum(_distance_to(solid, _inner(level, 8)), 1)
        np.testing.assert_array_equal(-index[level][~solid], distance[~solid])


@pytest.mark.parametrize("matter", [0.3, 0.003])
def test_hops_know_how_far_it_is_to_matter_or_to_where_a_level_ends(matter):
    bricks = random_bricks(11, levels=2, cells=32, share=0.3, matter=matter)
    for level in range(2):
        solid = np.zeros((32, 32, 32), dtype=bool)
        for place, cells in zip(bricks.places, bricks.occupied, strict=True):
            if place[0] == level:
                part = tuple(slice(BRICK * at, BRICK * at + BRICK) for at in place[1:])
                solid[part] = cells.reshape(BRICK, BRICK, BRICK)
        distance = np.minimum(_distance_to(solid, _inner(level, 32)), BRICK)
        for place, hops in zip(bricks.places, bricks.hops, strict=True):
            if place[0] == level:
                part = tuple(slice(BRICK * at, BRICK * at + BRICK) for at in place[1:])
                np.testing.assert_array_equal(hops.reshape(BRICK, BRICK, BRICK), distance[part])


def test_cells_grow_by_one_within_their_level_only():
    bricks = random_bricks(12, levels=2, matter=0.003)
    along = bricks.space.bricks_along
    wide = grown(bricks.occupied, bricks.places, bricks.index, along)
    for level in range(2):
        solid, big = np.zeros((2, 32, 32, 32), dtype=bool)
        there = np.zeros((32, 32, 32), dtype=bool)
        for i, place in enumerate(bricks.places):
            if place[0] == level:
                part = tuple(slice(BRICK * at, BRICK * at + BRICK) for at in place[1:])
                solid[part], big[part] = (
                    a[i].reshape((BRICK,) * 3) for a in (bricks.occupied, wide)
                )
                there[part] = True
        padded, expected = np.pad(solid, 1), np.zeros_like(solid)
        for shift in np.ndindex(3, 3, 3):
            expected |= padded[tuple(slice(s, s + 32) for s in shift)]
        np.testing.assert_array_equal(big, expected & there)


def test_neighbours_agree_about_the_face_between_them():
    bricks = random_bricks(13, share=0.8)
    number = {tuple(place): i for i, place in enumerate(bricks.places.tolist())}
    shape, compared = (9, 9, 9), 0
    for (level, z, y, x), i in number.items():
        for axis, other in enumerate([(z + 1, y, x), (z, y + 1, x), (z, y, x + 1)]):
            j = number.get((level, *other))
            if j is not None:
                compared += 1
                for values in (bricks.density, bricks.colour):
                    near, far = (values[k].reshape(shape) for k in (i, j))
                    np.testing.assert_array_equal(near.take(8, axis), far.take(0, axis))
    assert compared > 100


def test_a_picture_has_no_seam_where_bricks_meet():
    # Rays that pass a face at grazing distance on either side of it see nearly the same.
    bricks = random_bricks(14, levels=1, share=1.0, matter=1.1, look=WHOLE)
    y, z = np.meshgrid([-0.5, 0.0, 0.5], np.linspace(-0.9, 0.9, 40))
    directions = torch.tensor([[1.0, 0.0, 0.0]]).expand(y.size, 3).contiguous()
    seen = []
    for side in (-1e-5, 1e-5):
        origins = np.stack([np.full(y.size, -0.97), y.ravel() + side, z.ravel()], axis=1)
        seen.append(render_bricks(bricks, torch.from_numpy(origins.astype("f")), directions))
    torch.testing.assert_close(*seen, atol=2e-3, rtol=0)
