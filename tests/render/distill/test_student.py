"""What is learned, and how: against torch's own gradients and optimiser."""

from dataclasses import replace

import numba
import numpy as np
import pytest
import torch
from merkwelt.render.distill import student_loops as loops
from merkwelt.render.distill.student import DENSITY_RATE, Student, shared_vertices
from merkwelt.render.distill.teacher import Lesson
from merkwelt.scenes.bricks import BrickSpace
from merkwelt.scenes.bricks.bricks import corner_of

COMPACT, OPAQUE = 0.3, 0.7


def student(seed=0, *, levels=2, share=0.6, tilted=False):
    rng = np.random.default_rng(seed)
    space = BrickSpace(centre=(0.1, 0.2, 0.3), half_edge=2.0, cells=32, levels=levels)
    along = space.bricks_along
    places = np.argwhere(rng.random((levels, along, along, along)) < share).astype(np.int32)
    quarter = along // 4
    inner = ((places[:, 1:] >= quarter) & (places[:, 1:] < along - quarter)).all(axis=1)
    places = places[(places[:, 0] == 0) | ~inner]
    occupied = rng.random((len(places), 512)) < 0.5
    made = Student(space, places, occupied, 0.8, tilted=tilted)
    made.log_depth[:, 0] = rng.normal(-2.5, 1.0, len(made.log_depth))
    made.colour[:] = rng.random(made.colour.shape)
    made.behind[:] = (0.2, 0.5, 0.9)
    if made.tilt is not None:
        made.tilt[:] = rng.uniform(-0.5, 0.5, made.tilt.shape)
    return made


def lesson(count, seed=1, *, known=True):
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    left = rng.random(count).astype(np.float32)
    left[::3] = np.nan if not known else left[::3]
    return Lesson(
        origins=rng.uniform(-1.5, 1.5, (count, 3)).astype(np.float32),
        directions=directions.astype(np.float32),
        colours=rng.random((count, 3)).astype(np.float32),
        light_left=left,
    )


def _reference_loss(made, lesson_, depth, colour, behind, tilt=None):
    """The loss in torch, over the places at which the compiled loops looked; all its own sums."""
    directions = torch.from_numpy(lesson_.directions.astype(np.float64))
    bricks, places, _, counts, *_ = made._record
    total = torch.zeros((), dtype=torch.float64)
    origins = made.space.grid_from_world(lesson_.origins.astype(np.float64)).astype(np.float64)
    for ray in range(len(lesson_)):
        light, rgb = torch.ones((), dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
        weights, nearness = [], []
        for i in range(counts[ray]):
            brick, cell = bricks[ray, i]
            share = places[ray, i].astype(np.float64)
            value, mixed = 0.0, torch.zeros(3, dtype=torch.float64)
            for c in range(8):
                part = np.prod([s if (c >> a) & 1 else 1 - s for a, s in enumerate(share)])
                v = made.vertex_of[brick, corner_of(cell, c)]
                value, mixed = value + part * depth[v, 0], mixed + part * colour[v]
                if tilt is not None:
                    mixed = mixed + part * (tilt[v] @ directions[ray])
            passed = light * torch.exp(-torch.exp(value) * 0.8)
            weights.append(light - passed)
            rgb = rgb + weights[-1] * mixed
            corner = made.places[brick, :0:-1] * 8 + [cell & 7, (cell >> 3) & 7, cell >> 6]
            size = 2.0 ** made.places[brick, 0]
            point = ((corner + share) / 16 - 1) * size
            t = np.linalg.norm(point - origins[ray])
            nearness.append(t / (1 + t))
            light = passed
        rgb = rgb + light * behind
        total = total + ((rgb - torch.from_numpy(lesson_.colours[ray])) ** 2).sum()
        if not np.isnan(lesson_.light_left[ray]):
            total = total + OPAQUE * (light - lesson_.light_left[ray]) ** 2
        for i, (a, s) in enumerate(zip(weights, nearness, strict=True)):
            for b, r in zip(weights[:i], nearness[:i], strict=True):
                total = total + COMPACT * 2 * a * b * abs(s - r)
    return total / len(lesson_)


@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize("known", [True, False])
def test_gradients_are_those_of_torch(known, tilted):
    made, rays = student(tilted=tilted), lesson(24, known=known)
    seen = made.look(rays, COMPACT, OPAQUE).copy()
    assert (seen[:, 5] > 0).mean() > 0.8
    learned = (made.log_depth, made.colour, made.behind, *made.values[2:])
    leaves = [torch.from_numpy(v.astype(np.float64)).requires_grad_() for v in learned]
    loss = _reference_loss(made, rays, *leaves)
    expected = torch.autograd.grad(loss, leaves)
    bricks, places, slopes, counts, _, sky, order = made._record
    turns = made.turns
    loops.sort_samples(counts, bricks, turns.rank, turns.starts, order)
    by_depth, by_colour = np.zeros(len(made.log_depth), "f"), np.zeros_like(made.colour)
    by_tilt = [np.zeros_like(tilt) for tilt in made.values[2:]]
    sums = (by_depth, by_colour, made._touched, made.seen_weight, *by_tilt)
    for parity in range(8):
        ranks = int(turns.bounds[parity]), int(turns.bounds[parity + 1])
        record = (bricks, places, slopes, rays.directions)
        loops.gather(order, turns.starts, turns.brick_at, ranks, record, made.vertex_of, sums)
    # Single precision, and colours of samples below a weight of 1e-4 are left out.
    pairs = [(by_depth, expected[0][:, 0]), (by_colour, expected[1])]
    for found, wanted in [*pairs, *zip(by_tilt, expected[3:], strict=True)]:
        np.testing.assert_allclose(found, wanted, atol=2e-5 * float(wanted.abs().max()) + 2e-6)
    np.testing.assert_allclose(sky.sum(axis=0), expected[2], rtol=1e-4)
    assert made._touched.sum() > 100
    assert made.seen_weight.max() == pytest.approx(slopes[..., 4].max())


def test_adam_is_that_of_torch():
    rng = np.random.default_rng(0)
    value = rng.normal(size=(50, 3)).astype(np.float32)
    touched = np.ones(50, dtype=np.uint8)
    parameter = torch.nn.Parameter(torch.from_numpy(value.copy()))
    optimiser = torch.optim.Adam([parameter], lr=0.03, betas=(0.9, 0.99), eps=1e-12)
    mean, square = np.zeros_like(value), np.zeros_like(value)
    for step in range(1, 6):
        slope = rng.normal(size=value.shape).astype(np.float32)
        parameter.grad = torch.from_numpy(slope.copy())
        optimiser.step()
        bounds = np.float32(0.03), np.float32(-9), np.float32(9)
        decay = np.float32(0.9), np.float32(0.99), np.float32(step)
        loops.adam(value, slope, mean, square, touched, bounds, decay)
        assert not slope.any()
    np.testing.assert_allclose(value, parameter.detach(), atol=1e-5)


def test_rows_that_were_not_touched_stay_and_bounds_hold():
    value = np.zeros((2, 1), dtype=np.float32)
    slope = np.full((2, 1), -1.0, dtype=np.float32)
    mean, square = np.zeros_like(value), np.zeros_like(value)
    touched = np.array([1, 0], dtype=np.uint8)
    bounds = np.float32(5), np.float32(-1), np.float32(1)
    decay = np.float32(0.9), np.float32(0.99), np.float32(1)
    loops.adam(value, slope, mean, square, touched, bounds, decay)
    assert value.ravel().tolist() == [1.0, 0.0]


@pytest.mark.parametrize("tilted", [False, True])
def test_learning_lowers_the_error_and_the_number_of_threads_changes_no_bit(tilted):
    results = []
    threads = numba.get_num_threads()
    for count in (threads, 1):
        numba.set_num_threads(count)
        try:
            made = student(3, tilted=tilted)
            errors = [made.learn(lesson(400), 1.0, compact=0.05, opaque=0.1) for _ in range(40)]
        finally:
            numba.set_num_threads(threads)
        results.append((*(value.copy() for value in made.values), errors))
    errors = results[0][-1]
    assert errors[-1] < 0.5 * errors[0]
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(results[0][0] - student(3).log_depth).max() > DENSITY_RATE


def test_brightness_that_changes_with_the_direction_is_learned():
    errors = {}
    for tilted in (False, True):
        made = student(3, tilted=tilted)
        for value in made.values[2:]:
            value[:] = 0
        for step in range(120):
            rays = lesson(400, step)
            more = rays.directions @ np.array([0.2, -0.1, 0.3], dtype="f")
            colours = (0.5 + more)[:, None].repeat(3, axis=1)
            error = made.learn(replace(rays, colours=colours), 1.0)
        errors[tilted] = error
    # What is behind everything has one colour for all directions.
    assert errors[True] < 0.6 * errors[False]


def test_neighbours_share_their_faces_vertices():
    space = BrickSpace(centre=(0.0, 0.0, 0.0), half_edge=1.0, cells=32, levels=1)
    places = np.array([[0, 1, 1, 1], [0, 1, 1, 2], [0, 3, 3, 3]], dtype=np.int32)
    vertex_of, vertices = shared_vertices(places, space)
    blocks = vertex_of.reshape(3, 9, 9, 9)
    np.testing.assert_array_equal(blocks[0, :, :, 8], blocks[1, :, :, 0])
    assert len(vertices) == 3 * 729 - 81
    assert vertices[blocks[2, 0, 4, 8]].tolist() == [0, 24, 28, 32]


def test_bricks_worked_on_at_once_share_no_vertices():
    made = student(5, levels=1)
    for parity in range(8):
        bricks = made.turns.brick_at[made.turns.bounds[parity] : made.turns.bounds[parity + 1]]
        used = made.vertex_of[bricks].ravel()
        assert len(np.unique(used)) == len(used)
    assert sorted(made.turns.brick_at) == list(range(len(made.places)))
