"""Bounding spheres over points along a space-filling curve: what is near this point or ray?"""

from dataclasses import dataclass
from typing import Self

import numpy as np

FAN_OUT = 8
BITS = 20
"""Cells along each axis are ``2^BITS``; three axes fill 60 of 64 bits."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Hierarchy:
    """Spheres around balls, around eight such spheres each, and so on up to one.

    Level 0 holds the balls themselves, in curve order; node ``i`` of a level bounds the nodes
    ``8 i`` to ``8 i + 7`` of the level below.
    """

    order: np.ndarray
    """``[n]``: the number of the ball at each place of the curve."""
    centres: np.ndarray
    """``[nodes, 3]`` float64, level after level from 0."""
    radii: np.ndarray
    """``[nodes]`` float64."""
    starts: np.ndarray
    """``[levels + 1]``: first node of each level, and the number of nodes."""

    @classmethod
    def of(cls, centres: np.ndarray, radii: np.ndarray) -> Self:
        """Return the hierarchy of n > 0 balls with centres ``[n, 3]`` and radii ``[n]``."""
        order = np.argsort(morton_codes(centres, BITS), kind="stable")
        centre, radius = centres[order].astype(np.float64), radii[order].astype(np.float64)
        levels = [(centre, radius)]
        while len(levels[-1][1]) > 1:
            levels.append(_above(*levels[-1]))
        return cls(
            order=order,
            centres=np.concatenate([c for c, _ in levels]),
            radii=np.concatenate([r for _, r in levels]),
            starts=np.cumsum([0, *(len(r) for _, r in levels)]),
        )


def morton_codes(points: np.ndarray, bits: int) -> np.ndarray:
    """Return places on a Z curve ``[n]`` (uint64) of points ``[n, d]``; ``d * bits`` is at most 64.

    The bits of the d cell numbers are interleaved (Morton 1966).
    """
    low, size = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-30)
    cells = ((points - low) / size * (2**bits - 1)).astype(np.uint64)
    code = np.zeros(len(points), dtype=np.uint64)
    axes = points.shape[1]
    for bit in range(bits):
        for axis in range(axes):
            digit = (cells[:, axis] >> np.uint64(bit)) & np.uint64(1)
            code |= digit << np.uint64(axes * bit + axis)
    return code


def _above(centre: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return spheres that each bound eight consecutive ones; a hair larger, against round-off."""
    first = np.arange(0, len(radius), FAN_OUT)
    low = np.minimum.reduceat(centre - radius[:, None], first)
    high = np.maximum.reduceat(centre + radius[:, None], first)
    middle = (low + high) / 2
    own = middle[np.arange(len(radius)) // FAN_OUT]
    reach = np.linalg.norm(centre - own, axis=1) + radius
    return middle, np.maximum.reduceat(reach, first) * (1 + 1e-9)
