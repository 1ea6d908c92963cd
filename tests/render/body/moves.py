"""Motions whose signals are known."""

import numpy as np
from merkwelt.render.motion.motion import ACTIVITIES, Motion
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.render.rigid import rotation_from_angles, transform

STEP_S = 0.005


def motion_of(
    position,
    axes,
    *,
    heading_rad=None,
    eye_axes=None,
    activity="standing",
    speed=None,
    phase_rad=None,
    frame_every=20,
):
    """A motion at 200 Hz; eyes look where the head does unless told otherwise."""
    n = len(position)
    heads = transform(axes, position)
    eye = heads if eye_axes is None else transform(eye_axes, position)
    zeros = np.zeros(n)
    return Motion(
        course=Trajectory(
            time_s=STEP_S * np.arange(n),
            world_from_head=heads,
            world_from_eye=np.stack([eye, eye]),
            gaze_target=np.zeros((n, 3)),
            fixation_id=np.zeros(n, np.int64),
            saccade=zeros.astype(bool),
            blink=zeros.astype(bool),
            gait_phase_rad=zeros if phase_rad is None else phase_rad,
        ),
        heading_rad=zeros if heading_rad is None else heading_rad,
        speed=zeros if speed is None else speed,
        activity=np.full(n, ACTIVITIES.index(activity), np.int8),
        frame_every=frame_every,
    )


def standing(n=401, *, yaw=0.3, pitch=0.0, roll=0.0):
    axes = np.tile(rotation_from_angles(yaw, pitch, roll), (n, 1, 1))
    return motion_of(np.tile([1.0, 2.0, 1.6], (n, 1)), axes)
