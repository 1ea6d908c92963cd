"""Light on every surface, computed once: direct with soft shadows, plus what surfaces exchange.

Triangles are cut into grids of about 5 cm. At each grid point, on both sides of the surface, the
irradiance is gathered by rays; shading interpolates it. The pictures of all views therefore agree
exactly, as photographs of a room with matt surfaces would.
"""

from dataclasses import dataclass, replace

import numpy as np

from .kernels import cut_triangles, shade
from .light import GOLDEN, Light
from .paint import Paint
from .surfaces import Mesh, face_normals
from .tracer import RayTracer

OFFSET_M = 2e-3
BURIED_M = 0.02
MAX_STEPS = 160
MERGE_M = 8e-3
"""Points of one material that are nearer than this and face the same way share their light."""


@dataclass(frozen=True, kw_only=True)
class LightQuality:
    """How finely light is computed."""

    grid_m: float = 0.05
    """Distance of the points at which light is computed."""
    samples_per_light: int = 32
    bounce_rays: int = 96
    mean_albedo: float = 0.45
    """Of the whole room: light that bounces more than once is that of one bounce over
    ``1 - mean_albedo``, a geometric series."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LightCache:
    """Irradiance on a surface, over pi: a white matt surface has this radiance."""

    face_steps: np.ndarray
    """``[face]`` int32: into how many steps the triangle's sides are cut."""
    face_first: np.ndarray
    """``[face + 1]`` int64: where the triangle's grid starts in ``grid_points``."""
    grid_points: np.ndarray
    """``[grid point]`` int32: index into ``light``."""
    light: np.ndarray
    """``[side, point, (r, g, b, trust)]`` float32; side 0 is the front. Trust is near zero where
    another surface covers the point."""

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the arrays in the order of ``kernels.shade``."""
        return self.face_steps, self.face_first, self.grid_points, self.light


@dataclass(frozen=True, kw_only=True, eq=False)
class CachePoints:
    """The places at which light is computed."""

    positions_m: np.ndarray
    normals: np.ndarray


def cut_surface(mesh: Mesh, *, grid_m: float) -> tuple[LightCache, CachePoints]:
    """Return an unlit cache of a mesh, and its points; coinciding grid points share one."""
    corners = mesh.corners_m
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1)
    steps = np.clip(np.ceil(sides.max(1) / grid_m), 1, MAX_STEPS).astype(np.int32)
    counts = (steps.astype(np.int64) + 1) * (steps + 2) // 2
    first = np.concatenate([[0], np.cumsum(counts)])
    points, normals, inner = cut_triangles(corners, mesh.normals, steps, first)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    material = np.repeat(mesh.face_material, counts)
    cells = np.round(points / MERGE_M) + 2.0**10
    sides = np.round(normals * 2) + 2
    shape = (2**11, 2**11, 2**11, 5, 5, 5, len(mesh.materials))
    columns = [*cells.T, *sides.T, material]
    key = np.ravel_multi_index([column.astype(np.int64) for column in columns], shape)
    _, chosen, grid_points = np.unique(key, return_index=True, return_inverse=True)
    light = np.zeros((2, len(chosen), 4), np.float32)
    light[..., 3] = 1
    cache = LightCache(
        face_steps=steps, face_first=first, grid_points=grid_points.astype(np.int32), light=light
    )
    return cache, CachePoints(positions_m=inner[chosen], normals=normals[chosen])


class Lighting:
    """Computes light at cache points; one per process."""

    def __init__(
        self, mesh: Mesh, paint: Paint, lights: tuple[Light, ...], quality: LightQuality
    ) -> None:
        """Prepare to trace rays in a mesh under lights."""
        self._tracer = RayTracer(mesh.corners_m)
        self._flat = face_normals(mesh.corners_m).astype(np.float32)
        self._paint = paint
        self._lights = lights
        self._quality = quality

    def direct(self, points: CachePoints, *, samples_per_light: int) -> np.ndarray:
        """Return the light ``[point, rgb]`` that arrives straight from lamps and windows."""
        total = np.zeros((len(points.positions_m), 3))
        start = points.positions_m + OFFSET_M * points.normals
        for light in self._lights:
            samples = light.samples(samples_per_light)
            for index in range(len(samples.points_m)):
                to_light = samples.points_m[index] - start
                distance = np.linalg.norm(to_light, axis=1)
                direction = to_light / np.maximum(distance, 1e-6)[:, None]
                strength = np.einsum("px,px->p", direction, points.normals)
                normal = samples.normals[index]
                if normal.any():
                    strength = strength * np.maximum(-direction @ normal, 0)
                strength = np.maximum(strength, 0) / np.maximum(distance, 0.15) ** 2
                facing = np.flatnonzero(strength > 1e-5)
                seen = self._sees(start[facing], direction[facing], distance[facing])
                total[facing[seen]] += strength[facing[seen], None] * samples.power[index]
        return total

    def _sees(self, start: np.ndarray, direction: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Return which rays reach their light; what glows does not block."""
        hits = self._tracer.first_hits(start, direction)
        glowing = self._paint.glow[self._paint.face_material[hits.face]] > 0
        return (hits.distance_m > distance - 0.01) | glowing

    def bounced(self, points: CachePoints, cache: LightCache) -> np.ndarray:
        """Return ``[point, (r, g, b, trust)]``: light from other surfaces, lit as in the cache."""
        rays = self._quality.bounce_rays
        start = points.positions_m + OFFSET_M * points.normals
        index = np.arange(rays)
        height, turn = np.sqrt(1 - (index + 0.5) / rays), 2 * np.pi * index * GOLDEN
        ring = np.sqrt(1 - height**2)
        local = np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=-1)
        first, second = _tangents(points.normals)
        total = np.zeros((len(start), 3))
        free = np.zeros(len(start))
        paint = (
            self._paint.texels,
            self._paint.tables,
            self._paint.glow,
            self._paint.face_material,
            self._paint.uvs,
        )
        for x, y, z in local:
            direction = x * first + y * second + z * points.normals
            hits = self._tracer.first_hits(start, direction)
            front = np.einsum("rx,rx->r", self._flat[hits.face], direction.astype(np.float32)) < 0
            found = shade((hits.face, hits.second, hits.third), front, paint, cache.arrays(), 0.0)
            total += found
            free += hits.distance_m > BURIED_M
        trust = np.where(free > 0.25 * rays, 1.0, 1e-3)
        bounced = total / rays / (1 - self._quality.mean_albedo)
        return np.column_stack([bounced, trust])


def _tangents(normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two unit vectors across each normal, together right-handed."""
    helper = np.where(np.abs(normals[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(helper, normals)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return first, np.cross(normals, first)


def with_light(cache: LightCache, light: np.ndarray) -> LightCache:
    """Return the cache with other light ``[side, point, 4]``."""
    return replace(cache, light=np.ascontiguousarray(light, np.float32))
