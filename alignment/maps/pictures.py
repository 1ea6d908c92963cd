"""Pictures on disk: found by name, measured, decoded and encoded."""

from functools import cache
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm")


def find_picture(images: Path, name: str) -> Path:
    """Return the file of a picture that is named by its path or a last part of it.

    Never leaves the folder: roots and ``..`` in names do not count.

    Raises:
        FileNotFoundError: there is none.
    """
    parts = [
        part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..")
    ]
    for start in range(len(parts)):
        found = images.joinpath(*parts[start:])
        for candidate in (found, *(found.with_name(found.name + suffix) for suffix in SUFFIXES)):
            if candidate.is_file():
                return candidate
    raise FileNotFoundError(f"expected the picture {name} in {images}, found none of that name")


def find_flattened(images: Path, flat: str) -> Path:
    """Return the file of a picture whose path was written with ``_`` for ``/``.

    Raises:
        FileNotFoundError: there is none.
    """
    known = _flattened(images.resolve())
    parts = flat.split("_")
    for start in range(len(parts)):
        found = known.get("_".join(parts[start:]))
        if found is not None:
            return found
    raise FileNotFoundError(
        f"expected a picture in {images} whose path with _ for / is {flat}, or ends it; found none"
    )


def read_picture(path: Path) -> np.ndarray:
    """Return a picture as uint8 ``[height, width, 3]``, RGB."""
    try:
        return decode_rgb(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"expected a picture at {path}, but it cannot be read as one") from error


def picture_size_px(images: Path, name: str) -> tuple[int, int]:
    """Return width and height of a picture that is named by its path or a last part of it."""
    height, width = read_picture(find_picture(images, name)).shape[:2]
    return width, height


def decode_rgb(encoded: bytes) -> np.ndarray:
    """Return JPEG or PNG bytes as uint8 ``[height, width, 3]``, RGB; as stored, never rotated."""
    return np.ascontiguousarray(_decoded(encoded, cv2.IMREAD_COLOR)[..., ::-1])


def decode_grey(encoded: bytes) -> np.ndarray:
    """Return JPEG or PNG bytes as uint8 ``[height, width]``."""
    return _decoded(encoded, cv2.IMREAD_GRAYSCALE)


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """Return uint8 ``[height, width]`` or ``[height, width, 3]`` RGB as JPEG with full chroma."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    done, encoded = cv2.imencode(".jpg", image[..., ::-1] if image.ndim == 3 else image, options)
    if not done:
        raise RuntimeError(f"could not encode a picture of shape {image.shape} as JPEG")
    return encoded.tobytes()


def _decoded(encoded: bytes, flag: int) -> np.ndarray:
    data = np.frombuffer(encoded, np.uint8)
    picture = cv2.imdecode(data, flag | cv2.IMREAD_IGNORE_ORIENTATION) if len(data) else None
    if picture is None:
        raise ValueError("expected a JPEG or PNG picture, but it cannot be decoded")
    return np.asarray(picture, np.uint8)


@cache
def _flattened(images: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(images.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            flat = path.relative_to(images).as_posix().replace("/", "_")
            found.setdefault(flat, path)
            found.setdefault(flat.removesuffix(path.suffix), path)
    return found
