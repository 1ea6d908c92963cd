"""Sequences of pictures: files that share a name but for a number."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import Unusable

PICTURES = (".png", ".jpg", ".jpeg")
_LAST_NUMBER = re.compile(r"^(.*?)(\d+)(\D*)$")


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """A sequence of pictures with their times."""

    paths: tuple[Path, ...]
    numbers: tuple[int, ...]
    """The numbers in their names, ascending."""
    times_s: np.ndarray
    """``[n]``, ascending."""
    height: int
    width: int
    turns: int = 0
    pixel_aspect: float = 1.0
    packing: None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The pictures' files."""
        return self.paths

    def pictures(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return pictures by their places, uint8 RGB ``[h, w, 3]``.

        Raises:
            RuntimeError: one cannot be read, or has another size than the first; names it.
        """
        return [self._read(self.paths[number]) for number in numbers]

    def _read(self, path: Path) -> np.ndarray:
        picture = read_rgb(path)
        if picture.shape[:2] != (self.height, self.width):
            raise RuntimeError(
                f"expected pictures of one size, {self.width} x {self.height}, got {path} with "
                f"{picture.shape[1]} x {picture.shape[0]}; take it out of the folder"
            )
        return picture


def pattern_of(name: str) -> tuple[str, int] | None:
    """Return a file's name with # for its last number, and that number; None if it has none.

    Example:
        >>> pattern_of("frame-000438.color.jpg")
        ('frame-#.color.jpg', 438)
    """
    stem, dot, kind = name.rpartition(".")
    found = _LAST_NUMBER.match(stem)
    if not dot or found is None:
        return None
    before, number, after = found.groups()
    return f"{before}#{after}.{kind}", int(number)


def picture_size(path: Path) -> tuple[int, int]:
    """Return a picture's height and width, as seen, without decoding it.

    Raises:
        Unusable: it is no picture, or damaged.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8):
                width, height = height, width
    except (OSError, ValueError, SyntaxError) as error:
        raise Unusable(f"{path.name} cannot be read: {error}") from error
    return height, width


_ORIENTATION = 0x0112
"""EXIF's tag; 5 to 8 lie on their side."""


def read_rgb(path: Path) -> np.ndarray:
    """Return a picture upright, uint8 RGB ``[h, w, 3]``; grey ones have three equal channels.

    Raises:
        RuntimeError: it is damaged or gone.
    """
    from PIL import ImageOps

    image = _loaded(path)
    if image.mode.startswith("I"):  # 16 bits; PIL's own conversion would cut them off at 255.
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.array(ImageOps.exif_transpose(image).convert("RGB"))


def read_codes(path: Path) -> np.ndarray:
    """Return the 16-bit values ``[h, w]`` of a grey picture, int64.

    Raises:
        RuntimeError: it is damaged or gone, or no 16-bit grey picture.
    """
    image = _loaded(path)
    if not image.mode.startswith("I"):
        raise RuntimeError(f"expected 16-bit depth in {path}, got a picture of mode {image.mode}")
    return np.asarray(image).astype(np.int64)


def _loaded(path: Path) -> Any:  # noqa: ANN401 a PIL image
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (OSError, ValueError, SyntaxError) as error:
        raise RuntimeError(f"cannot read {path}: {error}; take it out of the folder") from error
