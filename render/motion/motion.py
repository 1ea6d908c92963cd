"""The motion of an observer at every instant, from which frames and body signals are taken."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from .trajectory import Trajectory

Activity = Literal[
    "standing", "walking", "crawling", "falling", "down", "rising", "carried", "sitting"
]
ACTIVITIES: tuple[Activity, ...] = get_args(Activity)
"""What a body does; ``Motion.activity`` holds positions in this list. Bodies that are moved by no
muscle of their own, along imported paths or as a camera on a dolly, are carried."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """What a head, its eyes and its body do, far more often than there are frames."""

    course: Trajectory
    """Poses at every instant ``[n]``, evenly spaced, of which some are frames."""
    heading_rad: np.ndarray
    """``[n]``: yaw of the body, counter-clockwise about world +z from +x, unwrapped."""
    speed: np.ndarray
    """``[n]``: speed over the ground without gait, world units per second."""
    activity: np.ndarray
    """int8 ``[n]``: positions in ``ACTIVITIES``."""
    frame_every: int
    """How many instants there are from one frame to the next."""

    @property
    def step_s(self) -> float:
        """Time from one instant to the next."""
        time_s = self.course.time_s
        return float(time_s[-1] / (len(time_s) - 1)) if len(time_s) > 1 else 0.0

    def frames(self) -> Trajectory:
        """Return the poses at the frames."""
        at = slice(None, None, self.frame_every)
        course = self.course
        arrays = {name: array[at] for name, array in course.to_arrays().items()}
        arrays["world_from_eye"] = course.world_from_eye[:, at]
        return replace(course, **arrays)
