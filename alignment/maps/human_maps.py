"""Human attention maps over images, with where they came from."""

from dataclasses import dataclass

import numpy as np

from .trials import Trials


@dataclass(frozen=True, kw_only=True)
class Cameras:
    """Pinhole cameras of images; NaN where one is not known. OpenCV axes, pixels of the image."""

    camera_from_world: np.ndarray
    """float64 ``[n, 4, 4]``."""
    intrinsics_px: np.ndarray
    """float64 ``[n, 3, 3]``."""
    scale: np.ndarray
    """float64 ``[n]``: of the study's own unit of length."""


@dataclass(frozen=True, kw_only=True)
class HumanMaps:
    """Images and, for each, a map of where people looked or clicked.

    All arrays share their first axis. Images may differ in size from what a model wants; they are
    prepared by the scoring protocol, not here.
    """

    images: np.ndarray
    """uint8 ``[n, height, width, 3]``, RGB."""
    maps: np.ndarray
    """float32 ``[n, height, width]``, at least 0."""
    names: tuple[str, ...]
    labels: tuple[str, ...]
    """Category of each image, in words."""
    kind: str
    """What the maps are, in words that a report prints, such as ``ClickMe 2.0 click maps``."""
    are_human: bool
    """False for maps that no person made (object masks of the demo); reports say so."""
    source: str
    licence: str
    trials: Trials | None = None
    """What single people did, if that is known: people can then be compared with people."""
    splits: tuple[str, ...] | None = None
    """Which split of its study each image belongs to, if there are some."""
    cameras: Cameras | None = None
    """Where each image was taken from, if known."""

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        n = len(self.names)
        if (
            self.images.shape != (*self.maps.shape, 3)
            or len(self.maps) != n
            or len(self.labels) != n
        ):
            raise ValueError(
                f"expected as many images, maps, names and labels, of one size, got images "
                f"{self.images.shape}, maps {self.maps.shape}, {n} names, {len(self.labels)} labels"
            )
        if self.splits is not None and len(self.splits) != n:
            raise ValueError(f"expected one split for each of {n} images, got {len(self.splits)}")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)
