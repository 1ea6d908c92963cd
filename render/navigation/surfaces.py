"""Where lines of sight meet matter, from density alone."""

import math
from typing import Protocol

import numpy as np

HALF_ABSORBED = math.log(2.0)
"""Optical depth at which half of the light is absorbed."""
SIGHT_STEPS = 256


class HasDensity(Protocol):
    """Anything that tells its density at world points, such as a scene."""

    def density(self, points_world: np.ndarray) -> np.ndarray:
        """Return densities ``[n]`` per world unit at points ``[n, 3]``."""
        ...


def first_hits(
    scene: HasDensity,
    origins: np.ndarray,
    directions: np.ndarray,
    *,
    near: float,
    far: float,
) -> np.ndarray:
    """Return the distance ``[n]`` at which each ray is half absorbed; NaN where it is not.

    Distances are ``SIGHT_STEPS`` fixed ones between ``near`` and ``far``, in equal ratios (about
    1.5 % apart from 0.2 to 10 m), not interpolated: a result depends on densities only through
    comparisons, so that small differences between machines do not change it.
    """
    distances = near * (far / near) ** (np.arange(SIGHT_STEPS) / (SIGHT_STEPS - 1))
    points = origins[:, None] + distances[:, None] * directions[:, None]
    density = scene.density(points.reshape(-1, 3)).reshape(len(origins), SIGHT_STEPS)
    depth = np.cumsum(density.astype(np.float64) * np.gradient(distances), axis=1)
    opaque = depth > HALF_ABSORBED
    return np.where(opaque.any(axis=1), distances[opaque.argmax(axis=1)], np.nan)
