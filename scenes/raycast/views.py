"""Cameras and what they see: picture, z-depth and object ids, and exact flow between two views."""

from dataclasses import dataclass

import numpy as np

from .kernels import shade
from .light_cache import LightCache
from .paint import Paint, srgb_from_linear
from .surfaces import Mesh, face_normals
from .tracer import Hits, RayTracer

OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
"""The same camera's axes: OpenGL has y up and looks along -z, OpenCV y down and looks along +z."""
OCCLUSION_TOLERANCE = 2e-3
"""Share of the distance by which a surface must be nearer than a point to hide it."""


@dataclass(frozen=True, kw_only=True)
class CaptureCamera:
    """A pinhole with square pixels and its principal point in the middle."""

    width: int
    height: int
    hfov_rad: float

    def __post_init__(self) -> None:
        """Refuse cameras that cannot be."""
        if self.width < 1 or self.height < 1 or not 0 < self.hfov_rad < np.pi:
            raise ValueError(f"expected a picture of positive size and 0 < hfov < pi, got {self}")

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.width / 2 / float(np.tan(self.hfov_rad / 2))

    def directions(self, xy_px: np.ndarray) -> np.ndarray:
        """Return camera-frame directions ``[..., 3]`` with z = 1 through image points."""
        middle = np.array([self.width / 2, self.height / 2])
        xy = (np.asarray(xy_px, np.float64) - middle) / self.focal_px
        return np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)

    def pixel_centres(self) -> np.ndarray:
        """Return the centres ``[row, column, (x, y)]`` of all pixels."""
        x, y = np.meshgrid(np.arange(self.width) + 0.5, np.arange(self.height) + 0.5)
        return np.stack([x, y], axis=-1)


@dataclass(frozen=True, kw_only=True)
class View:
    """Exactly what is where in one picture."""

    camera: CaptureCamera
    world_from_camera: np.ndarray
    """``[4, 4]``, OpenCV axes."""
    depth_m: np.ndarray
    """``[row, column]`` float32 z-depth at pixel centres, infinite where nothing is."""
    ids: np.ndarray
    """``[row, column]`` uint8: 0 for the room, ``k + 1`` for its object k."""
    rgb: np.ndarray | None = None
    """``[row, column, 3]`` uint8 sRGB."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Where the points seen by one view's pixels are in another view."""

    flow_px: np.ndarray
    """``[row, column, (x, y)]`` float32: position in the target minus position in the source."""
    visible: np.ndarray
    """``[row, column]`` bool: inside the target's picture and not hidden there."""


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """From radiance to picture values: white clips softly."""

    gain: float = 1.15
    white: float = 3.5
    """Radiance (after the gain) that becomes full white."""

    def develop(self, radiance: np.ndarray) -> np.ndarray:
        """Return linear picture intensities in [0, 1] (Reinhard et al. 2002, eq. 4)."""
        value = radiance * self.gain
        return np.clip(value * (1 + value / self.white**2) / (1 + value), 0, 1)


class RoomCamera:
    """Takes pictures of a lit surface."""

    def __init__(
        self, mesh: Mesh, face_object: np.ndarray, paint: Paint, cache: LightCache | None = None
    ) -> None:
        """Prepare for a mesh; without cached light only depth, ids and flow can be had."""
        self.tracer = RayTracer(mesh.corners_m)
        self._flat = face_normals(mesh.corners_m).astype(np.float32)
        self._face_object = face_object
        self._paint = paint
        self._cache = cache

    def truth(self, camera: CaptureCamera, world_from_camera: np.ndarray) -> View:
        """Return depth and ids through the pixels' centres."""
        local = camera.directions(camera.pixel_centres()).reshape(-1, 3)
        lengths = np.linalg.norm(local, axis=1)
        directions = local @ world_from_camera[:3, :3].T / lengths[:, None]
        origins = np.broadcast_to(world_from_camera[:3, 3], directions.shape)
        hits = self.tracer.first_hits(origins, directions)
        shape = (camera.height, camera.width)
        ids = np.where(hits.face >= 0, self._face_object[hits.face], 0)
        return View(
            camera=camera,
            world_from_camera=world_from_camera,
            depth_m=(hits.distance_m / lengths).reshape(shape).astype(np.float32),
            ids=ids.reshape(shape).astype(np.uint8),
        )

    def sides(
        self, camera: CaptureCamera, world_from_camera: np.ndarray
    ) -> tuple[Hits, np.ndarray]:
        """Return what the pixels' centres hit, and whether on its front."""
        local = camera.directions(camera.pixel_centres()).reshape(-1, 3)
        directions = local @ world_from_camera[:3, :3].T
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        origins = np.broadcast_to(world_from_camera[:3, 3], directions.shape)
        hits = self.tracer.first_hits(origins, directions)
        return hits, np.einsum("rx,rx->r", self._flat[hits.face], directions) < 0

    def picture(
        self,
        camera: CaptureCamera,
        world_from_camera: np.ndarray,
        exposure: Exposure,
        *,
        jitter: np.ndarray,
    ) -> np.ndarray:
        """Return the sRGB picture, each pixel the mean over one ray in each cell of its grid.

        ``jitter`` ``[row, column, cell row, cell column, 2]`` in [0, 1) places the rays in cells.
        """
        if self._cache is None:
            raise ValueError("expected cached light for a picture; light the room first")
        cells = jitter.shape[2]
        steps = np.arange(cells)
        grid = np.stack(np.meshgrid(steps, steps), axis=-1)
        xy = camera.pixel_centres()[:, :, None, None] - 0.5 + (grid + jitter) / cells
        directions = camera.directions(xy).reshape(-1, 3) @ world_from_camera[:3, :3].T
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        radiance = self.radiance(world_from_camera[:3, 3], directions.astype(np.float32))
        shape = (camera.height, camera.width, cells * cells, 3)
        mean = exposure.develop(radiance).reshape(shape).mean(2)
        return np.round(srgb_from_linear(mean) * 255).astype(np.uint8)

    def radiance(self, origin_m: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Return the radiance ``[ray, 3]`` that arrives at a point from unit directions."""
        assert self._cache is not None
        origins = np.broadcast_to(origin_m.astype(np.float32), directions.shape)
        hits = self.tracer.first_hits(origins, directions)
        front = np.einsum("rx,rx->r", self._flat[hits.face], directions) < 0
        paint = self._paint
        return shade(
            (hits.face, hits.second, hits.third),
            front,
            (paint.texels, paint.tables, paint.glow, paint.face_material, paint.uvs),
            self._cache.arrays(),
            1.0,
        )

    def flow_between(self, source: View, target: View) -> Flow:
        """Return the exact flow of a static room from one view to another, and where it is seen.

        The source pixel's point is found by its depth, projected into the target, and looked at
        along a ray from the target's eye: where that ray ends earlier, the point is hidden.
        """
        xy = source.camera.pixel_centres()
        solid = np.isfinite(source.depth_m)
        depth = np.where(solid, source.depth_m, 1.0).astype(np.float64)
        points = source.camera.directions(xy) * depth[..., None]
        world = points @ source.world_from_camera[:3, :3].T + source.world_from_camera[:3, 3]
        eye = target.world_from_camera[:3, 3]
        local = (world - eye) @ target.world_from_camera[:3, :3]
        ahead = local[..., 2] > 1e-6
        z = np.where(ahead, local[..., 2], 1.0)
        camera = target.camera
        middle = np.array([camera.width / 2, camera.height / 2])
        there = local[..., :2] / z[..., None] * camera.focal_px + middle
        inside = np.all((there >= 0) & (there <= 2 * middle), axis=-1) & ahead & solid
        ray = (world - eye).reshape(-1, 3)
        length = np.maximum(np.linalg.norm(ray, axis=1), 1e-9)
        hits = self.tracer.first_hits(np.broadcast_to(eye, ray.shape), ray / length[:, None])
        seen = hits.distance_m >= length * (1 - OCCLUSION_TOLERANCE)
        flow = np.where(ahead[..., None], there - xy, np.nan).astype(np.float32)
        return Flow(flow_px=flow, visible=inside & seen.reshape(inside.shape))


def opengl_pose(world_from_camera: np.ndarray) -> np.ndarray:
    """Return the pose ``[4, 4]`` of the same camera with OpenGL axes, as nerfstudio writes it."""
    return world_from_camera @ OPENCV_FROM_OPENGL


def look_at(eye_m: np.ndarray, target_m: np.ndarray) -> np.ndarray:
    """Return ``world_from_camera`` (OpenCV axes) of an upright camera that looks at a point."""
    forward = np.asarray(target_m, float) - eye_m
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye_m
    return pose
