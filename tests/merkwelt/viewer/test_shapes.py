"""Shapes against what they are the shapes of."""

import math

import numpy as np
import pytest
from merkwelt.render.camera import PinholeCamera
from merkwelt.render.rigid import rotation_from_angles
from scipy.spatial.transform import Rotation

from merkwelt.viewer.contents import floor_bands
from merkwelt.viewer.shapes import (
    BOX_EDGES,
    bars,
    box_edges,
    floor_cells,
    frustum,
    frustum_corners,
    line,
    wxyz_of,
)


def _distance_to_segment(points, start, end):
    along = end - start
    share = np.clip((points - start) @ along / (along @ along), 0, 1)
    return np.linalg.norm(points - start - share[:, None] * along, axis=1)


def test_a_bar_lies_around_its_segment():
    start, end = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0])
    mesh = bars(start[None], end[None], 0.1)
    np.testing.assert_allclose(_distance_to_segment(mesh.vertices, start, end), 0.1, atol=1e-6)
    assert mesh.vertices[:, 2].min() == 3
    assert mesh.vertices[:, 2].max() == 5
    assert set(mesh.faces.ravel()) == set(range(len(mesh.vertices)))


def test_bars_without_length_are_left_out():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0]])
    assert len(line(points, 0.1).faces) == len(bars(points[[0, 1]], points[[1, 3]], 0.1).faces)
    assert line(points[[1, 2]], 0.1).is_empty


def test_a_box_has_twelve_edges_that_its_corners_bound(room):
    box = room.card.objects[0].box
    corners = box.corners_m()
    first, second = corners[np.asarray(BOX_EDGES)].transpose(1, 0, 2)
    lengths = np.sort(np.linalg.norm(first - second, axis=1))
    np.testing.assert_allclose(lengths, np.sort(np.repeat(box.size_m, 4)))
    assert box.contains(box_edges(corners, 0.01).vertices.astype(float), margin_m=0.0101).all()


def test_frustum_corners_are_the_pictures_corners():
    camera = PinholeCamera(width=40, height=30, fx=33.0, fy=31.0, cx=18.0, cy=16.0)
    corners = frustum_corners(camera, 2.5)
    np.testing.assert_allclose(corners[:, 2], 2.5)
    pixels = camera.project(corners)
    np.testing.assert_allclose(pixels, [[0, 0], [40, 0], [40, 30], [0, 30]], atol=1e-12)


def test_a_frustum_begins_at_the_eye_and_ends_at_its_corners():
    camera = PinholeCamera.from_hfov(math.radians(65), (8, 8))
    vertices = frustum(camera, 0.5, 1e-4).vertices
    for corner in [np.zeros(3), *frustum_corners(camera, 0.5)]:
        assert np.linalg.norm(vertices - corner, axis=1).min() < 2e-4


def test_the_floor_is_the_reachable_cells_and_nothing_else(navigation):
    ground = navigation.ground
    bands = floor_bands(ground, 0.02)
    assert len(bands) == 5
    drawn = np.zeros(ground.reachable.shape, dtype=int)
    for band in bands:
        corners = band.mesh.vertices.reshape(-1, 4, 3)
        assert np.all(corners[..., 2] == np.float32(0.02))
        cells = (corners[..., :2] - ground.origin_xy_m) / ground.cell_m + 0.5
        for low, high in zip(cells.min(axis=1).round(), cells.max(axis=1).round(), strict=True):
            (x0, y0), (x1, y1) = low.astype(int), high.astype(int)
            drawn[x0:x1, y0:y1] += 1
            within = ground.coverage[x0:x1, y0:y1]
            assert np.abs(within - band.coverage).max() <= 0.1 + 1e-9
    np.testing.assert_array_equal(drawn, ground.reachable.astype(int))


def test_nothing_chosen_is_no_floor(navigation):
    nowhere = np.zeros_like(navigation.ground.reachable)
    assert floor_cells(navigation.ground, nowhere, 0.0).is_empty


def test_quaternions_turn_as_matrices_do():
    rotations = rotation_from_angles(np.array([0.3, -2.0]), np.array([0.2, 0.9]), 0.1)
    w, x, y, z = wxyz_of(rotations).T
    again = Rotation.from_quat(np.stack([x, y, z, w], axis=1)).as_matrix()
    np.testing.assert_allclose(again, rotations, atol=1e-12)
    assert wxyz_of(np.eye(3)) == pytest.approx([1, 0, 0, 0])
