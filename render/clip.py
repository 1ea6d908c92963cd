"""A clip: stereo video with the ground truth and the trajectory that belong to it."""

from dataclasses import dataclass

from torch import Tensor

from .key import ClipKey
from .trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One rendered clip.

    Eye 0 is left; mono clips have one eye.
    """

    key: ClipKey
    video: Tensor
    """uint8 ``[eye, time, channel, height, width]``."""
    depth: Tensor | None
    """float32 z-depth ``[eye, time, height, width]`` in world units, or None."""
    trajectory: Trajectory
    caption: str = ""
    attempts: int = 1
    """How many trajectories were planned until one kept clear of everything."""

    def __repr__(self) -> str:
        """Name the clip and its shapes."""
        depth = None if self.depth is None else tuple(self.depth.shape)
        return f"Clip({self.key}, video={tuple(self.video.shape)}, depth={depth})"
