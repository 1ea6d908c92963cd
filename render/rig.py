"""Two eyes on one head: their poses from the head's place and the direction of gaze."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .rigid import transform, unit

RigMode = Literal["parallel", "converged"]


@dataclass(frozen=True, kw_only=True)
class Rig:
    """How many eyes there are, how far apart, and how they are turned."""

    interocular_m: float = 0.0
    """Distance between the two eyes' centres; not used by a single eye."""
    eyes: Literal[1, 2] = 2
    mode: RigMode = "parallel"
    """``parallel``: both eyes share the orientation of the gaze and are displaced along its own
    x axis, so every pair is rectified. ``converged``: the eyes are displaced along the head's x
    axis, and each is turned about its own centre until the target lies on its axis."""

    def __post_init__(self) -> None:
        """Refuse rigs whose pictures would not be a stereo pair."""
        if self.eyes not in (1, 2):
            raise ValueError(f"expected 1 or 2 eyes, got {self.eyes}")
        if self.mode not in ("parallel", "converged"):
            raise ValueError(f"expected the rig mode parallel or converged, got {self.mode!r}")
        if self.eyes == 2 and not self.interocular_m > 0:
            raise ValueError(
                f"expected a positive distance between two eyes, got {self.interocular_m}"
            )

    def world_from_eye(
        self, world_from_head: np.ndarray, world_from_gaze_axes: np.ndarray, target: np.ndarray
    ) -> np.ndarray:
        """Return eye poses ``[eye, time, 4, 4]``, left first.

        Args:
            world_from_head: ``[time, 4, 4]``; the origin is midway between the eyes.
            world_from_gaze_axes: rotations ``[time, 3, 3]`` of an eye at the head's origin.
            target: ``[time, 3]``, the world point that converging eyes turn to.
        """
        middle = world_from_head[:, :3, 3]
        if self.eyes == 1:
            return transform(world_from_gaze_axes, middle)[None]
        parallel = self.mode == "parallel"
        axis = (world_from_gaze_axes if parallel else world_from_head)[:, :3, 0]
        poses = []
        for side in (-0.5, 0.5):
            centre = middle + side * self.interocular_m * axis
            rotation = world_from_gaze_axes
            if not parallel:
                forward = world_from_gaze_axes[:, :, 2]
                rotation = _shortest_turn(forward, unit(target - centre)) @ rotation
            poses.append(transform(rotation, centre))
        return np.stack(poses)


def _shortest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return rotations ``[n, 3, 3]`` that turn unit vectors ``start`` into ``end`` ``[n, 3]``.

    Rodrigues' formula with the axis ``start x end``: ``I + K + K K / (1 + cos)``.
    """
    axis = np.cross(start, end)
    cos = np.sum(start * end, axis=-1)[:, None, None]
    skew = np.zeros((len(axis), 3, 3))
    skew[:, 0, 1], skew[:, 0, 2], skew[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    skew -= np.swapaxes(skew, -1, -2)
    return np.eye(3) + skew + skew @ skew / (1 + cos)
