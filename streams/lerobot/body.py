"""What an observer does, as LeRobot's ``observation.state`` and ``action``: named float32 columns.

State: where the head is in the world, where the eyes are in the head, and what they look at.
Quaternions are unit, in the order w, x, y, z, and rotate from the inner frame (head, eye) to the
outer one (world, head); from frame to frame their sign does not jump.

Action: the motion from a frame to the next one, in a second. ``head_velocity`` is the next head's
origin seen from this head, ``head_rotation`` the rotation vector from this head's axes to the
next's, and each eye's rotation is the same for the eye in the head. So the next pose is
``world_from_head @ head_from_next``. The last frame of an episode has no next one and repeats the
action before; a single frame does nothing.
"""

import numpy as np

from ...render.motion.trajectory import Trajectory
from ...render.rigid import apply, inverse
from ..truth_members import EYES

QUATERNION = ("qw", "qx", "qy", "qz")
AXES = "xyz"


def length_unit(*, metric: bool) -> str:
    """Return the unit of lengths in names of columns: ``m``, or ``units`` of an unknown scale."""
    return "m" if metric else "units"


def state_names(eyes: int, unit: str) -> list[str]:
    """Return the names of the columns of ``state_of``."""
    bodies = ("head", *(f"{eye}_eye" for eye in EYES[:eyes]))
    poses = [
        name
        for body in bodies
        for name in (*(f"{body}_{a}_{unit}" for a in AXES), *(f"{body}_{q}" for q in QUATERNION))
    ]
    gaze = [f"gaze_{axis}_{unit}" for axis in AXES]
    return [*poses, *gaze, "saccade", "blink", "gait_phase_rad"]


def state_of(trajectory: Trajectory) -> np.ndarray:
    """Return the state at each frame, float32 ``[time, column]``.

    The eyes' poses and the point that is looked at are in the head's frame.
    """
    head_from_world = inverse(trajectory.world_from_head)
    eyes = [head_from_world @ world_from_eye for world_from_eye in trajectory.world_from_eye]
    gaze = apply(head_from_world, trajectory.gaze_target)
    columns = [
        *(_position_and_quaternion(pose) for pose in (trajectory.world_from_head, *eyes)),
        gaze,
        trajectory.saccade[:, None],
        trajectory.blink[:, None],
        trajectory.gait_phase_rad[:, None],
    ]
    return np.concatenate(columns, axis=1, dtype=np.float32, casting="unsafe")


def action_names(eyes: int, unit: str) -> list[str]:
    """Return the names of the columns of ``action_of``."""
    turning = ("head", *(f"{eye}_eye" for eye in EYES[:eyes]))
    return [
        *(f"head_velocity_{axis}_{unit}_s" for axis in AXES),
        *(f"{body}_rotation_{axis}_rad_s" for body in turning for axis in AXES),
    ]


def action_of(trajectory: Trajectory, *, frame_rate_hz: float) -> np.ndarray:
    """Return the motion from each frame to the next, float32 ``[time, column]``."""
    heads = trajectory.world_from_head
    eyes = [inverse(heads) @ world_from_eye for world_from_eye in trajectory.world_from_eye]
    head_steps = inverse(heads[:-1]) @ heads[1:]
    steps = [
        head_steps[:, :3, 3],
        *(_rotation_vectors(inverse(pose[:-1]) @ pose[1:]) for pose in (heads, *eyes)),
    ]
    moving = np.concatenate(steps, axis=1) * frame_rate_hz
    last = moving[-1:] if len(moving) else np.zeros((1, moving.shape[1]))
    return np.concatenate([moving, last]).astype(np.float32)


def _position_and_quaternion(pose: np.ndarray) -> np.ndarray:
    """Return ``[time, 7]`` of transforms ``[time, 4, 4]``: x, y, z and w, x, y, z."""
    from scipy.spatial.transform import Rotation

    quaternion = np.roll(Rotation.from_matrix(pose[:, :3, :3]).as_quat(canonical=True), 1, axis=1)
    turned = (quaternion[1:] * quaternion[:-1]).sum(1) < 0
    quaternion[1:] *= np.where(np.cumsum(turned) % 2, -1.0, 1.0)[:, None]
    return np.concatenate([pose[:, :3, 3], quaternion], axis=1)


def _rotation_vectors(steps: np.ndarray) -> np.ndarray:
    """Return rotation vectors ``[n, 3]``, radians, of transforms ``[n, 4, 4]``."""
    from scipy.spatial.transform import Rotation

    if not len(steps):
        return np.zeros((0, 3))
    return Rotation.from_matrix(steps[:, :3, :3]).as_rotvec()
