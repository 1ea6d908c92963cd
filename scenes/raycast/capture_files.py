"""The files of a capture: pictures, depth, ids, flow, ``transforms.json`` and ``capture.json``."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .room import FurnishedRoom
from .views import CaptureCamera, RoomCamera, View, opengl_pose

CAPTURE_VERSION = 1
LICENCE = "CC0-1.0"
SOURCE = (
    "merkwelt scene capture: ray-cast living room, furniture of Sweet Home 3D's library "
    "BlendSwap-CC-0 (Debian package sweethome3d-furniture), procedural textures"
)


@dataclass(frozen=True, kw_only=True)
class CaptureIndex:
    """Names and poses of a capture's photographs; the first are for training, the rest held out."""

    camera: CaptureCamera
    poses: list[np.ndarray]
    train_count: int

    def name(self, number: int) -> str:
        """Return the name, without suffix, of a photograph."""
        held_out = number - self.train_count
        return f"train_{number:04d}" if held_out < 0 else f"held_out_{held_out:04d}"


def save_view(folder: Path, name: str, view: View) -> None:
    """Write a view's picture, depth and ids."""
    assert view.rgb is not None
    for part in ("images", "depth", "ids"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_png(folder / "images" / f"{name}.png", view.rgb)
    write_png(folder / "ids" / f"{name}.png", view.ids)
    np.savez_compressed(folder / "depth" / f"{name}.npz", depth_m=view.depth_m)


def save_walk(folder: Path, views: list[View], camera: RoomCamera) -> None:
    """Write the stereo walk, whose views alternate left and right, with flow and disparity."""
    home = folder / "ground_truth" / "walk"
    for eye, name in enumerate(("left", "right")):
        own, other = views[eye::2], views[1 - eye :: 2]
        for frame, view in enumerate(own):
            label = f"{name}_{frame:04d}"
            save_view(home, label, view)
            truth: dict[str, np.ndarray] = {}
            for key, neighbour in (("forward", frame + 1), ("backward", frame - 1)):
                if 0 <= neighbour < len(own):
                    flow = camera.flow_between(view, own[neighbour])
                    truth[f"flow_{key}_px"] = flow.flow_px
                    truth[f"visible_{key}"] = flow.visible
            across = camera.flow_between(view, other[frame])
            # x_left - x_right, positive for near, whichever eye it is seen from.
            truth["disparity_px"] = across.flow_px[..., 0] * (-1 if eye == 0 else 1)
            truth["visible_other_eye"] = across.visible
            (home / "flow").mkdir(exist_ok=True)
            np.savez_compressed(home / "flow" / f"{label}.npz", allow_pickle=False, **truth)
    first = views[0].camera
    poses = {
        "width": first.width,
        "height": first.height,
        "focal_px": first.focal_px,
        "principal_point_px": [first.width / 2, first.height / 2],
        "axes": "OpenCV: x right, y down, z forward; world z up, metres",
        "world_from_left": [view.world_from_camera.tolist() for view in views[0::2]],
        "world_from_right": [view.world_from_camera.tolist() for view in views[1::2]],
    }
    write_json(home / "poses.json", poses)


def write_transforms(folder: Path, index: CaptureIndex) -> None:
    """Write ``transforms.json`` as nerfstudio reads it: OpenGL axes, and exactly this split."""
    camera = index.camera
    frames = []
    for number, pose in enumerate(index.poses):
        name = index.name(number)
        frames.append(
            {
                "file_path": f"images/{name}.png",
                "depth_path": f"depth/{name}.npz",
                "ids_path": f"ids/{name}.png",
                "transform_matrix": opengl_pose(pose).tolist(),
            }
        )
    files = [frame["file_path"] for frame in frames]
    train, held_out = files[: index.train_count], files[index.train_count :]
    focal = {"fl_x": camera.focal_px, "fl_y": camera.focal_px}
    centre = {"cx": camera.width / 2, "cy": camera.height / 2}
    lens = dict.fromkeys(("k1", "k2", "p1", "p2"), 0.0)
    write_json(
        folder / "transforms.json",
        {
            "camera_model": "OPENCV",
            "w": camera.width,
            "h": camera.height,
            **focal,
            **centre,
            **lens,
            "train_filenames": train,
            "val_filenames": held_out,
            "test_filenames": held_out,
            "frames": frames,
        },
    )


def write_capture_json(folder: Path, room: FurnishedRoom, *, settings: dict[str, Any]) -> None:
    """Write ``capture.json``: scale, licence, bounds and objects of the scene."""
    write_json(
        folder / "capture.json",
        {
            "version": CAPTURE_VERSION,
            "metres_per_unit": 1.0,
            "licence": LICENCE,
            "source": SOURCE,
            "floor_height": 0.0,
            "bounds": room.bounds_m.tolist(),
            "settings": settings,
            "objects": [{"id": k + 1, **asdict(thing)} for k, thing in enumerate(room.objects)],
        },
    )


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write a grey or sRGB picture uint8."""
    import cv2

    if not cv2.imwrite(str(path), picture[..., ::-1] if picture.ndim == 3 else picture):
        raise OSError(f"cannot write the picture {path}; is the disk full?")
