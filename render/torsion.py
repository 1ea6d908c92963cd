"""How an eye is rolled about its line of sight, which the direction of gaze leaves open.

Everything is in the head's axes: +x right, +y down, +z straight ahead.
"""

import numpy as np

from . import steady


def azimuth(direction_head: np.ndarray) -> np.ndarray:
    """Return how far to the right directions ``[n, 3]`` lead, in radians."""
    return steady.atan2(direction_head[:, 0], direction_head[:, 2])


def fick_axes(direction_head: np.ndarray) -> np.ndarray:
    """Return axes ``[n, 3, 3]`` of eyes that turn about the vertical and then about their own x.

    Fick's order, without torsion: the eye's x axis stays horizontal in the head.
    """
    aside = np.maximum(steady.length(direction_head[:, ::2]), 1e-12)
    zero = np.zeros_like(aside)
    right = np.stack([direction_head[:, 2] / aside, zero, -direction_head[:, 0] / aside], axis=1)
    return np.stack([right, np.cross(direction_head, right), direction_head], axis=2)


def listing_axes(direction_head: np.ndarray, tilt_rad: np.ndarray) -> np.ndarray:
    """Return axes ``[n, 3, 3]`` of eyes that obey Listing's law.

    The turn from straight ahead has its axis in a plane, the displacement plane, whose normal is
    straight ahead turned to the right by ``tilt_rad`` ``[n]``. Without tilt the axes are those of
    the shortest turns. In the binocular extension the planes of converging eyes turn outwards
    (Mok et al. 1992; Tweed 1997).
    """
    sine, cosine = steady.sin_cos(tilt_rad)
    # The shortest turn's quaternion is (s, v) with v across straight ahead f; rolling about f
    # first gives the vector part c v + r (s f + v x f), which must be across the plane's normal.
    s = np.sqrt(np.maximum((1 + direction_head[:, 2]) / 2, 1e-12))
    v = np.stack([-direction_head[:, 1], direction_head[:, 0], np.zeros_like(s)], axis=1)
    v = v / (2 * s)[:, None]
    along = v[:, 0] * sine
    rolled = s * cosine + v[:, 1] * sine
    size = np.sqrt(along * along + rolled * rolled)
    c, r = rolled / size, -along / size
    w = c * s
    x, y, z = c * v[:, 0] + r * v[:, 1], c * v[:, 1] - r * v[:, 0], r * s
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)
