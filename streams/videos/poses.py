"""Where cameras were, if the folder says so: KITTI's poses and calibration, or a file a picture."""

import re
from pathlib import Path

import numpy as np

from ...render.motion.trajectory import Trajectory
from ...render.paths.poses import PathError, checked_rotation
from ...render.paths.read import load_path
from .errors import Unusable
from .find import Source

POSES, CALIBRATION = "poses.txt", "calib.txt"
_KITTI_CAMERA = re.compile(r"image_0?([0-3])(?=[/.]|$)")


def world_from_cameras(left: Source, right: Source | None) -> np.ndarray | None:
    """Return the poses ``[eye, n, 4, 4]`` of the cameras that took pictures; None if not known.

    Their world is the file's own, in its unit (metres in KITTI and 7-Scenes); which way is up in it
    the files do not say. ``poses.txt`` holds a line a picture (KITTI, of its camera 0), and a
    file ``NAME.pose.txt`` a 4x4 matrix (7-Scenes). The right eye of a pair is known with KITTI's
    ``calib.txt`` only.

    Raises:
        Unusable: such files are there, and do not fit the pictures.
    """
    own = _pose_files(left)
    if own is not None:
        return own[None] if right is None else None
    file = _beside(left, POSES)
    if file is None:
        return None
    try:
        poses = load_path(file)
    except PathError as error:
        raise Unusable(f"{POSES} beside it cannot be read: {error}") from error
    if poses.kind != "kitti":
        raise Unusable(f"{POSES} beside it is a path of {poses.kind}; expected KITTI's 12 numbers")
    world_from_zero = poses.file_from_camera
    if len(world_from_zero) != len(left.paths):
        raise Unusable(
            f"{POSES} beside it has {len(world_from_zero)} poses for {len(left.paths)} pictures"
        )
    zero_from_eyes = _zero_from_eyes(left, right)
    return None if zero_from_eyes is None else world_from_zero[None] @ zero_from_eyes[:, None]


def trajectory_of(world_from_eye: np.ndarray, times_s: np.ndarray) -> Trajectory:
    """Return poses ``[eye, time, 4, 4]`` at times ``[time]`` as the trajectory of a clip.

    A camera has no lids, makes no saccades and is fixed to its head: there are no blinks, and one
    fixation. What its wearer looked at and how it stepped is not known, and is NaN.
    """
    head = world_from_eye[0].copy()
    head[:, :3, 3] = world_from_eye[:, :, :3, 3].mean(axis=0)
    frames = len(times_s)
    return Trajectory(
        time_s=times_s - times_s[0],
        world_from_head=head,
        world_from_eye=world_from_eye,
        gaze_target=np.full((frames, 3), np.nan),
        fixation_id=np.zeros(frames, np.int64),
        saccade=np.zeros(frames, bool),
        blink=np.zeros(frames, bool),
        gait_phase_rad=np.full(frames, np.nan),
    )


def _beside(source: Source, name: str) -> Path | None:
    """Return a file next to the pictures, or to their folder (or the one of KITTI's ``data``)."""
    folder = source.folder.parent if source.folder.name == "data" else source.folder
    there = [place / name for place in (folder, folder.parent) if (place / name).is_file()]
    return there[0] if there else None


def _pose_files(source: Source) -> np.ndarray | None:
    files = [path.with_name(_stem(path) + ".pose.txt") for path in source.paths]
    there = [file.is_file() for file in files]
    if not any(there):
        return None
    if not all(there):
        raise Unusable(f"{files[there.index(False)].name} is missing, others of its kind are there")
    return np.stack([_matrix(file) for file in files])


def _stem(path: Path) -> str:
    """Return a picture's name up to its number, included: ``frame-000438`` of .color.jpg."""
    return path.name.partition(".")[0]


def _matrix(file: Path) -> np.ndarray:
    try:
        matrix = np.array([float(word) for word in file.read_text().split()]).reshape(4, 4)
        matrix[:3, :3] = checked_rotation(matrix[:3, :3], file.name)
    except ValueError as error:
        raise Unusable(f"{file.name} is no pose of 4x4 numbers: {error}") from error
    if not np.isfinite(matrix).all():
        raise Unusable(f"{file.name} is no pose: it holds numbers that are not finite")
    return matrix


def _zero_from_eyes(left: Source, right: Source | None) -> np.ndarray | None:
    """Return ``[eye, 4, 4]``: where KITTI's cameras are beside its camera 0; None if not known.

    A rectified projection ``P = K [1 | t]`` is that of a camera at ``-t`` (Geiger, Lenz, Stiller
    and Urtasun 2013, eq. 5).
    """
    numbers = [_camera_number(eye, place) for place, eye in enumerate((left, right)) if eye]
    file = _beside(left, CALIBRATION)
    if file is None:
        return np.eye(4)[None] if numbers == [0] else None
    rows = _projections(file)
    if any(number >= len(rows) for number in numbers):
        return None
    zero_from_eyes = np.tile(np.eye(4), (len(numbers), 1, 1))
    for place, number in enumerate(numbers):
        projection = rows[number]
        zero_from_eyes[place, :3, 3] = -np.linalg.solve(projection[:, :3], projection[:, 3])
    return zero_from_eyes


def _camera_number(source: Source, eye: int) -> int:
    found = _KITTI_CAMERA.search(source.name)
    return int(found.group(1)) if found else eye


def _projections(file: Path) -> list[np.ndarray]:
    """Return the projections ``[3, 4]`` in the lines of a calibration, named ``P0:`` or not."""
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        name, colon, numbers = line.rpartition(":")
        if colon and not re.fullmatch(r"P\d", name.strip()):
            continue
        try:
            values = np.array([float(word) for word in numbers.split()])
        except ValueError as error:
            raise Unusable(f"{file.name} beside it cannot be read: {error}") from error
        if values.size == 12:
            rows.append(values.reshape(3, 4))
    return rows
