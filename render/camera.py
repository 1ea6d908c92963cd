"""Cameras: pixels to rays and points to pixels; the pinhole among them."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch

from .rays import LENGTH_TOLERANCE, Rays, existing_device


@dataclass(frozen=True, kw_only=True)
class PinholeCamera:
    """Intrinsics in pixels; the centre of the top-left pixel is (0.5, 0.5)."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        """Refuse cameras without pixels or focal length."""
        if self.width < 1 or self.height < 1 or not (self.fx > 0 and self.fy > 0):
            raise ValueError(
                f"expected a picture of at least 1x1 pixels and positive focal lengths, got {self}"
            )

    @classmethod
    def from_hfov(cls, hfov_rad: float, size: tuple[int, int]) -> "PinholeCamera":
        """Return a camera of ``size`` = (width, height) with square pixels, centred.

        The focal length is ``(width / 2) / tan(hfov / 2)`` pixels.
        """
        if not 0 < hfov_rad < math.pi:
            raise ValueError(
                f"expected a horizontal field of view between 0 and 180 degrees, "
                f"got {math.degrees(hfov_rad):.4g} degrees"
            )
        width, height = size
        focal_px = width / 2 / math.tan(hfov_rad / 2)
        return cls(
            width=width, height=height, fx=focal_px, fy=focal_px, cx=width / 2, cy=height / 2
        )

    def resized(self, width: int, height: int) -> "PinholeCamera":
        """Return the camera that sees the same field with other pixels."""
        x, y = width / self.width, height / self.height
        return PinholeCamera(
            width=width,
            height=height,
            fx=self.fx * x,
            fy=self.fy * y,
            cx=self.cx * x,
            cy=self.cy * y,
        )

    def directions(self) -> np.ndarray:
        """Return the unit direction ``[height, width, 3]`` of each pixel's centre, camera axes."""
        x = (np.arange(self.width) + 0.5 - self.cx) / self.fx
        y = (np.arange(self.height) + 0.5 - self.cy) / self.fy
        y_grid, x_grid = np.meshgrid(y, x, indexing="ij")
        directions = np.stack([x_grid, y_grid, np.ones_like(x_grid)], axis=-1)
        return directions / np.linalg.norm(directions, axis=-1, keepdims=True)

    def pixel_widths(self) -> np.ndarray:
        """Return how wide each pixel ``[height, width]`` is, over the distance along its ray.

        A pixel is ``1 / f`` wide on the plane one unit ahead.
        """
        return self.directions()[..., 2] / math.sqrt(self.fx * self.fy)

    def project(self, points_camera: np.ndarray) -> np.ndarray:
        """Return pixels xy ``[..., 2]`` of points ``[..., 3]`` in camera axes.

        Points that are not in front of the camera have no pixel and give NaN.
        """
        points = np.asarray(points_camera, dtype=np.float64)
        z = np.where(points[..., 2] > 0, points[..., 2], np.nan)
        x = self.fx * points[..., 0] / z + self.cx
        return np.stack([x, self.fy * points[..., 1] / z + self.cy], axis=-1)


class Camera(Protocol):
    """What turns pixels into rays: a pinhole, a fisheye, a foveated retina."""

    @property
    def width(self) -> int:
        """Columns."""
        ...

    @property
    def height(self) -> int:
        """Rows."""
        ...

    def directions(self) -> np.ndarray:
        """Return the unit direction ``[height, width, 3]`` of each pixel's centre, camera axes."""
        ...

    def pixel_widths(self) -> np.ndarray:
        """Return how wide each pixel ``[height, width]`` is, over the distance along its ray."""
        ...

    def project(self, points_camera: np.ndarray) -> np.ndarray:
        """Return pixels xy ``[..., 2]`` of points ``[..., 3]`` in camera axes; NaN behind."""
        ...


def pixel_centres(camera: Camera) -> np.ndarray:
    """Return the position ``[h, w, 2]`` (x, y) of each pixel's centre."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return np.stack([x, y], axis=-1)


def rays_of(
    camera: Camera, world_from_camera: np.ndarray, *, device: torch.device | str = "cpu"
) -> Rays:
    """Return the rays of all pixels of cameras at ``world_from_camera`` ``[m, 4, 4]``.

    Rays are ordered ``[m, height, width]``, flattened. On another device than the CPU they are made
    there, of poses and pixels' directions that are brought there; nothing waits for the device.

    Raises:
        ValueError: poses of another shape, or that are no poses.
        RuntimeError: there is no such device.
    """
    device = existing_device(device)
    poses = np.asarray(world_from_camera, dtype=np.float64)
    if poses.ndim != 3 or poses.shape[1:] != (4, 4):
        raise ValueError(f"expected camera poses [m, 4, 4], got {list(poses.shape)}")
    pinhole = (camera, poses) if isinstance(camera, PinholeCamera) else None
    if device.type != "cpu":
        _refuse_lost_and_stretched(poses)
        origins, directions, z, pixel = _made_on(device, camera, poses)
        return Rays(
            origins=origins, directions=directions, z_per_distance=z, pixel=pixel, pinhole=pinhole
        )
    directions_camera = camera.directions().reshape(-1, 3)
    directions = np.einsum("mij,nj->mni", poses[:, :3, :3], directions_camera)
    origins = np.broadcast_to(poses[:, None, :3, 3], directions.shape)
    z = np.broadcast_to(directions_camera[:, 2], directions.shape[:2])
    return Rays(
        origins=_float32(origins).reshape(-1, 3),
        directions=_float32(directions).reshape(-1, 3),
        z_per_distance=_float32(z).reshape(-1),
        pixel=_float32(np.broadcast_to(camera.pixel_widths().reshape(-1), z.shape)).reshape(-1),
        pinhole=pinhole,
    )


def _refuse_lost_and_stretched(poses: np.ndarray) -> None:
    """Refuse poses whose rays would be refused."""
    lost = int((~np.isfinite(poses).all(axis=(1, 2))).sum())
    if lost:
        raise ValueError(
            f"expected finite origins, {lost} of {len(poses)} cameras are at NaN or infinity; "
            "check the cameras' poses"
        )
    # A matrix keeps all lengths if its singular values are one.
    stretch = np.linalg.svd(poses[:, :3, :3], compute_uv=False)
    if len(poses) and np.abs(stretch - 1).max() >= LENGTH_TOLERANCE:
        raise ValueError(
            f"expected unit directions, got poses that stretch lengths by {stretch.min():.4g} to "
            f"{stretch.max():.4g}; take the scale out of the cameras' rotations"
        )


@torch.no_grad()
def _made_on(device: torch.device, camera: Camera, poses: np.ndarray) -> tuple[torch.Tensor, ...]:
    """Return origins, directions, z per distance and pixel widths of all rays on a device.

    In double precision until they are rounded, as on the CPU.
    """
    grid, widths = _pixels_on(device, camera)
    matrices = torch.from_numpy(np.ascontiguousarray(poses)).to(device, non_blocking=True)
    directions = torch.matmul(grid, matrices[:, :3, :3].transpose(1, 2)).float()
    origins = matrices[:, None, :3, 3].float().expand(directions.shape)
    per_pixel = [part.float().expand(directions.shape[:2]) for part in (grid[:, 2], widths)]
    return (
        origins.reshape(-1, 3),
        directions.reshape(-1, 3),
        *(part.reshape(-1) for part in per_pixel),
    )


@lru_cache(maxsize=8)
def _pixels_on(device: torch.device, camera: Camera) -> tuple[torch.Tensor, torch.Tensor]:
    """Return directions ``[pixel, 3]`` and widths ``[pixel]`` on a device, float64, kept there."""
    parts = camera.directions().reshape(-1, 3), camera.pixel_widths().reshape(-1)
    directions, widths = (
        torch.from_numpy(np.ascontiguousarray(part)).to(device, non_blocking=True) for part in parts
    )
    return directions, widths


def _float32(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
