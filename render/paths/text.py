"""Paths in lines of numbers: TUM's trajectories and KITTI's odometry poses."""

import math
from typing import NamedTuple

import numpy as np

from .poses import (
    PathError,
    PathPoses,
    checked_quaternion,
    checked_rotation,
    checked_times,
    stack_poses,
)

KITTI_RATE_HZ = 10.0
"""Rate of KITTI's cameras (Geiger, Lenz and Urtasun 2012)."""
TUM_NUMBERS, KITTI_NUMBERS = 8, 12


class Row(NamedTuple):
    """One line of a file."""

    where: str
    numbers: np.ndarray


def read_text_path(text: str, name: str, rate_hz: float | None) -> PathPoses:
    """Return the poses of a text that has 8 (TUM) or 12 (KITTI) numbers in every line.

    Raises:
        PathError: the text is neither, or holds what cannot be followed; names the line.
    """
    rows = _rows(text, name)
    count = len(rows[0].numbers)
    for row in rows:
        if len(row.numbers) not in (TUM_NUMBERS, KITTI_NUMBERS):
            raise PathError(
                f"{row.where}: expected 8 numbers (TUM: time tx ty tz qx qy qz qw) or 12 (KITTI: "
                f"3x4 row by row), found {len(row.numbers)}"
            )
        if len(row.numbers) != count:
            raise PathError(
                f"{row.where}: expected {count} numbers as in the lines before, found "
                f"{len(row.numbers)}"
            )
    return _tum(rows, rate_hz) if count == TUM_NUMBERS else _kitti(rows, rate_hz)


def _rows(text: str, name: str) -> list[Row]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if words:
            where = f"{name}, line {number}"
            rows.append(Row(where, np.array([_number(word, where) for word in words])))
    if not rows:
        raise PathError(f"{name}: expected poses, found none")
    return rows


def _number(word: str, where: str) -> float:
    try:
        value = float(word)
    except ValueError:
        hint = "; expected spaces between numbers" if "," in word else ""
        raise PathError(f"{where}: expected a number, found {word[:40]!r}{hint}") from None
    if not math.isfinite(value):
        raise PathError(f"{where}: expected a finite number, found {word!r}")
    return value


def _tum(rows: list[Row], rate_hz: float | None) -> PathPoses:
    """Return camera-to-world poses as the TUM RGB-D benchmark writes them."""
    if rate_hz is not None:
        raise PathError(
            f"{rows[0].where}: the file gives its own times; leave out the rate of {rate_hz} Hz"
        )
    time_s = checked_times(np.array([row.numbers[0] for row in rows]), [r.where for r in rows])
    turns = [checked_quaternion(row.numbers[4:], row.where) for row in rows]
    places = [row.numbers[1:4] for row in rows]
    return PathPoses(kind="tum", time_s=time_s, file_from_camera=stack_poses(turns, places))


def _kitti(rows: list[Row], rate_hz: float | None) -> PathPoses:
    """Return poses of camera 0 in the frame of its first picture, as KITTI odometry has them."""
    matrices = [row.numbers.reshape(3, 4) for row in rows]
    turns = [checked_rotation(m[:, :3], r.where) for m, r in zip(matrices, rows, strict=True)]
    return PathPoses(
        kind="kitti",
        time_s=np.arange(len(rows)) / (KITTI_RATE_HZ if rate_hz is None else rate_hz),
        file_from_camera=stack_poses(turns, [matrix[:, 3] for matrix in matrices]),
    )
