"""From the poses of a motion to the signals that statistics are taken from.

Nothing here reads an observer's card, nor the generator's own saccade flags, fixation ids or gait
phase: what is measured is where head and eyes are. Two things are taken from the motion as it tells
them: the direction in which the body heads, which is compared with where its head goes, and what
the body does (``ACTIVITIES``).
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ..motion.motion import Motion
from ..rigid import angles_from_direction, unit, wrap_angle

PATH_SMOOTHING_S = 0.4
"""Standard deviation of the Gaussian that parts the way of a body from the sway of its head: it
leaves 4 % of a sway at 1 Hz."""
LEAST_SPEED_M_S = 0.3
"""A body slower than this has no direction of travel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Signals:
    """Time series of one clip ``[n]``, evenly spaced; SI units, world frame, float64."""

    step_s: float
    head: np.ndarray
    """``[n, 3]``: point midway between the eyes."""
    axes: np.ndarray
    """``[n, 3, 3]``: world from head."""
    angles: np.ndarray
    """``[n, 3]``: yaw (unwrapped), pitch and roll of the head; roll with the right side down."""
    turn: np.ndarray
    """``[n, 3]``: angular velocity of the head in rad/s."""
    path_speed: np.ndarray
    """Horizontal speed of the head, without sway."""
    path_offset: np.ndarray
    """Direction in which the head travels from that in which the body heads, in [-pi, pi)."""
    path_heading: np.ndarray
    """Direction in which the body heads, unwrapped, as the motion tells."""
    is_moving: np.ndarray
    gaze: np.ndarray
    """``[n, 3]``: unit direction midway between the lines of sight of the eyes."""
    eyes: np.ndarray
    """``[n, eye, 3]``: centres of the eyes."""
    vergence_rad: np.ndarray
    """Angle between the lines of sight; 0 of a single eye and of parallel ones."""
    target: np.ndarray
    """``[n, 3]``: the point that is to be looked at."""
    blink: np.ndarray
    activity: np.ndarray

    @property
    def path_turn(self) -> np.ndarray:
        """Rate ``[n]`` at which the direction of travel changes, rad/s, to the left."""
        return np.gradient(self.path_heading, self.step_s)

    @property
    def gaze_in_head(self) -> np.ndarray:
        """Direction of gaze ``[n, 3]`` in head axes."""
        return np.einsum("nji,nj->ni", self.axes, self.gaze)

    @property
    def seconds(self) -> float:
        """How long the clip is."""
        return self.step_s * (len(self.head) - 1)


def signals_of(motion: Motion) -> Signals:
    """Return the signals of a motion of at least three instants.

    Raises:
        ValueError: it is shorter.
    """
    course = motion.course
    if len(course.time_s) < 3:
        raise ValueError(f"expected at least 3 instants of motion, got {len(course.time_s)}")
    head, axes = course.world_from_head[:, :3, 3], course.world_from_head[:, :3, :3]
    forward = course.world_from_eye[:, :, :3, 2]
    step_s = motion.step_s
    velocity = smoothed(np.gradient(head[:, :2], step_s, axis=0), step_s)
    speed = np.linalg.norm(velocity, axis=1)
    direction = np.arctan2(velocity[:, 1], velocity[:, 0])
    return Signals(
        step_s=step_s,
        head=head,
        axes=axes,
        angles=head_angles(axes),
        turn=angular_velocity(axes, step_s),
        path_speed=speed,
        path_offset=wrap_angle(direction - motion.heading_rad),
        path_heading=motion.heading_rad,
        is_moving=speed > LEAST_SPEED_M_S,
        gaze=unit(forward.mean(axis=0)),
        eyes=np.swapaxes(course.world_from_eye[:, :, :3, 3], 0, 1),
        vergence_rad=angle_between(forward[0], forward[-1]),
        target=course.gaze_target,
        blink=np.asarray(course.blink, dtype=bool),
        activity=np.asarray(motion.activity),
    )


def head_angles(axes: np.ndarray) -> np.ndarray:
    """Return yaw (unwrapped), pitch and roll ``[n, 3]`` of rotations ``[n, 3, 3]``."""
    yaw, pitch = angles_from_direction(axes[:, :, 2])
    level = np.stack([np.sin(yaw), -np.cos(yaw), np.zeros_like(yaw)], axis=1)
    down = np.cross(axes[:, :, 2], level)
    right = axes[:, :, 0]
    roll = np.arctan2(np.sum(right * down, axis=1), np.sum(right * level, axis=1))
    return np.stack([np.unwrap(yaw), pitch, roll], axis=1)


def angular_velocity(axes: np.ndarray, step_s: float) -> np.ndarray:
    """Return the angular velocity ``[n, 3]`` of rotations ``[n, 3, 3]``, world frame, rad/s.

    From the rotation between the neighbours of each instant, ``log(R(t + h) R(t - h)^T) / 2 h``.
    """
    n = len(axes)
    after, before = np.minimum(np.arange(n) + 1, n - 1), np.maximum(np.arange(n) - 1, 0)
    turned = axes[after] @ np.swapaxes(axes[before], -1, -2)
    return Rotation.from_matrix(turned).as_rotvec() / (step_s * (after - before))[:, None]


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the angle ``[...]`` between vectors ``[..., 3]``, exact for small ones, too."""
    aside = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.arctan2(aside, np.sum(a * b, axis=-1))


def runs(flags: np.ndarray) -> list[slice]:
    """Return the stretches in which flags ``[n]`` hold."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [slice(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def smoothed(values: np.ndarray, step_s: float, sigma_s: float = PATH_SMOOTHING_S) -> np.ndarray:
    """Return values ``[n, ...]`` through a Gaussian along the first axis."""
    return gaussian_filter1d(values, sigma_s / step_s, axis=0, mode="nearest")
