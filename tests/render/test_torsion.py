import math

import numpy as np
import pytest
from merkwelt.render.rig import Rig
from merkwelt.render.rigid import apply, inverse, look_at
from merkwelt.render.torsion import fick_axes, listing_axes
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation


def _direction(right_rad, up_rad):
    return np.array(
        [
            math.sin(right_rad) * math.cos(up_rad),
            -math.sin(up_rad),
            math.cos(right_rad) * math.cos(up_rad),
        ]
    )


@pytest.fixture
def directions():
    angles = np.random.default_rng(0).uniform(-0.7, 0.7, size=(200, 2))
    return np.array([_direction(*pair) for pair in angles])


def test_both_laws_look_where_they_should(directions):
    tilt = np.linspace(-0.1, 0.1, len(directions))
    for axes in (fick_axes(directions), listing_axes(directions, tilt)):
        assert_allclose(axes[:, :, 2], directions, atol=1e-14)
        assert_allclose(axes @ axes.transpose(0, 2, 1), np.tile(np.eye(3), (200, 1, 1)), atol=1e-14)
        assert_allclose(np.linalg.det(axes), 1, atol=1e-13)


@pytest.mark.parametrize("tilt", [0.0, 0.08, -0.15])
def test_turns_from_straight_ahead_lie_in_the_displacement_plane(directions, tilt):
    axes = listing_axes(directions, np.full(len(directions), tilt))
    turns = Rotation.from_matrix(axes).as_rotvec()
    normal = np.array([math.sin(tilt), 0, math.cos(tilt)])
    assert_allclose(turns @ normal, 0, atol=1e-12)


def test_listings_eyes_are_rolled_against_ficks_by_the_false_torsion():
    """In tertiary positions, ``tan(roll / 2) = tan(azimuth / 2) tan(elevation / 2)``."""
    for right, up in [(0.5, 0.4), (-0.3, 0.6), (0.4, -0.5), (0.6, 0.0), (0.0, 0.5)]:
        way = _direction(right, up)[None]
        fick, listing = fick_axes(way)[0], listing_axes(way, np.zeros(1))[0]
        between = fick.T @ listing
        roll = math.atan2(between[1, 0], between[0, 0])
        expected = 2 * math.atan(math.tan(right / 2) * math.tan(up / 2))
        assert roll == pytest.approx(-expected, abs=1e-12) or roll == pytest.approx(
            expected, abs=1e-12
        )
        assert (abs(roll) > 0.01) == (right != 0 and up != 0)


@pytest.mark.parametrize("mode", ["converged", "converged+torsion"])
def test_converging_eyes_have_their_target_at_the_centre(mode):
    rig = Rig(interocular_m=0.063, mode=mode, listing_tilt=0.25)
    heads = look_at(np.zeros((3, 3)), np.array([[1.0, 0, 0], [1, 0.2, 0], [1, 0, 0.1]]))
    target = np.array([[0.5, 0.1, -0.1], [1.0, -0.3, 0.2], [8.0, 2.0, 1.0]])
    eyes = rig.world_from_eye(heads, heads[:, :3, :3], target)
    for eye in eyes:
        seen = apply(inverse(eye), target)
        assert_allclose(seen[:, :2] / seen[:, 2:], 0, atol=1e-13)
    assert_allclose(np.linalg.norm(eyes[1, :, :3, 3] - eyes[0, :, :3, 3], axis=1), 0.063)


def test_the_binocular_extension_rolls_the_two_eyes_apart_when_looking_down_at_something_near():
    head = look_at(np.zeros((1, 3)), np.array([[1.0, 0, 0]]))
    near, far = np.array([[0.3, 0, -0.15]]), np.array([[300.0, 0, -150.0]])

    def rolls(target, tilt):
        rig = Rig(interocular_m=0.063, mode="converged+torsion", listing_tilt=tilt)
        eyes = rig.world_from_eye(head, head[:, :3, :3], target)[:, 0, :3, :3]
        return [math.atan2(eye[2, 0], eye[2, 1]) for eye in eyes]

    left, right = rolls(near, 0.25)
    plain_left, plain_right = rolls(near, 0.0)
    assert left - plain_left == pytest.approx(-(right - plain_right), abs=1e-12)
    assert abs(left - plain_left) > math.radians(0.3)
    assert_allclose(rolls(far, 0.25), rolls(far, 0.0), atol=1e-4)
