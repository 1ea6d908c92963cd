import math

import numpy as np
import pytest
from merkwelt.render.body.imu import (
    angular_velocity_rad_s,
    rotation_vectors,
    specific_force_m_s2,
)
from merkwelt.render.key import ClipKey
from merkwelt.render.motion.gait import head_motion
from merkwelt.render.motion.plan import plan_motion
from merkwelt.render.observer.presets import adult
from merkwelt.render.rigid import rotation_from_angles, transform
from moves import STEP_S, standing
from scipy.spatial.transform import Rotation

G = 9.81


@pytest.fixture(scope="module")
def walk(room, room_navigation):
    key = ClipKey(dataset_seed=0, scene="room", clip=3)
    return plan_motion(
        room, adult(), key, frames=60, frame_rate_hz=10.0, navigation=room_navigation
    )


def test_standing_upright_reads_gravity_along_head_up():
    heads = standing().course.world_from_head
    force = specific_force_m_s2(heads, STEP_S)
    np.testing.assert_allclose(force, np.tile([0, -G, 0], (len(heads), 1)), atol=1e-12)
    np.testing.assert_array_equal(angular_velocity_rad_s(heads, STEP_S), 0)


def test_a_tilted_head_reads_gravity_along_its_own_axes():
    nose_up = specific_force_m_s2(standing(pitch=0.4).course.world_from_head, STEP_S)[5]
    np.testing.assert_allclose(nose_up, [0, -G * math.cos(0.4), G * math.sin(0.4)], atol=1e-12)
    right_down = specific_force_m_s2(standing(roll=0.4).course.world_from_head, STEP_S)[5]
    np.testing.assert_allclose(right_down, [-G * math.sin(0.4), -G * math.cos(0.4), 0], atol=1e-12)
    assert np.linalg.norm(nose_up) == pytest.approx(G)


@pytest.mark.parametrize(
    ("angles", "axis"),
    [
        ([1, 0, 0], [0, -1, 0]),  # to the left: about the axis that points up
        ([0, 1, 0], [1, 0, 0]),  # upwards: about the right ear's axis
        ([0, 0, 1], [0, 0, 1]),  # right side down: about the nose's axis
    ],
)
def test_turns_are_about_the_axes_of_the_right_hand(angles, axis):
    yaw, pitch, roll = np.outer(angles, 0.7 * STEP_S * np.arange(50))
    heads = transform(rotation_from_angles(yaw, pitch, roll), np.zeros((50, 3)))
    turn = angular_velocity_rad_s(heads, STEP_S)
    np.testing.assert_allclose(turn, np.tile(np.multiply(axis, 0.7), (50, 1)), atol=1e-12)


def test_rotation_vectors_are_scipys():
    rng = np.random.default_rng(0)
    axis = rng.normal(size=(200, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.concatenate([np.geomspace(1e-12, 1e-3, 100), rng.uniform(0, 3.1, 100)])
    vectors = axis * angle[:, None]
    found = rotation_vectors(Rotation.from_rotvec(vectors).as_matrix())
    np.testing.assert_allclose(found, vectors, rtol=1e-9, atol=1e-15)


def test_a_circle_at_steady_speed_has_v_squared_over_r_towards_its_middle():
    speed, radius = 1.3, 0.8
    angle = speed / radius * STEP_S * np.arange(400)
    position = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle + 1.6], axis=1)
    # The nose along the circle, anticlockwise: the middle is to the left.
    heads = transform(rotation_from_angles(angle + math.pi / 2), position)
    force = specific_force_m_s2(heads, STEP_S)[1:-1]
    expected = np.tile([-(speed**2) / radius, -G, 0], (len(force), 1))
    np.testing.assert_allclose(force, expected, atol=2e-5)
    assert angular_velocity_rad_s(heads, STEP_S)[7, 1] == pytest.approx(-speed / radius)


def test_integrated_turns_are_the_heads_rotation(walk):
    heads, step_s = walk.course.world_from_head, walk.step_s
    turn = angular_velocity_rad_s(heads, step_s)
    now = Rotation.from_matrix(heads[0, :3, :3])
    for between in (turn[1:] + turn[:-1]) / 2:
        now = now * Rotation.from_rotvec(between * step_s)
    turned = Rotation.from_matrix(heads[0, :3, :3]).inv() * now
    assert math.degrees(turned.magnitude()) > 5
    error = now.inv() * Rotation.from_matrix(heads[-1, :3, :3])
    assert math.degrees(error.magnitude()) < 0.1


def test_twice_integrated_force_is_the_heads_path(walk):
    heads, step_s = walk.course.world_from_head, walk.step_s
    force = specific_force_m_s2(heads, step_s)
    acceleration = np.einsum("nij,nj->ni", heads[:, :3, :3], force) - [0, 0, G]
    position = heads[:, :3, 3]
    velocity = (position[1] - position[0]) / step_s
    place = position[1].copy()
    for instant in range(1, len(heads) - 1):
        velocity = velocity + acceleration[instant] * step_s
        place = place + velocity * step_s
    assert np.linalg.norm(place - position[0]) > 0.5
    assert np.linalg.norm(place - position[-1]) < 1e-3


def test_walking_straight_on_reads_the_cited_peaks():
    """0.37 g up and 0.1 g sideways at 1.67 m/s; the head's pitch and roll tilt gravity a little."""
    n = 2000
    gait = head_motion(
        adult().gait,
        speed_m_s=np.full(n, 1.67),
        turn_rad_s=np.zeros(n),
        step_s=STEP_S,
        rng=np.random.default_rng(0),
    )
    ahead = 1.67 * STEP_S * np.arange(n)
    position = np.stack([ahead, -gait.right_m, 1.6 + gait.up_m], axis=1)
    axes = rotation_from_angles(gait.yaw_rad, gait.pitch_rad, gait.roll_rad)
    force = specific_force_m_s2(transform(axes, position), STEP_S)
    up_g = -force[:, 1] / G - 1
    assert up_g.max() == pytest.approx(0.37, abs=0.01)
    assert up_g.min() == pytest.approx(-0.37, abs=0.01)
    assert np.abs(force[:, 0]).max() / G == pytest.approx(0.1, abs=0.03)
    rate = np.fft.rfftfreq(n, STEP_S)[np.abs(np.fft.rfft(up_g)).argmax()]
    assert rate == pytest.approx(2.0)
