"""Rays in world coordinates, the only thing a renderer is asked to look along."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    from .camera import PinholeCamera


@dataclass(frozen=True, kw_only=True)
class Rays:
    """A flat batch of rays."""

    origins: Float[Tensor, "ray 3"]
    """World points, float32."""
    directions: Float[Tensor, "ray 3"]
    """Unit vectors from the eye outwards, float32."""
    z_per_distance: Float[Tensor, " ray"]
    """Cosine between a ray and its camera's optical axis: z-depth is distance times this."""
    pixel: Float[Tensor, " ray"] | None = None
    """Width of each ray's pixel over its distance, for fields that can be seen through a pixel of
    some size; None for rays and no more."""
    pinhole: "tuple[PinholeCamera, np.ndarray] | None" = None
    """The camera and the poses ``[m, 4, 4]`` whose pixels these are, all of them and in order."""

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together, and rays without place or unit direction."""
        n = self.origins.shape[0]
        if self.origins.shape != (n, 3) or self.directions.shape != (n, 3):
            raise ValueError(
                f"expected origins and directions [ray, 3], got {tuple(self.origins.shape)} and "
                f"{tuple(self.directions.shape)}"
            )
        if self.z_per_distance.shape != (n,):
            raise ValueError(
                f"expected z_per_distance [{n}], got {tuple(self.z_per_distance.shape)}"
            )
        if not bool(self.origins.isfinite().all()):
            lost = int((~self.origins.isfinite().all(dim=-1)).sum())
            raise ValueError(
                f"expected finite origins, {lost} of {n} rays start at NaN or infinity; check the "
                "cameras' poses"
            )
        if self.pixel is not None and self.pixel.shape != (n,):
            raise ValueError(f"expected pixel [{n}], got {tuple(self.pixel.shape)}")
        length = self.directions.norm(dim=-1)
        if n and not bool(((length - 1).abs() < 1e-3).all()):
            raise ValueError(
                f"expected unit directions, got lengths from {float(length.min()):.4g} to "
                f"{float(length.max()):.4g}; divide each direction by its length"
            )

    def __len__(self) -> int:
        """Return the number of rays."""
        return self.origins.shape[0]

    def __getitem__(self, part: slice) -> "Rays":
        """Return a contiguous part of the rays."""
        return Rays(
            origins=self.origins[part],
            directions=self.directions[part],
            z_per_distance=self.z_per_distance[part],
            pixel=None if self.pixel is None else self.pixel[part],
        )
