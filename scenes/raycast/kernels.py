"""Compiled inner loops of shading: texture lookup and interpolation of cached light."""

import numpy as np
from numba import njit


@njit(cache=True)
def albedo_at(
    texels: np.ndarray, tables: np.ndarray, material: int, uv_u: float, uv_v: float
) -> tuple[float, float, float]:
    """Return the bilinear colour of a material's repeating picture at (u, v), v pointing up."""
    start, height, width = tables[material, 0], tables[material, 1], tables[material, 2]
    if height * width == 1:
        return texels[start, 0], texels[start, 1], texels[start, 2]
    x = (uv_u - np.floor(uv_u)) * width - 0.5
    y = (1.0 - (uv_v - np.floor(uv_v))) * height - 0.5
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - x0, y - y0
    red, green, blue = 0.0, 0.0, 0.0
    for dy in range(2):
        for dx in range(2):
            weight = (fx if dx else 1 - fx) * (fy if dy else 1 - fy)
            texel = start + ((y0 + dy) % height) * width + (x0 + dx) % width
            red += weight * texels[texel, 0]
            green += weight * texels[texel, 1]
            blue += weight * texels[texel, 2]
    return red, green, blue


@njit(cache=True)
def grid_index(row: int, column: int, steps: int) -> int:
    """Return the number of the grid point (row, column) of a triangle cut into ``steps``."""
    return row * (steps + 1) - row * (row - 1) // 2 + column


@njit(cache=True)
def grid_weights(
    second: float, third: float, steps: int
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return the three grid points around barycentric (second, third), and their weights."""
    a, b = max(second, 0.0) * steps, max(third, 0.0) * steps
    row, column = min(int(a), steps - 1), min(int(b), steps - 1)
    if row + column > steps - 1:
        if a - row < b - column:
            row = steps - 1 - column
        else:
            column = steps - 1 - row
    fa, fb = min(a - row, 1.0), min(b - column, 1.0)
    if fa + fb <= 1.0 or row + column >= steps - 1:
        near = max(1.0 - fa - fb, 0.0)
        return (
            (
                grid_index(row, column, steps),
                grid_index(row + 1, column, steps),
                grid_index(row, column + 1, steps),
            ),
            (near, fa, fb),
        )
    return (
        (
            grid_index(row + 1, column + 1, steps),
            grid_index(row, column + 1, steps),
            grid_index(row + 1, column, steps),
        ),
        (fa + fb - 1.0, 1.0 - fa, 1.0 - fb),
    )


@njit(cache=True)
def light_at(
    cache: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    side: int,
    face: int,
    place: tuple[float, float],
) -> tuple[float, float, float]:
    """Return the cached light on one side of a triangle at barycentric (second, third)."""
    face_steps, face_first, grid_points, light = cache
    corners, weights = grid_weights(place[0], place[1], int(face_steps[face]))
    total, red, green, blue = 0.0, 0.0, 0.0, 0.0
    for k in range(3):
        point = grid_points[face_first[face] + corners[k]]
        weight = (weights[k] + 1e-6) * float(light[side, point, 3])
        total += weight
        red += weight * float(light[side, point, 0])
        green += weight * float(light[side, point, 1])
        blue += weight * float(light[side, point, 2])
    return red / total, green / total, blue / total


@njit(cache=True)
def shade(
    hits: tuple[np.ndarray, np.ndarray, np.ndarray],
    front: np.ndarray,
    paint: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    cache: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    glow_gain: float,
) -> np.ndarray:
    """Return the radiance ``[ray, rgb]`` that leaves each hit towards the ray's origin.

    ``hits`` are face, second, third; ``front`` says on which side; ``paint`` is texels, tables,
    glow, face_material, uvs; ``cache`` is face_steps, face_first, grid_points, light.
    """
    face, second, third = hits
    texels, tables, glow, face_material, uvs = paint
    radiance = np.zeros((len(face), 3), np.float32)
    for ray in range(len(face)):
        f = face[ray]
        if f < 0:
            continue
        b, c = second[ray], third[ray]
        a = 1.0 - b - c
        uv_u = a * uvs[f, 0, 0] + b * uvs[f, 1, 0] + c * uvs[f, 2, 0]
        uv_v = a * uvs[f, 0, 1] + b * uvs[f, 1, 1] + c * uvs[f, 2, 1]
        material = int(face_material[f])
        red, green, blue = albedo_at(texels, tables, material, uv_u, uv_v)
        if glow[material] > 0:
            gain = glow[material] * glow_gain
            radiance[ray, 0] = gain * red
            radiance[ray, 1] = gain * green
            radiance[ray, 2] = gain * blue
            continue
        side = 0 if front[ray] else 1
        lit_red, lit_green, lit_blue = light_at(cache, side, f, (b, c))
        radiance[ray, 0] = red * lit_red
        radiance[ray, 1] = green * lit_green
        radiance[ray, 2] = blue * lit_blue
    return radiance


@njit(cache=True)
def cut_triangles(
    corners: np.ndarray, normals: np.ndarray, face_steps: np.ndarray, face_first: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return position, normal and a point drawn slightly inwards for every grid point."""
    count = face_first[-1]
    points, turned, inner = np.empty((count, 3)), np.empty((count, 3)), np.empty((count, 3))
    for f in range(len(corners)):
        steps = face_steps[f]
        for row in range(steps + 1):
            for column in range(steps + 1 - row):
                at = face_first[f] + grid_index(row, column, steps)
                b, c = row / steps, column / steps
                for axis in range(3):
                    first, second, third = corners[f, :, axis]
                    points[at, axis] = first + b * (second - first) + c * (third - first)
                    middle = (first + second + third) / 3
                    inner[at, axis] = points[at, axis] + 0.03 / steps * (middle - points[at, axis])
                    first, second, third = normals[f, :, axis]
                    turned[at, axis] = first + b * (second - first) + c * (third - first)
    return points, turned, inner


@njit(cache=True)
def mark_seen(
    hits: tuple[np.ndarray, np.ndarray, np.ndarray],
    front: np.ndarray,
    grids: tuple[np.ndarray, np.ndarray, np.ndarray],
    seen: np.ndarray,
) -> None:
    """Set ``seen[side, point]`` for every cache point that shading these hits would read."""
    face, second, third = hits
    face_steps, face_first, grid_points = grids
    for ray in range(len(face)):
        f = face[ray]
        if f >= 0:
            corners, _ = grid_weights(second[ray], third[ray], int(face_steps[f]))
            for k in range(3):
                seen[0 if front[ray] else 1, grid_points[face_first[f] + corners[k]]] = True
