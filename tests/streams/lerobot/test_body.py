import numpy as np
import pytest
from export_data import RATE_HZ, walk
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.streams.lerobot.body import action_names, action_of, state_names, state_of
from scipy.spatial.transform import Rotation


@pytest.fixture
def trajectory():
    return walk(np.random.default_rng(0), frames=9)


def columns_of(names, rows, *wanted):
    return rows[:, [names.index(name) for name in wanted]].astype(np.float64)


def poses_of(names, rows, body):
    """Return the poses ``[time, 4, 4]`` that the columns of a body state."""
    pose = np.tile(np.eye(4), (len(rows), 1, 1))
    pose[:, :3, 3] = columns_of(names, rows, *(f"{body}_{axis}_m" for axis in "xyz"))
    quaternion = columns_of(names, rows, *(f"{body}_q{part}" for part in "xyzw"))
    pose[:, :3, :3] = Rotation.from_quat(quaternion).as_matrix()
    return pose


def test_poses_come_back_from_the_state(trajectory):
    names, rows = state_names(2, "m"), state_of(trajectory)
    head = poses_of(names, rows, "head")
    # float32 keeps seven digits of numbers of about one.
    np.testing.assert_allclose(head, trajectory.world_from_head, atol=1e-6)
    for eye, name in enumerate(("left_eye", "right_eye")):
        world_from_eye = head @ poses_of(names, rows, name)
        np.testing.assert_allclose(world_from_eye, trajectory.world_from_eye[eye], atol=2e-6)
    gaze = columns_of(names, rows, "gaze_x_m", "gaze_y_m", "gaze_z_m")
    target = np.einsum("tij,tj->ti", head[:, :3, :3], gaze) + head[:, :3, 3]
    np.testing.assert_allclose(target, trajectory.gaze_target, atol=2e-6)
    flags = columns_of(names, rows, "saccade", "blink")
    np.testing.assert_array_equal(flags.T, [trajectory.saccade, trajectory.blink])


def test_actions_lead_from_each_pose_to_the_next(trajectory):
    names, rows = action_names(2, "m"), action_of(trajectory, frame_rate_hz=RATE_HZ)
    heads = trajectory.world_from_head
    inside = [np.linalg.inv(heads) @ eye for eye in trajectory.world_from_eye]
    for body, poses in zip(("head", "left_eye", "right_eye"), (heads, *inside), strict=True):
        turn = columns_of(names, rows, *(f"{body}_rotation_{axis}_rad_s" for axis in "xyz"))
        steps = Rotation.from_rotvec(turn / RATE_HZ).as_matrix()
        np.testing.assert_allclose(poses[:-1, :3, :3] @ steps[:-1], poses[1:, :3, :3], atol=1e-6)
    moved = columns_of(names, rows, *(f"head_velocity_{axis}_m_s" for axis in "xyz")) / RATE_HZ
    forth = np.einsum("tij,tj->ti", heads[:-1, :3, :3], moved[:-1])
    np.testing.assert_allclose(heads[:-1, :3, 3] + forth, heads[1:, :3, 3], atol=1e-6)


def test_the_last_action_is_repeated_and_a_single_frame_does_nothing(trajectory):
    rows = action_of(trajectory, frame_rate_hz=RATE_HZ)
    np.testing.assert_array_equal(rows[-1], rows[-2])
    assert len(rows) == trajectory.frames
    single = walk(np.random.default_rng(1), frames=1)
    assert not action_of(single, frame_rate_hz=RATE_HZ).any()
    assert state_of(single).shape == (1, 27)


def test_forward_is_z_by_hand():
    # 0.2 m forward and 0.1 rad to the right (about y, which points down) in a tenth of a second.
    heads = np.tile(np.eye(4), (2, 1, 1))
    heads[1, 2, 3] = 0.2
    heads[1, :3, :3] = Rotation.from_rotvec([0, 0.1, 0]).as_matrix()
    still = Trajectory(
        time_s=np.array([0, 0.1]),
        world_from_head=heads,
        world_from_eye=heads[None],
        gaze_target=np.ones((2, 3)),
        fixation_id=np.zeros(2, int),
        saccade=np.zeros(2, bool),
        blink=np.zeros(2, bool),
        gait_phase_rad=np.zeros(2),
    )
    first = action_of(still, frame_rate_hz=10)[0]
    np.testing.assert_allclose(first, [0, 0, 2, 0, 1, 0, 0, 0, 0], atol=1e-6)


def test_quaternions_do_not_jump():
    angles = np.linspace(0, 4 * np.pi, 60)
    heads = np.tile(np.eye(4), (60, 1, 1))
    heads[:, :3, :3] = Rotation.from_rotvec(angles[:, None] * [0, 0, 1.0]).as_matrix()
    turning = walk(np.random.default_rng(0), frames=60)
    turning = Trajectory(**{**vars(turning), "world_from_head": heads})
    names, rows = state_names(2, "m"), state_of(turning)
    quaternions = columns_of(names, rows, "head_qw", "head_qx", "head_qy", "head_qz")
    assert np.abs(np.diff(quaternions, axis=0)).max() < 0.2
    # Two turns are one turn of the quaternion.
    np.testing.assert_allclose(quaternions[-1], quaternions[0], atol=1e-6)
