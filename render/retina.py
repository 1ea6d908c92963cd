"""A foveated retina: rays as dense as visual cortex has room for them, rendered directly.

Rows are rings of equal eccentricity, columns are spokes. The cortical magnification
``M(E) = k / (E + a)`` (Horton and Hoyt 1991: a = 0.75 degrees) makes ring spacing grow as
``E + a``, so ring ``i`` of ``n`` has ``E = a (exp(i / n ln((R + a) / a)) - 1)``.
"""

import math
from dataclasses import dataclass

import numpy as np

from .camera import PinholeCamera


@dataclass(frozen=True, kw_only=True)
class FoveatedRetina:
    """A log-polar grid of rays around the line of sight."""

    rings: int = 64
    spokes: int = 108
    """1.7 times the rings make cells about square outside the fovea, at 30 degrees."""
    radius_rad: float = math.radians(30)
    """Eccentricity of the outer edge."""
    half_rad: float = math.radians(0.75)
    """Eccentricity at which magnification is half of that in the fovea's centre: a in M(E)."""

    def __post_init__(self) -> None:
        """Refuse retinas without cells or field."""
        if self.rings < 1 or self.spokes < 3:
            raise ValueError(f"expected at least 1 ring and 3 spokes, got {self}")
        if not 0 < self.radius_rad < math.pi / 2 or not self.half_rad > 0:
            raise ValueError(
                f"expected a radius between 0 and 90 degrees and a positive half-magnification "
                f"angle, got {math.degrees(self.radius_rad):.4g} and "
                f"{math.degrees(self.half_rad):.4g} degrees"
            )

    @property
    def width(self) -> int:
        """Columns: one for each spoke."""
        return self.spokes

    @property
    def height(self) -> int:
        """Rows: one for each ring, the fovea first."""
        return self.rings

    @property
    def _stretch(self) -> float:
        return math.log((self.radius_rad + self.half_rad) / self.half_rad)

    def eccentricity_rad(self, ring: np.ndarray) -> np.ndarray:
        """Return the eccentricity at ring coordinates; 0 is the centre, ``rings`` the edge."""
        return self.half_rad * np.expm1(np.asarray(ring) / self.rings * self._stretch)

    def ring_of(self, eccentricity_rad: np.ndarray) -> np.ndarray:
        """Return the ring coordinate at an eccentricity."""
        return self.rings * np.log1p(np.asarray(eccentricity_rad) / self.half_rad) / self._stretch

    def directions(self) -> np.ndarray:
        """Return the unit direction ``[ring, spoke, 3]`` of each cell's centre, camera axes.

        Spokes start at +x (right) and turn towards +y (down).
        """
        angle = self.eccentricity_rad(np.arange(self.rings) + 0.5)[:, None]
        turn = 2 * np.pi * (np.arange(self.spokes) + 0.5) / self.spokes
        x, y = np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn)
        return np.stack([x, y, np.broadcast_to(np.cos(angle), x.shape)], axis=-1)

    def pixel_widths(self) -> np.ndarray:
        """Return how wide each cell ``[ring, spoke]`` is, over the distance along its ray.

        The mean, in area, of the ring's width and the spoke's.
        """
        angle = self.eccentricity_rad(np.arange(self.rings) + 0.5)
        along = (angle + self.half_rad) * self._stretch / self.rings
        across = 2 * np.pi * np.sin(angle) / self.spokes
        return np.repeat(np.sqrt(along * across)[:, None], self.spokes, axis=1)

    def project(self, points_camera: np.ndarray) -> np.ndarray:
        """Return (spoke, ring) coordinates ``[..., 2]`` of points ``[..., 3]``.

        The centre of the first cell is (0.5, 0.5). Points outside the radius have a ring beyond
        the last; points that are not in front of the eye give NaN.
        """
        points = np.asarray(points_camera, dtype=np.float64)
        z = np.where(points[..., 2] > 0, points[..., 2], np.nan)
        ring = self.ring_of(np.arctan2(np.hypot(points[..., 0], points[..., 1]), z))
        turn = np.mod(np.arctan2(points[..., 1], points[..., 0]), 2 * np.pi)
        spoke = turn / (2 * np.pi) * self.spokes + 0 * z
        return np.stack([spoke, ring], axis=-1)

    def from_picture(self, picture: np.ndarray, camera: PinholeCamera) -> np.ndarray:
        """Return what the retina would see of a picture ``[height, width, channel]``.

        Blends the four nearest pixels; cells that look past the picture are black.
        """
        import cv2

        at = camera.project(self.directions()).astype(np.float32) - 0.5
        return cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR)

    def to_picture(self, seen: np.ndarray, camera: PinholeCamera) -> np.ndarray:
        """Return a picture ``[height, width, channel]`` of what the retina sees, for people.

        Blends the four nearest cells, also across the first spoke; black outside the radius.
        """
        import cv2

        at = self.project(camera.directions()).astype(np.float32)
        wrapped = np.concatenate([seen[:, -1:], seen, seen[:, :1]], axis=1)
        spoke, ring = at[..., 0] + 0.5, np.clip(at[..., 1] - 0.5, 0, self.rings - 1)
        picture = cv2.remap(wrapped, spoke, ring, cv2.INTER_LINEAR)
        picture[at[..., 1] > self.rings] = 0
        return picture
