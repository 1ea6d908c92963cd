"""Closed forms that tie depth to what two eyes see."""

from typing import TypeVar

import numpy as np
from torch import Tensor

Array = TypeVar("Array", np.ndarray, Tensor)


def disparity_px(depth_m: Array, focal_px: float, baseline_m: float) -> Array:
    """Return the disparity ``x_left - x_right`` in pixels, positive for near, of parallel eyes.

    ``d = f B / Z`` with z-depth ``Z``; infinite where the depth is 0.

    Example:
        >>> float(disparity_px(np.array([2.0]), 128.0, 0.063)[0])
        4.032
    """
    if not (focal_px > 0 and baseline_m > 0):
        raise ValueError(
            f"expected a positive focal length and baseline, got {focal_px} px and {baseline_m} m"
        )
    if bool((depth_m < 0).any()):
        raise ValueError(f"expected depths of at least 0, got {float(depth_m.min()):.4g}")
    if isinstance(depth_m, Tensor):
        return focal_px * baseline_m / depth_m
    with np.errstate(divide="ignore"):
        return focal_px * baseline_m / depth_m


def vergence_rad(depth_m: np.ndarray | float, baseline_m: float) -> np.ndarray:
    """Return the angle between the lines of sight of two eyes that meet straight ahead.

    ``2 atan(B / (2 Z))``.
    """
    return 2 * np.arctan2(baseline_m, 2 * np.asarray(depth_m, dtype=np.float64))
