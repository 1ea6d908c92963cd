"""How an observer moves between the frames of a clip, from the exact poses of its eyes."""

import numpy as np
import torch
from torch import Tensor

from ..render import steady
from ..render.rigid import turn_between


def self_motion(world_from_eye: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return translations and rotation vectors from each frame to the next, float32.

    What a picture moves with is the eye, not the head. So this is the motion of the cyclopean eye:
    midway between the eyes, with the mean of their axes. It does not change if the two eyes are
    exchanged.

    Args:
        world_from_eye: ``[eye, time, 4, 4]``; 1 or 2 eyes, OpenCV axes.

    Returns:
        ``[time - 1, 3]`` each, in the axes of the cyclopean eye at the first of the two frames: x
        right, y down, z forward. Translations are in the world's unit, rotations in radians. So a
        positive y of the rotation turns to the right, and a positive x upwards.
    """
    gaze, place = cyclopean_eye(world_from_eye)
    eye_from_world = np.swapaxes(gaze[:-1], -1, -2)
    translation = steady.rotate(eye_from_world, place[1:] - place[:-1])
    rotation = steady.rotate(eye_from_world, turn_between(gaze[:-1], gaze[1:]))
    return torch.from_numpy(translation).float(), torch.from_numpy(rotation).float()


def cyclopean_eye(world_from_eye: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the axes ``[time, 3, 3]`` and places ``[time, 3]`` of the eye between the eyes."""
    place = world_from_eye[..., :3, 3].mean(axis=0)
    axes = world_from_eye[..., :3, :3]
    return (axes[0] if len(axes) == 1 else _nearest_rotation(axes.sum(axis=0))), place


def _nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    """Return the rotations nearest to matrices ``[..., 3, 3]``.

    Of the sum of two rotations that is the one halfway on the shortest way from one to the other.
    """
    left, _, right = np.linalg.svd(matrices)
    sign = np.ones(matrices.shape[:-1])
    sign[..., 2] = np.sign(np.linalg.det(left @ right))
    return (left * sign[..., None, :]) @ right
