"""Where the eyes are while the shutter is open."""

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from ..motion.motion import Motion
from ..rigid import transform
from .settings import OpticsSettings


def open_times(motion: Motion, settings: OpticsSettings) -> np.ndarray:
    """Return the times ``[frame, sub]`` of the pictures that are averaged to each frame.

    The shutter is open around a frame's instant, for a share of the time between frames; each
    picture stands for an equal part of that. At the ends of a clip, before and after which there is
    no motion, the whole of it is moved into the clip. Without a shutter there is one picture.
    """
    course, every = motion.course, motion.frame_every
    time_s = course.time_s[::every]
    if settings.shutter == 0:
        return time_s[:, None]
    length_s = settings.shutter * every * motion.step_s
    start_s = np.clip(time_s - length_s / 2, 0.0, course.time_s[-1] - length_s)
    parts = (np.arange(settings.sub_frames) + 0.5) / settings.sub_frames
    return start_s[:, None] + length_s * parts


def eyes_at(motion: Motion, time_s: np.ndarray) -> np.ndarray:
    """Return the poses of the eyes ``[eye, ..., 4, 4]`` at times ``[...]`` within the clip.

    Between two instants places are interpolated linearly, orientations along the shortest turn.
    """
    instants = motion.course.time_s
    flat = np.clip(time_s.ravel(), instants[0], instants[-1])
    if len(instants) == 1:
        poses = np.repeat(motion.course.world_from_eye, len(flat), axis=1)
        return poses.reshape(-1, *time_s.shape, 4, 4)
    eyes = [_interpolated(eye, instants, flat) for eye in motion.course.world_from_eye]
    return np.stack(eyes).reshape(-1, *time_s.shape, 4, 4)


def openness(motion: Motion, time_s: np.ndarray) -> np.ndarray:
    """Return the share ``[frame]`` of the pictures at times ``[frame, sub]`` with open lids."""
    instants = motion.course.time_s
    nearest = np.rint(time_s / motion.step_s).astype(int) if motion.step_s else 0 * time_s
    blink = motion.course.blink[np.clip(nearest, 0, len(instants) - 1).astype(int)]
    return 1.0 - blink.mean(axis=1)


def _interpolated(poses: np.ndarray, instants: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    rotation = Slerp(instants, Rotation.from_matrix(poses[:, :3, :3]))(time_s).as_matrix()
    place = [np.interp(time_s, instants, poses[:, axis, 3]) for axis in range(3)]
    return transform(rotation, np.stack(place, axis=1))
