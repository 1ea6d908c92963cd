"""Rays in world coordinates, the only thing a renderer is asked to look along."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    from .camera import PinholeCamera

LENGTH_TOLERANCE = 1e-3
"""By how much the length of a direction may differ from 1."""


def existing_device(device: torch.device | str) -> torch.device:
    """Return a device by its name, with its number where there are several of its kind.

    Raises:
        RuntimeError: there is no such device.
    """
    device = torch.device(device)
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise RuntimeError(
                "expected a CUDA GPU for device 'cuda', and there is none; use device 'cpu'"
            )
        if device.index is None:
            return torch.device("cuda", torch.cuda.current_device())
    return device


@dataclass(frozen=True, kw_only=True)
class Rays:
    """A flat batch of rays, on any one device.

    Their values are checked where that costs nothing, on the CPU: rays that ``to`` moves elsewhere
    were checked before, and ``rays_of`` checks the poses of those that it makes elsewhere.
    """

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
        if self.pixel is not None and self.pixel.shape != (n,):
            raise ValueError(f"expected pixel [{n}], got {tuple(self.pixel.shape)}")
        devices = {t.device for t in self._tensors().values()}
        if len(devices) > 1:
            raise ValueError(f"expected all of a batch on one device, got {devices}")
        if self.device.type == "cpu":
            self._refuse_lost_and_long()

    def _refuse_lost_and_long(self) -> None:
        n = len(self)
        if not bool(self.origins.isfinite().all()):
            lost = int((~self.origins.isfinite().all(dim=-1)).sum())
            raise ValueError(
                f"expected finite origins, {lost} of {n} rays start at NaN or infinity; check the "
                "cameras' poses"
            )
        length = self.directions.norm(dim=-1)
        if n and not bool(((length - 1).abs() < LENGTH_TOLERANCE).all()):
            raise ValueError(
                f"expected unit directions, got lengths from {float(length.min()):.4g} to "
                f"{float(length.max()):.4g}; divide each direction by its length"
            )

    def _tensors(self) -> dict[str, Tensor]:
        names = ("origins", "directions", "z_per_distance", "pixel")
        return {name: t for name in names if (t := getattr(self, name)) is not None}

    @property
    def device(self) -> torch.device:
        """Where the rays are."""
        return self.origins.device

    def to(self, device: torch.device | str) -> "Rays":
        """Return the same rays on a device, without waiting for it to get there.

        Raises:
            RuntimeError: there is no such device.
        """
        device = existing_device(device)
        if device == self.device:
            return self
        # What goes to the CPU is waited for: it is read there, beginning with its checks.
        waits = device.type == "cpu"
        moved = {k: t.to(device, non_blocking=not waits) for k, t in self._tensors().items()}
        return replace(self, **moved)

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
