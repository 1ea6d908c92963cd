"""A pinhole camera of one picture: pixels to points of the world and back.

OpenCV axes (+x right, +y down, +z forward); pixel centres at half-integers.
"""

from dataclasses import dataclass

import numpy as np

from ..maps.human_maps import HumanMaps

ORTHONORMAL_WITHIN = 1e-3
"""Published cameras are rounded; this catches a scale, a shear or a mirrored axis."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ViewCamera:
    """Where a picture was taken from, and with what."""

    camera_from_world: np.ndarray
    """float64 ``[4, 4]``, rigid."""
    intrinsics_px: np.ndarray
    """float64 ``[3, 3]``, in pixels of this picture."""
    width: int
    height: int

    def __post_init__(self) -> None:
        """Refuse cameras that are none."""
        pose, intrinsics = self.camera_from_world, self.intrinsics_px
        if pose.shape != (4, 4) or intrinsics.shape != (3, 3):
            raise ValueError(
                "expected a camera [4, 4] with intrinsics [3, 3], got "
                f"{pose.shape} and {intrinsics.shape}"
            )
        if not (np.isfinite(pose).all() and np.isfinite(intrinsics).all()):
            raise ValueError("expected a finite camera, found NaN or infinity: it is not known")
        turn = pose[:3, :3]
        off = np.abs(turn @ turn.T - np.eye(3)).max()
        if off > ORTHONORMAL_WITHIN or np.linalg.det(turn) < 0:
            raise ValueError(
                f"expected camera_from_world to turn and move only, got a determinant of "
                f"{np.linalg.det(turn):.4g}, off a rotation by {off:.4g}; take scale and mirrored "
                "axes out of it"
            )
        if not (intrinsics[0, 0] > 0 and intrinsics[1, 1] > 0) or min(self.width, self.height) < 1:
            raise ValueError(
                f"expected positive focal lengths and at least 1x1 pixels, got "
                f"{intrinsics[0, 0]:.4g} and {intrinsics[1, 1]:.4g} px for "
                f"{self.width}x{self.height}"
            )

    @property
    def size_rowcol_px(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @property
    def position_world(self) -> np.ndarray:
        """The camera's centre ``[3]``."""
        turn, shift = self.camera_from_world[:3, :3], self.camera_from_world[:3, 3]
        return -turn.T @ shift

    @property
    def axis_world(self) -> np.ndarray:
        """Unit vector ``[3]`` along which the camera looks."""
        return self.camera_from_world[2, :3]

    def rays_world(self) -> np.ndarray:
        """Return the direction ``[h, w, 3]`` of each pixel's centre, 1 long along the axis."""
        x, y = np.meshgrid(np.arange(self.width) + 0.5, np.arange(self.height) + 0.5)
        pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
        rays_camera = pixels @ np.linalg.inv(self.intrinsics_px).T
        return rays_camera @ self.camera_from_world[:3, :3]

    def check_depth(self, depth: np.ndarray) -> None:
        """Raise ValueError for a depth map of another size."""
        if depth.shape != self.size_rowcol_px:
            raise ValueError(
                f"expected depth of {self.size_rowcol_px}, the camera's rows and columns, got "
                f"{depth.shape}"
            )

    def points_world(self, depth: np.ndarray) -> np.ndarray:
        """Return the points ``[h, w, 3]`` at z-depths ``[h, w]``; NaN where there is no surface.

        Raises:
            ValueError: a depth map of another size.
        """
        self.check_depth(depth)
        known = np.where(has_surface(depth), depth, np.nan).astype(np.float64)
        return self.position_world + known[..., None] * self.rays_world()

    def project(self, points_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return pixels xy ``[..., 2]`` and z-depth ``[...]`` of points; NaN where not ahead."""
        turn, shift = self.camera_from_world[:3, :3], self.camera_from_world[:3, 3]
        points_camera = points_world @ turn.T + shift
        with np.errstate(invalid="ignore"):
            depth = np.where(points_camera[..., 2] > 0, points_camera[..., 2], np.nan)
        homogeneous = (points_camera / depth[..., None]) @ self.intrinsics_px.T
        return homogeneous[..., :2], depth

    def resized(self, width: int, height: int) -> "ViewCamera":
        """Return the camera of the same picture with other pixels."""
        factors = np.array([width / self.width, height / self.height, 1.0])
        return ViewCamera(
            camera_from_world=self.camera_from_world,
            intrinsics_px=self.intrinsics_px * factors[:, None],
            width=width,
            height=height,
        )

    def cropped(self, left: int, top: int, width: int, height: int) -> "ViewCamera":
        """Return the camera of a part of the picture, given by its top left corner and size."""
        moved = self.intrinsics_px.copy()
        moved[:2, 2] -= left, top
        return ViewCamera(
            camera_from_world=self.camera_from_world,
            intrinsics_px=moved,
            width=width,
            height=height,
        )


def has_surface(depth: np.ndarray) -> np.ndarray:
    """Return where depth is that of a surface: 0, NaN and infinity are none."""
    return np.isfinite(depth) & (depth > 0)


def view_cameras(maps: HumanMaps) -> tuple[ViewCamera | None, ...]:
    """Return the camera of each image, None where it is not known."""
    if maps.cameras is None:
        return (None,) * len(maps)
    height, width = maps.maps.shape[1:]
    pairs = zip(maps.cameras.camera_from_world, maps.cameras.intrinsics_px, strict=True)
    return tuple(
        ViewCamera(camera_from_world=pose, intrinsics_px=intrinsics, width=width, height=height)
        if np.isfinite(pose).all() and np.isfinite(intrinsics).all()
        else None
        for pose, intrinsics in pairs
    )
