"""What a file of poses holds, whatever its format, and what is refused in one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from ..rigid import transform

PathFormat = Literal["nerfstudio", "tum", "kitti"]
UNIT_TOLERANCE = 1e-3
"""Files round to four decimals or more, which changes a unit length by less than this."""


class PathError(ValueError):
    """A file holds no path that can be followed; the message says where and why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PathPoses:
    """Camera poses over time, in the coordinates that the file has them in."""

    kind: PathFormat
    time_s: np.ndarray
    """``[n]``, ascending."""
    file_from_camera: np.ndarray
    """``[n, 4, 4]``, OpenCV axes (+x right, +y down, +z forward)."""

    def __len__(self) -> int:
        """Return how many poses there are."""
        return len(self.time_s)


def checked_rotation(matrix: np.ndarray, where: str) -> np.ndarray:
    """Return the rotation ``[3, 3]`` nearest to ``matrix``.

    Raises:
        PathError: it is scaled, sheared or a mirror image by more than rounding explains.
    """
    away = np.abs(matrix.T @ matrix - np.eye(3)).max()
    if away > UNIT_TOLERANCE or np.linalg.det(matrix) < 0:
        what = f"is off by {away:.3g}" if away > UNIT_TOLERANCE else "mirrors"
        raise PathError(
            f"{where}: expected a rotation (orthonormal, determinant 1), found a matrix that {what}"
        )
    return _orthonormal(matrix)


def checked_quaternion(xyzw: np.ndarray, where: str) -> np.ndarray:
    """Return the rotation ``[3, 3]`` of a quaternion ``[4]`` in the order x, y, z, w.

    Raises:
        PathError: its length is not 1.
    """
    length = float(np.linalg.norm(xyzw))
    if abs(length - 1) > UNIT_TOLERANCE:
        raise PathError(
            f"{where}: expected a quaternion qx qy qz qw of length 1, found length {length:.6g}"
        )
    return Rotation.from_quat(xyzw).as_matrix()


def checked_times(time_s: np.ndarray, where: list[str]) -> np.ndarray:
    """Return the times ``[n]``.

    Raises:
        PathError: one is not later than the one before.
    """
    late = np.flatnonzero(np.diff(time_s) <= 0)
    if len(late):
        at = int(late[0]) + 1
        same = time_s[at] == time_s[at - 1]
        raise PathError(
            f"{where[at]}: expected ascending times, found {float(time_s[at])!r} "
            f"{'twice' if same else f'after {float(time_s[at - 1])!r}'}"
        )
    return time_s


def stack_poses(rotations: list[np.ndarray], positions: list[np.ndarray]) -> np.ndarray:
    """Return the poses ``[n, 4, 4]`` with the given rotations and positions."""
    return transform(np.stack(rotations), np.stack(positions))


def _orthonormal(matrix: np.ndarray) -> np.ndarray:
    """Return the nearest rotation; one that is exact already stays as it is."""
    if np.abs(matrix.T @ matrix - np.eye(3)).max() < 1e-15:
        return matrix
    u, _, v = np.linalg.svd(matrix)
    return u @ v
