"""Where the head and the eyes are at every frame of a clip."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """Time-stamped poses of a head and its eyes; float64 throughout, replayable exactly.

    Head and eyes have OpenCV axes: +x right, +y down, +z forward. The head's origin is the point
    midway between the eyes.
    """

    time_s: np.ndarray
    """``[time]``, seconds from the start of the clip."""
    world_from_head: np.ndarray
    """``[time, 4, 4]``."""
    world_from_eye: np.ndarray
    """``[eye, time, 4, 4]``; eye 0 is left."""
    gaze_target: np.ndarray
    """``[time, 3]``, world point that is looked at."""
    fixation_id: np.ndarray
    """int64 ``[time]``: which fixation a frame belongs to."""
    saccade: np.ndarray
    """bool ``[time]``: the eyes are between two fixations."""
    blink: np.ndarray
    """bool ``[time]``: the lids are closed."""
    gait_phase_rad: np.ndarray
    """``[time]``: phase of the stride, 0 at a left heel strike; constant while standing."""

    @property
    def eyes(self) -> int:
        """Number of eyes."""
        return self.world_from_eye.shape[0]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.time_s.shape[0]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return every array under its name, ready for ``np.savez``."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Return the trajectory that ``to_arrays`` described."""
        missing = [f.name for f in fields(cls) if f.name not in arrays]
        if missing:
            raise ValueError(f"expected a trajectory, missing {missing}, found {sorted(arrays)}")
        return cls(**{f.name: np.asarray(arrays[f.name]) for f in fields(cls)})
