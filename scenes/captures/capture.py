"""What a capture is: posed photographs, whichever program posed them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from .extras import CaptureExtras

CaptureKind = Literal["nerfstudio", "blender", "colmap"]


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """Lens distortion in OpenCV's model, on coordinates divided by depth.

    ``x' = x (1 + k1 r^2 + k2 r^4 + k3 r^6 + k4 r^8) + 2 p1 x y + p2 (r^2 + 2 x^2)``, and ``y'``
    likewise with ``p1`` and ``p2`` swapped.
    """

    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0
    p1: float = 0.0
    p2: float = 0.0

    @property
    def is_zero(self) -> bool:
        """Whether the lens is a perfect pinhole."""
        return not any((self.k1, self.k2, self.k3, self.k4, self.p1, self.p2))


@dataclass(frozen=True, kw_only=True)
class View:
    """A photograph and the camera that took it."""

    name: str
    """Path of the photograph relative to the capture, with forward slashes; unique."""
    path: Path
    """Where the photograph is."""
    world_from_camera: np.ndarray
    """Camera-to-capture pose ``[4, 4]`` in float64, OpenCV axes."""
    fx: float
    """Focal length in pixels along x; likewise ``fy``."""
    fy: float
    cx: float
    """Principal point in pixels; the centre of the top-left pixel is (0.5, 0.5)."""
    cy: float
    width: int
    height: int
    distortion: Distortion = Distortion()
    mask: Path | None = None
    """Picture that is black where the photograph must be ignored, if there is one."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which photographs train a scene and which are kept back to check it."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Capture:
    """Posed photographs of one place."""

    root: Path
    kind: CaptureKind
    views: tuple[View, ...]
    """The photographs that exist, sorted by name."""
    split: Split | None = None
    """The capture's own choice of held-out photographs, or None when it makes none."""
    extras: CaptureExtras | None = None
    """What ``capture.json`` adds, if there is one."""
    missing: tuple[str, ...] = ()
    """Photographs that the pose file lists and that do not exist."""

    def missing_message(self) -> str:
        """Return one sentence that names the missing photographs; empty when there are none."""
        if not self.missing:
            return ""
        listed = len(self.views) + len(self.missing)
        names = ", ".join(self.missing)
        return f"{len(self.missing)} of {listed} listed photographs do not exist: {names}"
