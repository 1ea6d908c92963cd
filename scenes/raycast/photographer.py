"""Where to stand and where to look: poses that cover a room as someone walking in it would."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, label

from ..card import SceneObject
from .tracer import RayTracer
from .views import look_at

CELL_M = 0.025
CLEARANCE_M = 0.28
"""Nearest distance of the eye to anything upright; an adult's body capsule has 0.25 m."""
EYE_HEIGHTS_M = (0.5, 1.8)
NEAREST_VIEW_M = 0.3
CANDIDATES = 24


@dataclass(frozen=True, kw_only=True)
class WalkableFloor:
    """The cells of the floor on which an observer can stand."""

    free: np.ndarray
    """``[x cell, y cell]`` bool: the largest connected part."""
    origin_m: np.ndarray
    """``[2]`` the map's lower corner."""

    def standing_points(self) -> np.ndarray:
        """Return the centres ``[cell, (x, y)]`` of all free cells."""
        return (np.argwhere(self.free) + 0.5) * CELL_M + self.origin_m

    def is_free(self, xy_m: np.ndarray) -> np.ndarray:
        """Return, for points ``[n, 2]``, whether one can stand there."""
        cell = np.floor((xy_m - self.origin_m) / CELL_M).astype(int)
        inside = np.all((cell >= 0) & (cell < self.free.shape), axis=1)
        cell = np.clip(cell, 0, np.array(self.free.shape) - 1)
        return inside & self.free[cell[:, 0], cell[:, 1]]


def walkable_floor(surface_m: np.ndarray, bounds_m: np.ndarray) -> WalkableFloor:
    """Return where one can stand among surface points ``[n, 3]`` with gaps of at most 0.2 m."""
    shape = np.ceil((bounds_m[1] - bounds_m[0])[:2] / CELL_M).astype(int)
    blocked = np.zeros(shape, bool)
    upright = (surface_m[:, 2] > 0.10) & (surface_m[:, 2] < EYE_HEIGHTS_M[1] + 0.1)
    cell = np.floor((surface_m[upright, :2] - bounds_m[0, :2]) / CELL_M).astype(int)
    cell = np.clip(cell, 0, shape - 1)
    blocked[cell[:, 0], cell[:, 1]] = True
    padded = np.pad(~blocked, 1)
    free = np.asarray(distance_transform_edt(padded))[1:-1, 1:-1] * CELL_M >= CLEARANCE_M
    parts, count = _labelled(free)
    if not count:
        raise ValueError("expected floor to stand on, found none; the room is too full")
    largest = np.argmax(np.bincount(parts.ravel())[1:]) + 1
    return WalkableFloor(free=parts == largest, origin_m=bounds_m[0, :2].copy())


def _labelled(free: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the number of each cell's connected part, 0 for none, and how many parts there are."""
    parts = np.zeros(free.shape, np.int32)
    count = label(free, output=parts)
    return parts, int(count)  # type: ignore[arg-type]


class Photographer:
    """Chooses poses; the same seed and purpose give the same poses."""

    def __init__(
        self, tracer: RayTracer, floor: WalkableFloor, objects: tuple[SceneObject, ...]
    ) -> None:
        """Prepare for a room."""
        self._tracer = tracer
        self._points = floor.standing_points()
        self._floor = floor
        self._objects = [thing for thing in objects if thing.wnid] or list(objects)

    def poses(self, count: int, *, seed: int, purpose: int) -> list[np.ndarray]:
        """Return ``world_from_camera`` of views; every second one looks at an object."""
        poses: list[np.ndarray] = []
        eyes = np.empty((0, 3))
        for index in range(count):
            rng = np.random.Generator(
                np.random.Philox(np.random.SeedSequence((seed, purpose, index)))
            )
            if index % 2 and self._objects:
                thing = self._objects[(index // 2) % len(self._objects)]
                pose = self._object_view(thing, rng, eyes)
            else:
                pose = self._free_view(rng, eyes, share=index / count)
            eyes = np.concatenate([eyes, pose[None, :3, 3]])
            poses.append(pose)
        return poses

    def walk(self, frames: int, *, seed: int, step_m: float = 0.08) -> list[np.ndarray]:
        """Return poses of a straight walk with gaze turning slowly, as long as fits."""
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 77))))
        length = step_m * (frames - 1)
        start, heading = self._straight_way(rng, length)
        ahead = np.array([np.cos(heading), np.sin(heading)])
        poses = []
        for time in np.linspace(0, 1, frames):
            eye = np.append(start + time * length * ahead, 1.5 + 0.015 * np.sin(12 * time))
            gaze = heading + 0.25 * np.sin(2.5 * time)
            poses.append(look_at(eye, eye + [np.cos(gaze), np.sin(gaze), -0.25]))
        return poses

    def _straight_way(self, rng: np.random.Generator, length: float) -> tuple[np.ndarray, float]:
        """Return the start and the heading of a free straight way of some length."""
        for _ in range(5000):
            start = self._points[rng.integers(len(self._points))]
            heading = float(rng.uniform(0, 2 * np.pi))
            ahead = np.array([np.cos(heading), np.sin(heading)])
            if self._floor.is_free(start + np.linspace(0, length, 40)[:, None] * ahead).all():
                return start, heading
        raise ValueError(
            f"expected a free straight way of {length:.2f} m in the room, found none; "
            "ask for fewer walk_frames"
        )

    def _free_view(self, rng: np.random.Generator, eyes: np.ndarray, *, share: float) -> np.ndarray:
        eye = self._far_from(eyes, self._eyes(rng, CANDIDATES))
        best, best_room = look_at(eye, eye + [1.0, 0.0, -0.1]), -1.0
        for _ in range(8):
            yaw = 2 * np.pi * ((share * 7) % 1) + rng.uniform(0, 2 * np.pi)
            pitch = np.clip(rng.normal(-0.15, 0.28), -0.75, 0.55)
            target = eye + [np.cos(yaw), np.sin(yaw), np.tan(pitch)]
            pose = look_at(eye, target)
            room = self._nearest(pose)
            if room > NEAREST_VIEW_M and (room > 0.9 or rng.uniform() < 0.5):
                return pose
            if room > best_room:
                best, best_room = pose, room
        return best

    def _object_view(
        self, thing: SceneObject, rng: np.random.Generator, eyes: np.ndarray
    ) -> np.ndarray:
        centre, size = np.array(thing.box.centre_m), max(thing.box.size_m)
        wanted = rng.uniform(0.9, 2.0) * (0.35 + size)
        candidates = self._eyes(rng, 300)
        distance = np.linalg.norm(candidates - centre, axis=1)
        seen = self._sees(candidates, centre, distance, size)
        cost = np.abs(np.log(distance / wanted)) + np.where(seen, 0.0, 3.0)
        best = candidates[np.argsort(cost)[: CANDIDATES // 3]]
        eye = self._far_from(eyes, best)
        aim = centre + rng.normal(0, 0.15, 3) * np.linalg.norm(eye - centre)
        slope = (aim - eye)[2] / max(float(np.linalg.norm((aim - eye)[:2])), 0.2)
        aim[2] = eye[2] + np.clip(slope, -1.0, 0.7) * np.linalg.norm((aim - eye)[:2])
        return look_at(eye, aim)

    def _eyes(self, rng: np.random.Generator, count: int) -> np.ndarray:
        xy = self._points[rng.integers(len(self._points), size=count)]
        xy = xy + rng.uniform(-0.5, 0.5, xy.shape) * CELL_M
        return np.column_stack([xy, rng.uniform(*EYE_HEIGHTS_M, count)])

    @staticmethod
    def _far_from(eyes: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        """Return the candidate farthest from all earlier eyes (Mitchell's best candidate)."""
        if not len(eyes):
            return candidates[0]
        gaps = np.linalg.norm(candidates[:, None] - eyes[None], axis=-1).min(1)
        return candidates[np.argmax(gaps)]

    def _sees(
        self, eyes: np.ndarray, centre: np.ndarray, distance: np.ndarray, size: float
    ) -> np.ndarray:
        hits = self._tracer.first_hits(eyes, (centre - eyes) / distance[:, None])
        return hits.distance_m > distance - 0.6 * size - 0.05

    def _nearest(self, pose: np.ndarray) -> float:
        """Return a low quantile of the distance to what the camera sees."""
        x, y = np.meshgrid(np.linspace(-0.7, 0.7, 9), np.linspace(-0.5, 0.5, 7))
        local = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
        local /= np.linalg.norm(local, axis=1, keepdims=True)
        origins = np.broadcast_to(pose[:3, 3], local.shape)
        hits = self._tracer.first_hits(origins, local @ pose[:3, :3].T)
        return float(np.quantile(hits.distance_m, 0.2))
