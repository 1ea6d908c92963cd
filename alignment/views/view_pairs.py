"""Views of scenes, and which two of them are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from .carry import TOLERANCE, Carried, fetch_map
from .view_camera import ViewCamera, has_surface


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """One picture of a scene, with what carrying needs."""

    name: str
    thing: str
    """What it shows: views of one thing are compared, other things are the floor."""
    image: np.ndarray
    """uint8 ``[height, width, 3]``."""
    camera: ViewCamera
    depth: np.ndarray
    """z-depth ``[height, width]`` in the camera's units; 0 or infinity without a surface."""
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse pictures and depth of another size than the camera's."""
        size = self.camera.size_rowcol_px
        if self.image.shape != (*size, 3) or self.depth.shape != size:
            raise ValueError(
                f"view {self.name}: expected an image and depth of the camera's {size} rows and "
                f"columns, got {self.image.shape} and {self.depth.shape}"
            )
        if not has_surface(self.depth).any():
            raise ValueError(f"view {self.name}: expected depth of some surface, found none")


@dataclass(frozen=True, kw_only=True, eq=False)
class ViewPair:
    """Two views of one thing."""

    first: View
    second: View
    lags: Mapping[str, int] = field(default_factory=dict)
    """How far they are apart in steps of the study, such as rotation and zoom, if it has steps."""

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.first.name} and {self.second.name}"

    @property
    def turn_rad(self) -> float:
        """Angle between the directions of the two cameras."""
        cosine = self.first.camera.axis_world @ self.second.camera.axis_world
        return float(np.arccos(np.clip(cosine, -1.0, 1.0)))

    def ways(self) -> tuple[tuple[View, View], tuple[View, View]]:
        """Return source and target, both ways."""
        return (self.first, self.second), (self.second, self.first)


def carried_between(
    values: np.ndarray, source: View, target: View, *, tolerance: float = TOLERANCE
) -> Carried:
    """Return a dense map of one view as the other would see it."""
    return fetch_map(
        values, source.camera, target.depth, target.camera, source.depth, tolerance=tolerance
    )


def pairs_of(views: Sequence[View]) -> tuple[ViewPair, ...]:
    """Return all pairs of views that show the same thing, in the order of the views."""
    return tuple(
        ViewPair(first=first, second=second)
        for first, second in combinations(views, 2)
        if first.thing == second.thing
    )


def views_in(pairs: Sequence[ViewPair]) -> tuple[View, ...]:
    """Return every view once, in the order of the pairs."""
    found = {view.name: view for pair in pairs for view in (pair.first, pair.second)}
    return tuple(found.values())
