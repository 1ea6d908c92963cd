"""Captures posed by COLMAP."""

from pathlib import Path

import numpy as np

from .capture import Capture, Split, View
from .colmap_binary import read_cameras_bin, read_images_bin
from .colmap_model import ColmapImage, lens_of
from .colmap_text import read_cameras_txt, read_images_txt
from .frames import Frames, checked_pose
from .photographs import photograph_path, view_name
from .transforms import build_capture

_MODEL_FOLDERS = ("sparse/0", "sparse", "colmap/sparse/0", ".")


def find_colmap_model(root: Path) -> Path | None:
    """Return the folder inside ``root`` that holds a COLMAP model, or None."""
    for folder in (root / name for name in _MODEL_FOLDERS):
        for ending in ("bin", "txt"):
            if (folder / f"cameras.{ending}").is_file() and (folder / f"images.{ending}").is_file():
                return folder
    return None


def read_colmap(root: Path, model: Path) -> Capture:
    """Return the capture whose COLMAP model lies in ``model``; photographs in ``root/images``.

    Binary files are preferred to text files. The capture's coordinates are the model's.

    Raises:
        ValueError: a truncated or malformed file, or a camera model that is not supported.
    """
    is_binary = (model / "cameras.bin").is_file() and (model / "images.bin").is_file()
    if is_binary:
        cameras, images = (
            read_cameras_bin(model / "cameras.bin"),
            read_images_bin(model / "images.bin"),
        )
    else:
        cameras, images = (
            read_cameras_txt(model / "cameras.txt"),
            read_images_txt(model / "images.txt"),
        )
    where = model / ("images.bin" if is_binary else "images.txt")
    if not images:
        raise ValueError(f"{where} holds no poses: COLMAP registered no photograph")
    folder = root / "images" if (root / "images").is_dir() else root
    views, missing = [], []
    for image in images:
        if image.camera_id not in cameras:
            raise ValueError(
                f"{where}: {image.name} names camera {image.camera_id}, which is not there"
            )
        relative = (folder / image.name).relative_to(root).as_posix()
        path = photograph_path(root, relative, where=str(where))
        if path.is_file():
            lens = lens_of(cameras[image.camera_id], where=str(model))
            views.append(
                View(
                    name=view_name(root, path),
                    path=path,
                    world_from_camera=_pose(image, where),
                    **lens,
                )
            )
        else:
            missing.append(view_name(root, path))
    split: Split | None = None
    frames = Frames(views=tuple(views), missing=tuple(missing), meta={})
    return build_capture(root, "colmap", [frames], split, where=where)


def _pose(image: ColmapImage, where: Path) -> np.ndarray:
    """Return ``world_from_camera``; COLMAP stores the inverse, with OpenCV axes."""
    camera_from_world = np.eye(4)
    camera_from_world[:3, :3] = rotation_of(image.quaternion_wxyz)
    camera_from_world[:3, 3] = image.translation
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = camera_from_world[:3, :3].T
    world_from_camera[:3, 3] = -camera_from_world[:3, :3].T @ camera_from_world[:3, 3]
    if not np.isfinite(world_from_camera).all() or not any(image.quaternion_wxyz):
        raise ValueError(f"{where}: the pose of {image.name} is no rotation with a translation")
    return checked_pose(world_from_camera, f"{image.name} of {where}")


def rotation_of(quaternion_wxyz: tuple[float, float, float, float]) -> np.ndarray:
    """Return the rotation matrix ``[3, 3]`` of a quaternion, real part first."""
    q = np.asarray(quaternion_wxyz, dtype=np.float64)
    w, x, y, z = q / max(np.linalg.norm(q), np.finfo(np.float64).tiny)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
