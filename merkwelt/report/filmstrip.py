"""All frames of a moving picture in one still picture, for players without video codecs.

Frames lie in a grid. Each has a margin of repeated border pixels, so that neither scaling nor the
codec lets a neighbour shine through at its edges.
"""

import math
from dataclasses import dataclass

import numpy as np

from .encode import as_rgb, data_uri, jpeg_bytes

MARGIN_PX = 4
SMALLEST_WIDTH_PX = 144
MAX_SIDE_PX = 8192


@dataclass(frozen=True, kw_only=True)
class Filmstrip:
    """One encoded picture that holds all frames, and where they are in it."""

    uri: str
    columns: int
    rows: int
    frame_width_px: int
    frame_height_px: int

    @property
    def geometry(self) -> dict[str, float]:
        """Return the strip's size and steps as a page needs them.

        Widths are shares of one frame, shifts are shares of the whole strip.
        """
        cell_width = self.frame_width_px + 2 * MARGIN_PX
        cell_height = self.frame_height_px + 2 * MARGIN_PX
        return {
            "columns": self.columns,
            "width": round(self.columns * cell_width / self.frame_width_px, 6),
            "first_x": round(MARGIN_PX / (self.columns * cell_width), 6),
            "first_y": round(MARGIN_PX / (self.rows * cell_height), 6),
            "step_x": round(1 / self.columns, 6),
            "step_y": round(1 / self.rows, 6),
        }


def filmstrip(frames: np.ndarray) -> Filmstrip:
    """Return the strip of pictures ``[time, height, width, 3]``.

    Small frames are enlarged by a whole factor with sharp pixels, so that a page shows what was
    rendered and no browser smooths it.

    Raises:
        ValueError: no frames, or more than fit into one picture.
    """
    if frames.ndim != 4 or not frames.size:
        raise ValueError(f"expected frames [time, height, width, 3], got shape {frames.shape}")
    factor = max(1, -(-SMALLEST_WIDTH_PX // frames.shape[2]))
    count, height, width = len(frames), frames.shape[1] * factor, frames.shape[2] * factor
    cell_height, cell_width = height + 2 * MARGIN_PX, width + 2 * MARGIN_PX
    columns = min(count, max(1, math.ceil(math.sqrt(count * cell_height / cell_width))))
    rows = -(-count // columns)
    if max(columns * cell_width, rows * cell_height) > MAX_SIDE_PX:
        raise ValueError(
            f"{count} frames of {frames.shape[1]} x {frames.shape[2]} px do not fit into one "
            f"picture of {MAX_SIDE_PX} px; show fewer or smaller frames"
        )
    strip = np.zeros((rows * cell_height, columns * cell_width, 3), np.uint8)
    for index, frame in enumerate(frames):
        large = as_rgb(frame).repeat(factor, axis=0).repeat(factor, axis=1)
        cell = np.pad(large, ((MARGIN_PX, MARGIN_PX), (MARGIN_PX, MARGIN_PX), (0, 0)), "edge")
        top, left = index // columns * cell_height, index % columns * cell_width
        strip[top : top + cell_height, left : left + cell_width] = cell
    return Filmstrip(
        uri=data_uri(jpeg_bytes(strip)),
        columns=columns,
        rows=rows,
        frame_width_px=width,
        frame_height_px=height,
    )
