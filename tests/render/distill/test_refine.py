"""Halving cells must not change the picture by more than finer steps do."""

import numpy as np
import pytest
from merkwelt.render.distill.finish import finished
from merkwelt.render.distill.refine import refined
from merkwelt.render.distill.student import Student
from merkwelt.scenes.bricks import BrickSpace

from .test_student import lesson, student


def _all_seen(made):
    made.seen_weight[:] = 1.0
    return made


def test_numbers_at_new_vertices_are_interpolated():
    made = _all_seen(student(2, levels=2, tilted=True))
    where = made.vertices[:, 1:].astype(np.float64)
    linear = where @ [0.01, 0.02, -0.03]
    made.log_depth[:, 0], made.colour[:] = linear - 1, np.stack([linear] * 3, axis=1)
    made.tilt[:] = np.stack([linear, 2 * linear, -linear], axis=1)
    fine = refined(made, 0.5)
    wanted = fine.vertices[:, 1:] / 2 @ [0.01, 0.02, -0.03]
    # A linear function is met exactly; half a cell has half of the depth.
    np.testing.assert_allclose(fine.log_depth[:, 0], wanted - 1 - np.log(2), atol=1e-5)
    np.testing.assert_allclose(fine.colour, np.stack([wanted] * 3, axis=1), atol=1e-5)
    np.testing.assert_allclose(fine.tilt, np.outer(wanted, [1, 2, -1]), atol=1e-5)
    assert fine.space.cells == 2 * made.space.cells


def test_old_cells_are_divided_and_grown_by_one():
    space = BrickSpace(centre=(0.0, 0.0, 0.0), half_edge=1.0, cells=32, levels=1)
    occupied = np.zeros((1, 512), dtype=bool)
    occupied[0, (3 << 6) | (3 << 3) | 3] = True
    made = _all_seen(Student(space, np.array([[0, 1, 2, 3]], "i"), occupied, 1.0))
    fine = refined(made, 0.5)
    assert fine.places.tolist() == [[0, 2, 4, 6]]
    cells = fine.occupied.reshape(8, 8, 8)
    # Cell 3 becomes cells 6 and 7; one more on the side that stays in the brick.
    assert cells[5:8, 5:8, 5:8].all()
    assert cells.sum() == 27


def test_cells_that_nobody_saw_are_left_out():
    made = student(4, levels=1)
    made.seen_weight[:] = 0
    made.seen_weight[0] = 1.0
    fine = refined(made, 0.5)
    assert 1 <= len(fine.places) <= 8
    assert (fine.places[:, 1:] // 2 == made.places[0, 1:]).all()


def test_the_picture_stays():
    made = _all_seen(student(6, levels=2))
    made.occupied[:] = True
    made = _all_seen(Student(made.space, made.places, made.occupied, 0.2))
    rng = np.random.default_rng(0)
    phase = made.vertices[:, 1:] * 0.4
    made.log_depth[:, 0] = -3 + np.sin(phase).sum(axis=1)
    made.colour[:] = 0.5 + 0.4 * np.sin(phase + rng.random(3))
    rays = lesson(300)
    before = made.look(rays).copy()
    after = refined(made, 0.5).look(rays)
    assert before[:, 4].std() > 0.1
    # Both integrate the same function of space, with steps of a fifth and of a tenth of a cell.
    assert np.abs(before[:, :3] - after[:, :3]).mean() < 0.01


@pytest.mark.parametrize("tilted", [False, True])
def test_what_is_stored_looks_like_what_was_learned(tilted):
    import torch
    from merkwelt.render.bricks.kernel import render_bricks

    made = _all_seen(student(7, levels=2, tilted=tilted))
    if tilted:
        # The sum of colour and tilt stays in [0, 1], which only what is stored is clipped to.
        made.colour[:] = 0.3 + 0.4 * made.colour
        made.tilt *= 0.3
    bricks = finished(made, 0.5, "")
    assert (bricks.tilt is not None) == tilted
    rays = lesson(400)
    seen = made.look(rays)
    origins = torch.from_numpy(bricks.space.grid_from_world(rays.origins.astype(np.float64)))
    stored = render_bricks(bricks, origins, torch.from_numpy(rays.directions)).numpy()
    # Bytes of density are 5 % apart; samples below 0.002 are passed over.
    assert np.abs(stored[:, :3] - seen[:, :3]).mean() < 4e-3
    assert np.abs(stored[:, :3] - seen[:, :3]).max() < 0.04
    made.seen_weight[:] = 0
    made.seen_weight[3] = 1
    assert len(finished(made, 0.5, "").places) < len(bricks.places)
