"""Real spherical harmonics up to degree 3, as nerfstudio's torch implementation evaluates them."""

import math

import torch
from torch import Tensor


def spherical_harmonics(directions: Tensor) -> Tensor:
    """Return the 16 basis values ``[n, 16]`` of degree 0 to 3 at directions ``[n, 3]``.

    nerfstudio's torch path feeds ``(d + 1) / 2`` instead of unit vectors and trains with that, so
    nothing here assumes unit length.
    """
    x, y, z = directions.unbind(-1)
    xx, yy, zz = x * x, y * y, z * z
    pi = math.pi
    first = math.sqrt(3 / (4 * pi))
    return torch.stack(
        [
            torch.full_like(x, 0.5 / math.sqrt(pi)),
            first * y,
            first * z,
            first * x,
            math.sqrt(15 / (4 * pi)) * x * y,
            math.sqrt(15 / (4 * pi)) * y * z,
            math.sqrt(5 / (16 * pi)) * (3 * zz - 1),
            math.sqrt(15 / (4 * pi)) * x * z,
            math.sqrt(15 / (16 * pi)) * (xx - yy),
            math.sqrt(35 / (32 * pi)) * y * (3 * xx - yy),
            math.sqrt(105 / (4 * pi)) * x * y * z,
            math.sqrt(21 / (32 * pi)) * y * (5 * zz - 1),
            math.sqrt(7 / (16 * pi)) * z * (5 * zz - 3),
            math.sqrt(21 / (32 * pi)) * x * (5 * zz - 1),
            math.sqrt(105 / (16 * pi)) * z * (xx - yy),
            math.sqrt(35 / (32 * pi)) * x * (xx - 3 * yy),
        ],
        dim=-1,
    )
