"""The loop over points and photographs, compiled by numba on first use."""

# Kernels take flat argument lists by nature of the compiler.
# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import math

import numpy as np
from numba import njit, prange


@njit(cache=True)
def _nearest_seen(inverse_depth, x, y):
    """Return the least inverse depth of the four pixel centres around a place in a photograph."""
    height, width = inverse_depth.shape
    column = min(max(int(math.floor(x - 0.5)), 0), width - 2)
    row = min(max(int(math.floor(y - 0.5)), 0), height - 2)
    top = min(inverse_depth[row, column], inverse_depth[row, column + 1])
    return min(top, min(inverse_depth[row + 1, column], inverse_depth[row + 1, column + 1]))


@njit(cache=True, parallel=True)
def evidence(
    points, eyes, camera_from_world, inverse_depth, focal, tan_half, widest_angle, tolerance
):
    """Return for each point ``[n]``, looked at from ``eyes`` ``[n, 3]``, its photographs' weight.

    Each photograph that sees a point adds ``max(0, 1 - angle / widest_angle)``, times the share
    ``min(1, eye's distance / photograph's distance)``.
    """
    total = np.zeros(points.shape[0])
    size = inverse_depth.shape[1]
    for i in prange(points.shape[0]):
        px, py, pz = points[i, 0], points[i, 1], points[i, 2]
        ex, ey, ez = eyes[i, 0] - px, eyes[i, 1] - py, eyes[i, 2] - pz
        eye_distance = math.sqrt(ex * ex + ey * ey + ez * ez)
        for j in range(camera_from_world.shape[0]):
            m = camera_from_world[j]
            z = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3]
            if z <= 0:
                continue
            x = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3]
            y = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3]
            if x * x + y * y > tan_half * tan_half * z * z:
                continue
            seen = _nearest_seen(
                inverse_depth[j], focal * x / z + size / 2, focal * y / z + size / 2
            )
            if seen * (1 - tolerance) * z > 1:
                continue
            # The direction from the point to the photograph, -R^T t - p, in camera axes is
            # -(x, y, z); the eye's is turned by the same rotation.
            ax = m[0, 0] * ex + m[0, 1] * ey + m[0, 2] * ez
            ay = m[1, 0] * ex + m[1, 1] * ey + m[1, 2] * ez
            az = m[2, 0] * ex + m[2, 1] * ey + m[2, 2] * ez
            distance = math.sqrt(x * x + y * y + z * z)
            cosine = -(ax * x + ay * y + az * z) / max(distance * eye_distance, 1e-12)
            angle = math.acos(min(max(cosine, -1.0), 1.0))
            if angle < widest_angle:
                total[i] += (1 - angle / widest_angle) * min(1.0, eye_distance / distance)
    return total
