"""COLMAP's binary format: ``cameras.bin`` and ``images.bin``, little-endian.

Layout as in COLMAP's ``src/colmap/scene/reconstruction_io.cc``.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from .colmap_model import MODEL_NAMES, ColmapCamera, ColmapImage, parameter_count

_CAMERA = struct.Struct("<IiQQ")
_IMAGE = struct.Struct("<I7dI")
_COUNT = struct.Struct("<Q")
_POINT_BYTES = 24
_LONGEST_NAME = 4096


def read_cameras_bin(path: Path) -> dict[int, ColmapCamera]:
    """Return the cameras of ``cameras.bin`` by id.

    Raises:
        ValueError: the file ends early, or holds a camera model that is not supported.
    """
    cameras = {}
    with path.open("rb") as file:
        (count,) = _unpack(file, _COUNT, path)
        for _ in range(count):
            camera_id, model_number, width, height = _unpack(file, _CAMERA, path)
            model = MODEL_NAMES.get(model_number, f"number {model_number}")
            numbers = struct.Struct(f"<{parameter_count(model, where=str(path))}d")
            cameras[camera_id] = ColmapCamera(
                model=model, width=width, height=height, parameters=_unpack(file, numbers, path)
            )
    return cameras


def read_images_bin(path: Path) -> list[ColmapImage]:
    """Return the registered photographs of ``images.bin``; their points are passed over.

    Raises:
        ValueError: the file ends early.
    """
    images = []
    size = path.stat().st_size
    with path.open("rb") as file:
        (count,) = _unpack(file, _COUNT, path)
        for _ in range(count):
            values = _unpack(file, _IMAGE, path)
            name = _name(file, path)
            (point_count,) = _unpack(file, _COUNT, path)
            if file.tell() + point_count * _POINT_BYTES > size:
                raise _truncated(path, file.tell())
            file.seek(point_count * _POINT_BYTES, 1)
            images.append(
                ColmapImage(
                    name=name,
                    camera_id=values[8],
                    quaternion_wxyz=values[1:5],
                    translation=values[5:8],
                )
            )
    return images


def _unpack(file: BinaryIO, layout: struct.Struct, path: Path) -> tuple:
    data = file.read(layout.size)
    if len(data) < layout.size:
        raise _truncated(path, file.tell())
    return layout.unpack(data)


def _name(file: BinaryIO, path: Path) -> str:
    name = bytearray()
    while (letter := file.read(1)) != b"\0":
        if not letter or len(name) > _LONGEST_NAME:
            raise _truncated(path, file.tell())
        name += letter
    return name.decode("utf-8", errors="replace")


def _truncated(path: Path, position: int) -> ValueError:
    return ValueError(
        f"{path} is truncated or damaged: it ends inside an entry at byte {position}; copy it "
        "again or run COLMAP's model_converter on the original"
    )
