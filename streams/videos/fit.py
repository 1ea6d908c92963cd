"""From a recording's picture to a clip's: turned upright, the middle square cut out and shrunk."""

from typing import NamedTuple

import cv2
import numpy as np

from .errors import Unusable


class View(NamedTuple):
    """How the pictures of an eye are made of a recording's."""

    turns: int
    """Quarter turns anticlockwise."""
    half: tuple[int, int] | None
    """Which half, 0 or 1, along which axis (0 rows, 1 columns) of the turned picture, if any."""
    pixel_aspect: float
    """Width of a pixel over its height, in what is left of the turned picture."""


def cut_out(picture: np.ndarray, view: View) -> np.ndarray:
    """Return the largest middle square, as seen, of an eye's part of ``[h, w, ...]``."""
    upright = np.rot90(picture, view.turns)
    if view.half is not None:
        half, axis = view.half
        part = upright.shape[axis] // 2
        start = 0 if half == 0 else upright.shape[axis] - part
        upright = upright[start : start + part] if axis == 0 else upright[:, start : start + part]
    height, width = upright.shape[:2]
    rows, columns = square_in(height, width, view.pixel_aspect)
    top, left = (height - rows) // 2, (width - columns) // 2
    return upright[top : top + rows, left : left + columns]


def square_in(height: int, width: int, pixel_aspect: float) -> tuple[int, int]:
    """Return the rows and columns of the largest part that is seen as a square.

    Example:
        >>> square_in(480, 640, 1.0), square_in(480, 320, 2.0)
        ((480, 480), (480, 240))
    """
    side = min(float(height), width * pixel_aspect)
    return max(1, round(side)), max(1, min(width, round(side / pixel_aspect)))


def shrunk(square: np.ndarray, size_px: int) -> np.ndarray:
    """Return uint8 ``[3, size, size]``: each pixel the mean of the area that it covers."""
    small = cv2.resize(
        np.ascontiguousarray(square), (size_px, size_px), interpolation=cv2.INTER_AREA
    )
    return np.ascontiguousarray(small.transpose(2, 0, 1))


def thinned(square: np.ndarray, size_px: int) -> np.ndarray:
    """Return ``[size, size]`` of values taken from where each pixel's middle lies, none mixed."""
    rows, columns = square.shape
    middles = (np.arange(size_px) + 0.5) / size_px
    return square[(middles * rows).astype(int)[:, None], (middles * columns).astype(int)]


def require_size(height: int, width: int, view: View, size_px: int) -> None:
    """Refuse pictures ``height x width`` that would have to be enlarged.

    Raises:
        Unusable: says how large they are.
    """
    rows, columns = cut_out(np.empty((height, width), np.uint8), view).shape
    if min(rows, columns) < size_px:
        raise Unusable(
            f"an eye's square is {columns} x {rows} px, less than the {size_px} px asked for; "
            "pictures are never enlarged"
        )
