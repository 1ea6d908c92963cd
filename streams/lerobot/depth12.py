"""Depth as LeRobot stores it since version 0.6: 12-bit codes, even in the logarithm of depth.

A code c means ``NEAREST_M * (FARTHEST_M / NEAREST_M) ** (c / 4095)`` metres. There is no code for
what is not known, which reads as the nearest depth, nor for what is infinitely far, which reads as
the farthest; a data set's own depth tells both.
"""

import math

import numpy as np
from torch import Tensor

NEAREST_M, FARTHEST_M = 0.01, 100.0
MOST = 4095
RELATIVE_ERROR = math.exp(math.log(FARTHEST_M / NEAREST_M) / MOST / 2) - 1
"""Bound of the relative error between the ends of the range: half a step, 1.13e-3."""
INFO = {
    "is_depth_map": True,
    "depth_unit": "m",
    "video.depth_min": NEAREST_M,
    "video.depth_max": FARTHEST_M,
    "video.shift": 0.0,
    "video.use_log": True,
}
"""What LeRobot must know to read the codes."""


def depth_to_codes12(depth_m: Tensor) -> np.ndarray:
    """Return the uint16 codes, 0 to 4095, of depths of any shape."""
    depth = np.clip(depth_m.double().numpy(), NEAREST_M, FARTHEST_M)
    share = np.log(depth / NEAREST_M) / math.log(FARTHEST_M / NEAREST_M)
    return np.rint(share * MOST).astype(np.uint16)


def depth_of_every_code_m() -> np.ndarray:
    """Return the depth ``[4096]`` that each code means."""
    return NEAREST_M * (FARTHEST_M / NEAREST_M) ** (np.arange(MOST + 1) / MOST)
