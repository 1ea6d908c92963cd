"""Tiny captures written by the tests themselves."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT = 20, 12


def write_photograph(path: Path, *, size=(WIDTH, HEIGHT), mode="RGB", value=128):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, tuple([value] * len(mode)) if len(mode) > 1 else value).save(path)


def opengl_pose(angle: float) -> list[list[float]]:
    """A camera one unit from the origin, turned about +z, looking at the origin, OpenGL axes."""
    cos, sin = math.cos(angle), math.sin(angle)
    right, up, back = [-sin, cos, 0.0], [0.0, 0.0, 1.0], [cos, sin, 0.0]
    columns = np.array([right, up, back, back]).T
    return np.vstack([columns, [0.0, 0.0, 0.0, 1.0]]).tolist()


def write_transforms(root: Path, names: list[str], **entries) -> dict:
    meta = {
        "fl_x": 30.0,
        "fl_y": 31.0,
        "cx": 9.5,
        "cy": 6.5,
        "w": float(WIDTH),
        "h": float(HEIGHT),
        "frames": [
            {"file_path": name, "transform_matrix": opengl_pose(0.3 * i)}
            for i, name in enumerate(names)
        ],
    }
    meta.update(entries)
    meta = {key: value for key, value in meta.items() if value is not None}
    (root / "transforms.json").write_text(json.dumps(meta))
    return meta


@pytest.fixture
def capture_folder(tmp_path):
    """Three photographs posed by nerfstudio."""
    names = [f"images/{i}.png" for i in range(3)]
    for name in names:
        write_photograph(tmp_path / name)
    write_transforms(tmp_path, names)
    return tmp_path


@pytest.fixture
def tiny():
    """What the tests write captures with."""
    return SimpleNamespace(
        width=WIDTH,
        height=HEIGHT,
        write_photograph=write_photograph,
        write_transforms=write_transforms,
        opengl_pose=opengl_pose,
    )
