"""An equidistant fisheye: equal angles from the axis are equal distances in the picture."""

import math
from dataclasses import dataclass

import numpy as np

LIMIT_RAD = math.radians(89.9)


@dataclass(frozen=True, kw_only=True)
class FisheyeCamera:
    """``r = f theta``, centred, with square pixels (Kannala and Brandt 2006, equation 3)."""

    width: int
    height: int
    hfov_rad: float
    """Angle between the left and the right edge's middle; below 180 degrees, because z-depth has
    no meaning beside or behind the eye."""

    def __post_init__(self) -> None:
        """Refuse cameras without pixels or whose corners look backwards."""
        if self.width < 1 or self.height < 1:
            raise ValueError(f"expected a picture of at least 1x1 pixels, got {self}")
        if not 0 < self.hfov_rad < math.pi:
            raise ValueError(
                f"expected a horizontal field of view between 0 and 180 degrees, "
                f"got {math.degrees(self.hfov_rad):.4g} degrees"
            )

    @property
    def focal_px(self) -> float:
        """Pixels per radian."""
        return self.width / self.hfov_rad

    def directions(self) -> np.ndarray:
        """Return the unit direction ``[height, width, 3]`` of each pixel's centre, camera axes.

        Pixels whose angle would reach 90 degrees, in the corners of wide pictures, look along 89.9
        degrees instead; ``visible`` tells them.
        """
        angle, turn = self._angles()
        angle = np.minimum(angle, LIMIT_RAD)
        x, y = np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn)
        return np.stack([x, y, np.cos(angle)], axis=-1)

    def visible(self) -> np.ndarray:
        """Return ``[height, width]`` bool: pixels that look less than 89.9 degrees off the axis."""
        return self._angles()[0] < LIMIT_RAD

    def pixel_widths(self) -> np.ndarray:
        """Return how wide each pixel ``[height, width]`` is, over the distance along its ray.

        The mean, in area, of ``1 / f`` along the radius and ``sin(theta) / (theta f)`` across it.
        """
        return np.sqrt(np.sinc(self._angles()[0] / np.pi).clip(min=0)) / self.focal_px

    def project(self, points_camera: np.ndarray) -> np.ndarray:
        """Return pixels xy ``[..., 2]`` of points ``[..., 3]``; NaN where not ahead."""
        points = np.asarray(points_camera, dtype=np.float64)
        z = np.where(points[..., 2] > 0, points[..., 2], np.nan)
        radius = self.focal_px * np.arctan2(np.hypot(points[..., 0], points[..., 1]), z)
        turn = np.arctan2(points[..., 1], points[..., 0])
        x, y = radius * np.cos(turn), radius * np.sin(turn)
        return np.stack([x + self.width / 2, y + self.height / 2], axis=-1)

    def _angles(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each pixel's angle off the axis, and around it from +x towards +y."""
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal_px
        y = (np.arange(self.height) + 0.5 - self.height / 2) / self.focal_px
        y_grid, x_grid = np.meshgrid(y, x, indexing="ij")
        return np.hypot(x_grid, y_grid), np.arctan2(y_grid, x_grid)
