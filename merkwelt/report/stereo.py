"""Pictures of stereo pairs and of depth: anaglyphs, coloured depth, contact sheets."""

import math
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex

from .blocks import ColourBar
from .encode import as_rgb

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""
DEPTH_COLOURS = "magma_r"
NO_DEPTH = (128, 128, 128)
_TICK_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


def anaglyph(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return a half-colour red-cyan anaglyph: red is the left eye's brightness.

    Green and blue are the right eye's own. Half-colour anaglyphs avoid the rivalry that saturated
    reds cause in full-colour ones (Dubois, A projection method to generate anaglyph stereo images,
    ICASSP 2001, discusses both).

    Args:
        left: uint8 or float pictures ``[..., height, width, 3]``.
        right: the same scene for the right eye, of the same shape.

    Returns:
        uint8 pictures of that shape.
    """
    if left.shape != right.shape or left.ndim < 3 or left.shape[-1] != 3:
        raise ValueError(
            f"expected two pictures [..., height, width, 3] of equal size, got left {left.shape} "
            f"and right {right.shape}"
        )
    size = left.shape
    left_rgb = as_rgb(left.reshape(-1, size[-2], 3)).reshape(size)
    merged = as_rgb(right.reshape(-1, size[-2], 3)).reshape(size).copy()
    brightness = left_rgb.astype(np.float64) @ np.asarray(LUMA)
    merged[..., 0] = np.round(brightness).astype(np.uint8)
    return merged


@dataclass(frozen=True, kw_only=True)
class ColouredDepth:
    """Depth as colours, near bright and far dark, with what the colours mean."""

    rgb: np.ndarray
    """uint8 ``[..., 3]``."""
    near: float
    far: float
    missing_share: float
    """Share of pixels that carry no depth; they are grey."""

    def colour_bar(self, unit: str) -> ColourBar:
        """Return the scale that belongs to the colours, in this unit."""
        colours = mpl.colormaps[DEPTH_COLOURS](np.linspace(0, 1, 12))
        note = "grey: no depth" if self.missing_share > 0 else ""
        return ColourBar(
            colours=tuple(to_hex(c) for c in colours),
            ticks=_depth_ticks(self.near, self.far),
            unit=unit,
            note=note,
        )


def colour_depth(
    depth: np.ndarray, *, near: float | None = None, far: float | None = None
) -> ColouredDepth:
    """Return depth in a perceptually uniform colour map, on a logarithmic scale.

    Args:
        depth: any shape; values that are not finite and positive count as missing.
        near: depth of the brightest colour; the 1st percentile when not given.
        far: depth of the darkest colour; the 99th percentile when not given.
    """
    values = np.asarray(depth, dtype=np.float64)
    valid = np.isfinite(values) & (values > 0)
    if not valid.any():
        rgb = np.broadcast_to(np.array(NO_DEPTH, np.uint8), (*values.shape, 3)).copy()
        return ColouredDepth(rgb=rgb, near=1.0, far=2.0, missing_share=1.0)
    low, high = np.percentile(values[valid], (1, 99))
    near = float(low) if near is None else near
    far = float(high) if far is None else far
    if not (near > 0 and math.isfinite(far) and near <= far):
        raise ValueError(f"expected 0 < near <= far, got near {near} and far {far}")
    far = max(far, near * 1.01)
    share = np.log(np.where(valid, values, near) / near) / math.log(far / near)
    rgb = mpl.colormaps[DEPTH_COLOURS](np.clip(share, 0, 1), bytes=True)[..., :3]
    rgb[~valid] = NO_DEPTH
    return ColouredDepth(rgb=rgb, near=near, far=far, missing_share=float(1 - valid.mean()))


def _depth_ticks(near: float, far: float) -> tuple[tuple[float, str], ...]:
    """Return places (0 near, 1 far) and texts of the round depths between two depths."""
    decades = range(math.floor(math.log10(near)), math.ceil(math.log10(far)) + 1)
    rounds = [step * 10.0**decade for decade in decades for step in _TICK_STEPS]
    inside = [value for value in rounds if near <= value <= far]
    if len(inside) < 2:
        inside = [near, far]
    ticks: list[tuple[float, str]] = []
    for value in inside:
        place = math.log(value / near) / math.log(far / near)
        if not ticks or place - ticks[-1][0] >= 0.16:
            ticks.append((place, f"{value:.3g}"))
    return tuple(ticks)


def contact_sheet(frames: np.ndarray, *, columns: int, gutter_px: int = 4) -> np.ndarray:
    """Return pictures ``[n, height, width, 3]`` side by side in rows, on white, as one picture.

    Raises:
        ValueError: no pictures, or fewer than one column.
    """
    if frames.ndim != 4 or not len(frames) or columns < 1:
        raise ValueError(
            f"expected pictures [n, height, width, 3] and at least 1 column, got shape "
            f"{frames.shape} and {columns} columns"
        )
    count, height, width = frames.shape[:3]
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (rows * (height + gutter_px) - gutter_px, columns * (width + gutter_px) - gutter_px, 3)
    sheet = np.full(size, 255, np.uint8)
    for index, frame in enumerate(frames):
        top = index // columns * (height + gutter_px)
        left = index % columns * (width + gutter_px)
        sheet[top : top + height, left : left + width] = as_rgb(frame)
    return sheet
