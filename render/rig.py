"""Two eyes on one head: their poses from the head's place and the direction of gaze."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from . import steady
from .rigid import transform, unit
from .torsion import azimuth, fick_axes, listing_axes

RigMode = Literal["parallel", "converged", "converged+torsion"]


@dataclass(frozen=True, kw_only=True)
class Rig:
    """How many eyes there are, how far apart, and how they are turned."""

    interocular_m: float = 0.0
    """Distance between the two eyes' centres; not used by a single eye."""
    eyes: Literal[1, 2] = 2
    mode: RigMode = "parallel"
    """``parallel``: both eyes share the orientation of the gaze and are displaced along its own
    x axis, so every pair is rectified. ``converged``: the eyes are displaced along the head's x
    axis, and each is turned about its own centre until the target lies on its axis, in Fick's
    order without torsion in the head. ``converged+torsion``: the same with the torsion of Listing's
    law and its binocular extension."""
    listing_tilt: float = 0.0
    """Angle by which each eye's displacement plane turns outwards, as a share of vergence."""

    def __post_init__(self) -> None:
        """Refuse rigs whose pictures would not be a stereo pair."""
        if self.eyes not in (1, 2):
            raise ValueError(f"expected 1 or 2 eyes, got {self.eyes}")
        if self.mode not in get_args(RigMode):
            raise ValueError(f"expected the rig mode {get_args(RigMode)}, got {self.mode!r}")
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
        if self.mode == "parallel":
            aside = self.interocular_m / 2 * world_from_gaze_axes[:, :, 0]
            return np.stack([transform(world_from_gaze_axes, middle + k * aside) for k in (-1, 1)])
        return self._converged(world_from_head, target)

    def _converged(self, world_from_head: np.ndarray, target: np.ndarray) -> np.ndarray:
        head = world_from_head[:, :3, :3]
        aside = self.interocular_m / 2 * head[:, :, 0]
        centres = [world_from_head[:, :3, 3] + k * aside for k in (-1, 1)]
        head_from_world = np.swapaxes(head, 1, 2)
        ways = [steady.rotate(head_from_world, unit(target - centre)) for centre in centres]
        if self.mode == "converged":
            axes = [fick_axes(way) for way in ways]
        else:
            vergence = azimuth(ways[0]) - azimuth(ways[1])
            tilt = self.listing_tilt * vergence
            axes = [listing_axes(w, k * tilt) for w, k in zip(ways, (-1, 1), strict=True)]
        turned = [steady.product(head, eye) for eye in axes]
        return np.stack([transform(a, c) for a, c in zip(turned, centres, strict=True)])
