"""COLMAP's text format: ``cameras.txt`` and ``images.txt``."""

from collections.abc import Iterator
from pathlib import Path

from .colmap_model import ColmapCamera, ColmapImage


def read_cameras_txt(path: Path) -> dict[int, ColmapCamera]:
    """Return the cameras of ``cameras.txt`` by id.

    Raises:
        ValueError: a line that is no camera; names file and line.
    """
    cameras = {}
    for number, line in _lines(path):
        parts = line.split()
        if not parts:
            continue
        try:
            cameras[int(parts[0])] = ColmapCamera(
                model=parts[1],
                width=int(parts[2]),
                height=int(parts[3]),
                parameters=tuple(float(part) for part in parts[4:]),
            )
        except (IndexError, ValueError) as error:
            raise ValueError(f"{path}, line {number}: expected a camera, found {line!r}") from error
    return cameras


def read_images_txt(path: Path) -> list[ColmapImage]:
    """Return the registered photographs of ``images.txt``.

    Every photograph has two lines; the second lists its points, may be empty, and is passed over.

    Raises:
        ValueError: a line that is no image; names file and line.
    """
    images = []
    lines = _lines(path)
    for number, line in lines:
        if not line.strip():
            continue
        parts = line.split(maxsplit=9)
        try:
            values = [float(part) for part in parts[1:8]]
            images.append(
                ColmapImage(
                    name=parts[9].strip(),
                    camera_id=int(parts[8]),
                    quaternion_wxyz=(values[0], values[1], values[2], values[3]),
                    translation=(values[4], values[5], values[6]),
                )
            )
        except (IndexError, ValueError) as error:
            raise ValueError(f"{path}, line {number}: expected an image, found {line!r}") from error
        next(lines, None)
    return images


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if not line.startswith("#"):
                yield number, line.rstrip("\n")
