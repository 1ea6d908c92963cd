"""Poses written in each format, as other programs write them."""

import json

import numpy as np
from merkwelt.scenes.captures import flip_camera_axes
from scipy.spatial.transform import Rotation


def some_poses(count=12, seed=0):
    """Return camera-to-world poses (OpenCV axes) of a hand-held camera."""
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (count, 1, 1))
    turns = Rotation.from_rotvec(np.cumsum(0.1 * rng.normal(size=(count, 3)), axis=0))
    poses[:, :3, :3] = turns.as_matrix()
    poses[:, :3, 3] = np.cumsum(0.1 * rng.normal(size=(count, 3)), axis=0)
    return poses


def write_tum(file, poses, time_s):
    turns = Rotation.from_matrix(poses[:, :3, :3]).as_quat()
    lines = ["# ground truth trajectory", "# timestamp tx ty tz qx qy qz qw"]
    for at, pose, turn in zip(time_s, poses, turns, strict=True):
        lines.append(" ".join(repr(float(v)) for v in (at, *pose[:3, 3], *turn)))
    file.write_text("\n".join(lines) + "\n")
    return file


def write_kitti(file, poses):
    rows = [" ".join(repr(float(v)) for v in pose[:3].ravel()) for pose in poses]
    file.write_text("\n".join(rows) + "\n")
    return file


def write_nerfstudio(file, poses, *, rate_hz=24.0, fov_deg=50.0):
    cameras = [
        {"camera_to_world": flip_camera_axes(pose).ravel().tolist(), "fov": fov_deg, "aspect": 1.0}
        for pose in poses
    ]
    data = {
        "camera_type": "perspective",
        "render_height": 64,
        "render_width": 64,
        "fps": rate_hz,
        "seconds": len(poses) / rate_hz,
        "smoothness_value": 0.5,
        "is_cycle": False,
        "keyframes": [],
        "camera_path": cameras,
    }
    file.write_text(json.dumps(data))
    return file
