"""Lighting a room by rays, spread over processes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np

from .kernels import mark_seen
from .light_cache import (
    CachePoints,
    LightCache,
    Lighting,
    LightQuality,
    cut_surface,
    with_light,
)
from .paint import Paint
from .room import FurnishedRoom
from .views import CaptureCamera, RoomCamera

Progress = Callable[[float, str], None]
Spread = Callable[[Callable[[Any, Any], Any], Sequence], Iterator]
POINTS_PER_TASK = 12_000
LOOKOUT_WIDTH = 256
UNSEEN_TRUST = 1e-3
_shared: dict[str, Any] = {}
"""What the tasks of this worker process share; filled when the process starts."""


def _start_worker(make: Callable[..., Any], arguments: tuple) -> None:
    _shared["tool"] = make(*arguments)


def _run_task(task: tuple[Callable[[Any, Any], Any], Any]) -> Any:  # noqa: ANN401
    function, item = task
    return function(_shared["tool"], item)


@contextmanager
def workshop(make: Callable[..., Any], arguments: tuple, *, workers: int) -> Iterator[Spread]:
    """Yield a map over items in order; each process makes one tool and uses it for every item."""
    if workers <= 1:
        tool = make(*arguments)
        yield lambda function, items: (function(tool, item) for item in items)
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start_worker, initargs=(make, arguments)
    ) as pool:
        try:
            yield lambda function, items: pool.map(_run_task, [(function, i) for i in items])
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@dataclass(frozen=True, kw_only=True)
class Lookouts:
    """From where a room will be looked at."""

    camera: CaptureCamera
    poses: Sequence[np.ndarray]
    """``world_from_camera`` ``[4, 4]`` each."""


@dataclass(frozen=True, kw_only=True)
class _LightTask:
    """Cache points to light."""

    points: CachePoints
    samples_per_light: int = 0


def light_room(
    room: FurnishedRoom,
    paint: Paint,
    lookouts: Lookouts,
    quality: LightQuality,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> LightCache:
    """Return the room's light, fine wherever one of the lookouts looks and coarse elsewhere."""
    report = progress or (lambda share, message: None)
    cache, points = cut_surface(room.mesh, grid_m=quality.grid_m)
    seen = seen_points(room, paint, cache, lookouts).ravel()
    sides = CachePoints(
        positions_m=np.concatenate([points.positions_m] * 2),
        normals=np.concatenate([points.normals, -points.normals]),
    )
    arguments = (room.mesh, paint, room.lights, quality)
    light = np.zeros((len(seen), 4), np.float32)
    light[:, 3] = np.where(seen, 1.0, UNSEEN_TRUST)
    coarse = max(quality.samples_per_light // 8, 1)
    with workshop(Lighting, arguments, workers=workers) as spread:
        for chosen, samples in ((seen, quality.samples_per_light), (~seen, coarse)):
            parts = _parts(np.flatnonzero(chosen))
            tasks = [_LightTask(points=_at(sides, p), samples_per_light=samples) for p in parts]
            for number, found in enumerate(spread(_direct, tasks)):
                light[parts[number], :3] = found
                report(0.4 * (number + 1) / len(parts), "light from windows and lamps")
    direct = with_light(cache, light.reshape(2, -1, 4))
    parts = _parts(np.flatnonzero(seen))
    with workshop(_make_bouncer, (direct, *arguments), workers=workers) as spread:
        tasks = [_LightTask(points=_at(sides, p)) for p in parts]
        for number, found in enumerate(spread(_bounced, tasks)):
            light[parts[number], :3] += found[:, :3]
            light[parts[number], 3] = found[:, 3]
            report(0.4 + 0.6 * (number + 1) / len(parts), "light between surfaces")
    return with_light(cache, light.reshape(2, -1, 4))


def seen_points(
    room: FurnishedRoom, paint: Paint, cache: LightCache, lookouts: Lookouts
) -> np.ndarray:
    """Return ``[side, point]`` bool: which cache points some lookout's pixels depend on."""
    eye = RoomCamera(room.mesh, room.face_object, paint)
    seen = np.zeros(cache.light.shape[:2], bool)
    shape = lookouts.camera
    height = max(round(LOOKOUT_WIDTH * shape.height / shape.width), 1)
    camera = replace(shape, width=LOOKOUT_WIDTH, height=height)
    grids = (cache.face_steps, cache.face_first, cache.grid_points)
    for pose in lookouts.poses:
        hits, front = eye.sides(camera, pose)
        mark_seen((hits.face, hits.second, hits.third), front, grids, seen)
    return seen


def _make_bouncer(cache: LightCache, *arguments: Any) -> tuple[Lighting, LightCache]:  # noqa: ANN401
    return Lighting(*arguments), cache


def _direct(lighting: Lighting, task: _LightTask) -> np.ndarray:
    return lighting.direct(task.points, samples_per_light=task.samples_per_light)


def _bounced(tool: tuple[Lighting, LightCache], task: _LightTask) -> np.ndarray:
    lighting, cache = tool
    return lighting.bounced(task.points, cache)


def _parts(indices: np.ndarray) -> list[np.ndarray]:
    return np.array_split(indices, max(1, -(-len(indices) // POINTS_PER_TASK)))


def _at(points: CachePoints, indices: np.ndarray) -> CachePoints:
    return CachePoints(positions_m=points.positions_m[indices], normals=points.normals[indices])
