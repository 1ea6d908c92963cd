"""Where an observer can go in a scene; made once per scene and reused for every clip."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from ...scenes.scene import Scene
from .. import steady
from ..observer.card import Observer
from ..paths.head_path import HeadPath
from .ground import Ground, NoPath, estimate_floor, map_ground
from .views import Views, views_of

__all__ = ["Navigation", "NoPath", "Routes"]

WALL_REACH_M = 0.2
STANDING_HEIGHT_M = (0.8, 2.3)
"""Cameras at this height above an estimated floor were held by someone who stood on it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Routes:
    """The reachable cells of a ground as a weighted graph."""

    cells: np.ndarray
    """``[node, 2]`` indices of the cells."""
    cost: csr_matrix
    """Cost of a step between neighbours: its length, times more near walls and off coverage."""

    @classmethod
    def of(cls, ground: Ground, radius_m: float) -> Self:
        """Return the graph; diagonal steps need both cells beside them to be free."""
        cells = np.argwhere(ground.reachable)
        node = np.full(ground.reachable.shape, -1)
        node[tuple(cells.T)] = np.arange(len(cells))
        tight = steady.exp(-(ground.clearance_m - radius_m) / WALL_REACH_M)
        price = (1 + tight + (1 - ground.coverage))[tuple(cells.T)]
        padded = np.pad(node, 1, constant_values=-1)
        starts, ends, costs = [], [], []
        for dx, dy in ((1, 0), (0, 1), (1, 1), (1, -1)):
            x, y = cells[:, 0] + 1, cells[:, 1] + 1
            end = padded[x + dx, y + dy]
            free = (end >= 0) & (padded[x + dx, y] >= 0) & (padded[x, y + dy] >= 0)
            start, end = np.flatnonzero(free), end[free]
            starts.append(start)
            ends.append(end)
            step_m = ground.cell_m * math.sqrt(dx * dx + dy * dy)
            costs.append(step_m * (price[start] + price[end]) / 2)
        start, end, cost = np.concatenate(starts), np.concatenate(ends), np.concatenate(costs)
        half = csr_matrix((cost, (start, end)), shape=(len(cells), len(cells)))
        return cls(cells=cells, cost=(half + half.T).tocsr())

    def from_node(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the cost to every node and each one's predecessor on the cheapest way."""
        return dijkstra(self.cost, indices=node, return_predecessors=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Navigation:
    """A ground to walk on, views to move between, or a path that carries the head."""

    ground: Ground | None = None
    routes: Routes | None = None
    views: Views | None = None
    head_path: HeadPath | None = None

    @property
    def is_walkable(self) -> bool:
        """Whether there is a ground."""
        return self.ground is not None

    @property
    def is_fixed(self) -> bool:
        """Whether a clip can be planned in one way only."""
        return self.head_path is not None and self.head_path.gaze == "ahead"

    @classmethod
    def along(cls, path: HeadPath) -> Self:
        """Return the way of a head that is carried along an imported path."""
        return cls(head_path=path)

    @classmethod
    def of(cls, scene: Scene, observer: Observer) -> Self:
        """Return where ``observer`` can go in ``scene``.

        A scene is walked in if it is metric and its card gives the floor's height, or if a floor
        is found under cameras that were held at standing height and did not all look at one
        thing. Any other scene is an object: the observer moves between the training views.

        Raises:
            NoPath: nobody fits in, or there is neither ground nor view; says which.
        """
        card = scene.card
        poses = np.asarray(card.world_from_view, np.float64).reshape(-1, 4, 4)
        views = views_of(poses) if len(poses) else None
        floor = _floor(scene, views)
        if floor is None:
            if views is None:
                raise NoPath(
                    f"scene {card.name!r} has neither a floor to walk on (metric scale and "
                    "floor_height) nor training views to move between; add one of them to its card"
                )
            return cls(views=views)
        body = observer.body
        height = (
            body.eye_height_m.value if body.eye_height_m.high is None else body.eye_height_m.high
        )
        if observer.bouts is not None:
            height *= max(1.0, observer.bouts.resting_height.value)
        ground = map_ground(
            scene,
            card,
            floor_height_m=floor,
            top_m=height + body.headroom_m.value,
            radius_m=body.radius_m.value,
        )
        return cls(ground=ground, routes=Routes.of(ground, body.radius_m.value), views=views)


def _floor(scene: Scene, views: Views | None) -> float | None:
    card = scene.card
    if not card.is_metric or card.floor_height is not None:
        return card.floor_height if card.is_metric else None
    if views is None or views.is_object_like:
        return None
    floor = estimate_floor(scene, card)
    if floor is None:
        return None
    height = float(np.median(views.position[:, 2])) - floor
    return floor if STANDING_HEIGHT_M[0] <= height <= STANDING_HEIGHT_M[1] else None
