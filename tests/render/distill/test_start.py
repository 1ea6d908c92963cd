"""Finding matter: against closed forms."""

import numpy as np
import pytest
from merkwelt.render.distill.count_loops import count
from merkwelt.render.distill.start import bricks_with_matter, first_guess, space_of
from merkwelt.render.distill.viewpoints import Vantages
from merkwelt.scenes.analytic import analytic_room

CELLS = 32


def _rays(number, seed=0):
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(number, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return rng.uniform(-0.9, 0.9, (number, 3)).astype("f"), directions.astype("f")


def test_in_even_fog_every_cell_absorbs_what_fog_of_its_size_does():
    origins, directions = _rays(60_000)
    density = 2.0
    edges = np.tile(np.linspace(0, 3, 121, dtype="f"), (len(origins), 1))
    through = np.exp(-density * edges)
    weights = (through[:, :-1] - through[:, 1:]).astype("f")
    absorbed = np.zeros(2 * CELLS**3, dtype="f")
    arrived = np.zeros_like(absorbed)
    count(origins, directions, edges, weights, CELLS, 2, absorbed, arrived)
    shares = (absorbed / np.maximum(arrived, 1e-9)).reshape(2, CELLS, CELLS, CELLS)
    # A cell's edge is 1/16 on the innermost level, 1/8 on the next; one edge of way absorbs this.
    for level, edge in ((0, 1 / 16), (1, 1 / 8)):
        full = arrived.reshape(shares.shape)[level] > 4
        assert full.sum() > 100
        assert shares[level][full].mean() == pytest.approx(density * edge, rel=0.12)
    assert absorbed.sum() <= weights.sum() + 1


def test_a_wall_is_found_where_it_stands():
    origins, directions = _rays(5000)
    directions[:, 0] = np.abs(directions[:, 0]) + 0.3
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    distance = (0.5 - origins[:, :1]) / directions[:, :1]
    seen = distance[:, 0] > 0.01
    edges = np.concatenate([0 * distance, distance, distance + 1e-3], axis=1)[seen].astype("f")
    weights = np.tile(np.array([[0.0, 1.0]], "f"), (seen.sum(), 1))
    absorbed = np.zeros(CELLS**3, dtype="f")
    arrived = np.zeros_like(absorbed)
    count(origins[seen], directions[seen], edges, weights, CELLS, 1, absorbed, arrived)
    planes = absorbed.reshape(CELLS, CELLS, CELLS).sum(axis=(0, 1))
    assert planes.argmax() == 24
    assert planes[24] == pytest.approx(absorbed.sum(), rel=0.02)
    share = (absorbed / np.maximum(arrived, 0.5)).clip(0, 0.99).reshape(1, CELLS, CELLS, CELLS)
    places, occupied = bricks_with_matter(share, 0.05)
    # The wall's own cells and one on each side of it.
    assert set(places[:, 3]) == {2, 3}
    x = np.arange(512) & 7
    assert set(x[occupied[places[:, 3] == 3].any(axis=0)]) == {0, 1}
    assert set(x[occupied[places[:, 3] == 2].any(axis=0)]) == {7}
    inside = np.array([[0, 16, 16, 24], [0, 16, 16, 4]])
    wall, air = np.exp(first_guess(share, inside))
    assert wall > 0.5
    assert air == pytest.approx(0.01)


def test_cubes_hold_the_room_and_what_is_seen_of_it():
    room = analytic_room()
    rng = np.random.default_rng(0)
    rays = Vantages.of(room).rays(3000, rng)
    space = space_of(room, rays, None, 4)
    assert (space.levels, space.cells) == (1, 192)
    corners = space.grid_from_world(np.array(room.card.bounds))
    assert 0.9 < np.abs(corners).max() < 1
