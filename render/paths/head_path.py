"""A head's way through a scene: poses in the world at some times, a smooth course in between."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self, get_args

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline

from ..rigid import transform

PathGaze = Literal["ahead", "observer"]
LEAST_POSES = 2
SLACK_S = 1e-6
"""A clip may end that much after the path does: times are sums of rounded numbers."""


@dataclass(frozen=True, kw_only=True)
class HeadPath:
    """Poses of a head in the world, as plain text that a plan can hold and hash."""

    poses: tuple[str, ...]
    """Lines ``time x y z qx qy qz qw`` as in TUM's files: seconds from the start of the path,
    position in world units, and the rotation from OpenCV axes to the world. Every number is
    written so that it is read back to the bit."""
    gaze: PathGaze = "ahead"
    """``ahead``: the eyes look where the head points; ``observer``: they look around as the
    observer's do, while the head keeps to the path."""

    def __post_init__(self) -> None:
        """Refuse what is no path."""
        if self.gaze not in get_args(PathGaze):
            raise ValueError(f"expected the gaze ahead or observer, got {self.gaze!r}")
        if len(self.poses) < LEAST_POSES:
            raise ValueError(f"expected at least {LEAST_POSES} poses, got {len(self.poses)}")
        if any(len(line.split()) != 8 for line in self.poses):
            raise ValueError("expected poses of eight numbers: time, position and quaternion")
        if not np.all(np.isfinite(self._numbers)) or np.any(np.diff(self.time_s) <= 0):
            raise ValueError("expected finite poses at ascending times")

    @classmethod
    def of(
        cls, time_s: np.ndarray, world_from_head: np.ndarray, *, gaze: PathGaze = "ahead"
    ) -> Self:
        """Return the path through poses ``[n, 4, 4]`` at times ``[n]``, which start from 0 here."""
        turn = Rotation.from_matrix(world_from_head[:, :3, :3]).as_quat(canonical=True)
        start = time_s - time_s[:1]
        rows = np.concatenate([start[:, None], world_from_head[:, :3, 3], turn], axis=1)
        return cls(poses=tuple(" ".join(map(repr, row)) for row in rows.tolist()), gaze=gaze)

    @property
    def time_s(self) -> np.ndarray:
        """Times ``[n]`` from the start of the path."""
        return self._numbers[:, 0]

    @property
    def duration_s(self) -> float:
        """Time from the first pose to the last."""
        return float(self.time_s[-1])

    def clips(self, *, frames: int, frame_rate_hz: float) -> int:
        """Return how many clips the path has room for, one after the other."""
        last_frame_s = (frames - 1) / frame_rate_hz
        room_s = self.duration_s + SLACK_S - last_frame_s
        return 0 if room_s < 0 else int(room_s * frame_rate_hz / frames) + 1

    def world_from_head(self, time_s: np.ndarray) -> np.ndarray:
        """Return poses ``[k, 4, 4]`` at times ``[k]`` within the path.

        Positions are on the cubic spline through the path's, rotations on the spline of continuous
        angular acceleration through the path's (scipy's ``RotationSpline``).
        """
        time_s = self._within(time_s)
        return transform(self._rotation(time_s).as_matrix(), self._position(time_s))

    def speed(self, time_s: np.ndarray) -> np.ndarray:
        """Return speeds ``[k]`` in world units per second."""
        return np.linalg.norm(self._position(self._within(time_s), 1), axis=1)

    def _within(self, time_s: np.ndarray) -> np.ndarray:
        time_s = np.asarray(time_s, dtype=np.float64)
        if np.any(time_s < 0) or np.any(time_s > self.duration_s + SLACK_S):
            raise ValueError(
                f"expected times from 0 to {self.duration_s} s, got {time_s.min()} to "
                f"{time_s.max()} s"
            )
        return np.minimum(time_s, self.duration_s)

    @cached_property
    def _numbers(self) -> np.ndarray:
        return np.array([[float(number) for number in line.split()] for line in self.poses])

    @cached_property
    def _position(self) -> CubicSpline:
        return CubicSpline(self.time_s, self._numbers[:, 1:4])

    @cached_property
    def _rotation(self) -> RotationSpline:
        return RotationSpline(self.time_s, Rotation.from_quat(self._numbers[:, 4:]))
