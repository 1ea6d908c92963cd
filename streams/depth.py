"""Depth in 16 bits: quantised in its logarithm, so that the relative error is the same everywhere.

Code 0 is depth 0 (nothing known), code 65535 is infinity (nothing there), and the 65,534 codes
between are spaced evenly in log depth from ``NEAREST`` to ``FARTHEST``. Depths outside that range
are stored as its ends. The range is fixed, so a code means the same in every clip.
"""

import math

import torch
from torch import Tensor

NEAREST = 1e-3
"""Smallest positive depth that is kept, in world units."""
FARTHEST = 1e5
"""Largest finite depth that is kept, in world units."""
STEPS = 65533
RELATIVE_ERROR = math.exp(math.log(FARTHEST / NEAREST) / STEPS / 2) - 1
"""Bound of the relative error between the ends of the range: half a step, 1.41e-4."""
INFINITE = 65535


def depth_to_codes(depth: Tensor) -> Tensor:
    """Return the int32 codes, 0 to 65535, of depths of any shape.

    Raises:
        ValueError: a depth is negative or not a number.
    """
    if bool((depth.isnan() | (depth < 0)).any()):
        raise ValueError(
            "expected depths of at least 0 (0: unknown, infinity: nothing there), got "
            f"{int(depth.isnan().sum())} that are not a number and "
            f"{int((depth < 0).sum())} negative ones"
        )
    depth = depth.double()
    share = (depth.clamp(NEAREST, FARTHEST) / NEAREST).log() / math.log(FARTHEST / NEAREST)
    codes = (share * STEPS).round().to(torch.int32) + 1
    codes[depth == 0] = 0
    codes[depth.isinf()] = INFINITE
    return codes


def codes_to_depth(codes: Tensor) -> Tensor:
    """Return the float32 depths of codes of any shape."""
    return _depth_of_every_code()[codes.long()]


def _depth_of_every_code() -> Tensor:
    share = torch.arange(INFINITE + 1, dtype=torch.float64).sub(1) / STEPS
    table = NEAREST * (share * math.log(FARTHEST / NEAREST)).exp()
    table[0], table[INFINITE] = 0.0, math.inf
    return table.float()
