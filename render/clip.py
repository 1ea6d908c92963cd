"""A clip: stereo video with the ground truth and the trajectory that belong to it."""

from dataclasses import dataclass, field

from torch import Tensor

from .body.signals import BodySignals
from .key import ClipKey
from .motion.trajectory import Trajectory
from .truth.quantities import Truth
from .words.description import Description


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One rendered clip.

    Eye 0 is left; mono clips have one eye.
    """

    key: ClipKey
    video: Tensor
    """uint8 ``[eye, time, channel, height, width]``."""
    depth: Tensor | None
    """float32 median z-depth ``[eye, time, height, width]`` in world units, or None."""
    trajectory: Trajectory
    caption: str = ""
    description: Description | None = None
    """The facts that the caption is made of; None in data sets from before there were any."""
    attempts: int = 1
    """How many trajectories were planned until one kept clear of everything."""
    truth: Truth = field(default_factory=Truth)
    """Flow, disparity, masks and whatever else was asked for."""
    signals: BodySignals | None = None
    """What the body feels and does, 200 times in a second or more, or None."""

    def __repr__(self) -> str:
        """Name the clip and its shapes."""
        depth = None if self.depth is None else tuple(self.depth.shape)
        more = "".join(f", {name}={tuple(t.shape)}" for name, t in self.truth.held().items())
        return f"Clip({self.key}, video={tuple(self.video.shape)}, depth={depth}{more})"
