import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from merkwelt.render.rigid import (
    angles_from_direction,
    apply,
    inverse,
    look_at,
    rotation_from_angles,
    transform,
    wrap_angle,
)

angle = st.floats(-1.4, 1.4)


def test_a_head_that_looks_along_x_has_y_on_its_left_and_z_above():
    right, down, forward = rotation_from_angles(0.0).T
    np.testing.assert_allclose(forward, [1, 0, 0], atol=1e-15)
    np.testing.assert_allclose(right, [0, -1, 0], atol=1e-15)
    np.testing.assert_allclose(down, [0, 0, -1], atol=1e-15)


def test_positive_roll_lowers_the_right_side_and_positive_pitch_raises_the_view():
    assert rotation_from_angles(0.3, 0.0, 0.1)[2, 0] < 0
    assert rotation_from_angles(0.3, 0.1)[2, 2] > 0


@given(yaw=st.floats(-3.1, 3.1), pitch=angle, roll=angle)
def test_rotations_are_rotations_and_angles_come_back(yaw, pitch, roll):
    rotation = rotation_from_angles(yaw, pitch, roll)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(angles_from_direction(rotation[:, 2]), [yaw, pitch], atol=1e-9)


@given(yaw=st.floats(-3.1, 3.1), pitch=angle, roll=angle)
def test_inverse_undoes_a_transform(yaw, pitch, roll):
    world_from_camera = transform(rotation_from_angles(yaw, pitch, roll), np.array([1.0, -2, 3]))
    np.testing.assert_allclose(
        inverse(world_from_camera) @ world_from_camera, np.eye(4), atol=1e-12
    )


def test_look_at_puts_the_target_on_the_axis_and_keeps_the_horizon_level():
    eye, target = np.array([1.0, 2, 1.6]), np.array([[3.0, -1, 0.2], [0, 5, 2.5]])
    world_from_camera = look_at(eye, target)
    seen = apply(inverse(world_from_camera), target)
    np.testing.assert_allclose(seen[:, :2], 0, atol=1e-12)
    np.testing.assert_allclose(seen[:, 2], np.linalg.norm(target - eye, axis=1))
    np.testing.assert_allclose(world_from_camera[:, 2, 0], 0, atol=1e-15)


def test_look_at_refuses_to_look_at_the_eye():
    with pytest.raises(ValueError, match="away from the eye"):
        look_at(np.ones(3), np.ones(3))


def test_wrapped_angles_lie_in_one_turn():
    wrapped = wrap_angle(np.linspace(-20, 20, 101))
    assert np.all((wrapped >= -np.pi) & (wrapped < np.pi))
    np.testing.assert_allclose(np.exp(1j * wrapped), np.exp(1j * np.linspace(-20, 20, 101)))
