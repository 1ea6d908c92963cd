"""Human attention maps over images, with where they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .making import MapRecipe
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

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        shapes = self.camera_from_world.shape, self.intrinsics_px.shape, self.scale.shape
        n = len(self.scale)
        if shapes != ((n, 4, 4), (n, 3, 3), (n,)):
            raise ValueError(
                "expected cameras [n, 4, 4], intrinsics [n, 3, 3] and scales [n], got "
                f"{shapes[0]}, {shapes[1]} and {shapes[2]}"
            )

    def __len__(self) -> int:
        """Return the number of cameras, known and unknown."""
        return len(self.scale)


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
    recipe: MapRecipe | None = None
    """How the maps were made of the trials; ceilings are measured on maps made the same way."""
    splits: tuple[str, ...] | None = None
    """Which split of its study each image belongs to, if there are some."""
    cameras: Cameras | None = None
    """Where each image was taken from, if known."""
    classes: tuple[int, ...] | None = None
    """ImageNet class of each image, 0 to 999, if the study tells it."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """What the files hold beside these and was not taken: its name, and why."""

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
        if self.classes is not None and len(self.classes) != n:
            raise ValueError(f"expected one class for each of {n} images, got {len(self.classes)}")
        if self.cameras is not None and len(self.cameras) != n:
            raise ValueError(f"expected one camera for each of {n} images, got {len(self.cameras)}")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)
