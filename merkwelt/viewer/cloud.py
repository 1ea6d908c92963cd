"""A scene as coloured points: what cameras all over it see, put where they see it."""

import math
from dataclasses import dataclass

import numpy as np

from ..render.camera import PinholeCamera, rays_of
from ..render.navigation.navigation import Navigation
from ..render.rigid import look_at
from ..render.volume import RenderOptions, render_rays
from ..scenes.card import SceneCard
from ..scenes.scene import Scene

SIZE = (112, 84)
ROOM_HFOV_RAD = math.radians(90.0)
STAGES = (8, 24, 64)
"""How many views are added at a time, so that something is seen soon."""
OPAQUE = 0.7
"""Share of light that a ray must lose for its point to be shown."""
EDGE = 0.15
"""Pixels whose depth differs by this share from a neighbour's are left out: at the edge of things,
a pixel sees both and would show a point between them."""
MARGIN = 0.03
"""How far points may lie outside the card's bounds, as a share of their size."""
EYE_HEIGHT_M = 1.5
LAYERS = 27
CELLS_ACROSS = 400
"""No two points share a cell of this share of the scene's longest side, or of a larger one where
there would be too many points."""
CELL_GROWTH = 1.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Cloud:
    """Coloured points in the world."""

    points: np.ndarray
    """float32 ``[n, 3]``."""
    colours: np.ndarray
    """uint8 ``[n, 3]``."""

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.points)

    def chosen(self, which: np.ndarray) -> "Cloud":
        """Return some of the points, by positions or a mask."""
        return Cloud(points=self.points[which], colours=self.colours[which])


def cloud_views(card: SceneCard, navigation: Navigation | None) -> np.ndarray:
    """Return poses ``[n, 4, 4]`` to look at a scene from, those that show most first.

    They are the card's views; without any, people standing on the ground; without ground, its
    bounds' corners.
    """
    poses = np.asarray(card.world_from_view, np.float64).reshape(-1, 4, 4)
    if len(poses) == 0:
        poses = _standing(navigation) if navigation and navigation.ground else _corners(card)
    return poses[spread(poses, sum(STAGES))]


def spread(poses: np.ndarray, most: int) -> np.ndarray:
    """Return positions of at most ``most`` of the poses, each far from those before it.

    Looking another way is as far as being elsewhere. The greedy choice of farthest points
    (Gonzalez 1985), from the first pose on.
    """
    place, axis = poses[:, :3, 3], poses[:, :3, 2]
    size = np.linalg.norm(np.ptp(place, axis=0)) or 1.0
    features = np.concatenate([place / size, axis / 2], axis=1)
    chosen = [0]
    distance = np.full(len(poses), np.inf)
    for _ in range(min(most, len(poses)) - 1):
        new = np.linalg.norm(features - features[chosen[-1]], axis=1)
        distance = np.minimum(distance, new)
        chosen.append(int(distance.argmax()))
    return np.array(chosen)


def cloud_camera(card: SceneCard, navigation: Navigation | None) -> PinholeCamera:
    """Return the camera that looks: wide in a room, as wide as the object around an object."""
    views = None if navigation is None or navigation.is_walkable else navigation.views
    if views is None or not views.is_object_like:
        return PinholeCamera.from_hfov(ROOM_HFOV_RAD, SIZE)
    half = float(np.linalg.norm(np.ptp(np.asarray(card.bounds), axis=0))) / 2
    hfov = 2 * math.atan(half / max(views.distance, 1e-9))
    return PinholeCamera.from_hfov(min(hfov, ROOM_HFOV_RAD), SIZE)


def render_cloud(
    scene: Scene, camera: PinholeCamera, poses: np.ndarray, options: RenderOptions
) -> Cloud:
    """Return the points that cameras ``[n, 4, 4]`` see, at the median depth of each pixel.

    What is not opaque, or outside the card's bounds, is left out.
    """
    rays = rays_of(camera, poses)
    seen = render_rays(scene, rays, options)
    distance = (seen.depth_median / rays.z_per_distance)[:, None]
    points = (rays.origins + distance * rays.directions).numpy()
    low, high = (np.asarray(corner) for corner in scene.card.bounds)
    margin = MARGIN * (high - low).max()
    inside = np.all((points >= low - margin) & (points <= high + margin), axis=1)
    depth = seen.depth_median.numpy().reshape(len(poses), camera.height, camera.width)
    keep = inside & (seen.opacity.numpy() > OPAQUE) & ~at_edges(depth).reshape(-1)
    colours = (seen.rgb.clamp(0, 1) * 255).round().numpy().astype(np.uint8)
    return Cloud(points=points.astype(np.float32), colours=colours).chosen(keep)


def at_edges(depth: np.ndarray) -> np.ndarray:
    """Return which pixels ``[n, height, width]`` have a neighbour at another depth."""
    edges = np.zeros(depth.shape, dtype=bool)
    for axis in (1, 2):
        near, far = (np.moveaxis(depth, axis, 0)[part] for part in (slice(1, None), slice(-1)))
        step = np.abs(near - far) > EDGE * np.minimum(near, far)
        view = np.moveaxis(edges, axis, 0)
        view[1:] |= step
        view[:-1] |= step
    return edges


def merged(clouds: list[Cloud], card: SceneCard, most: int) -> Cloud:
    """Return clouds as one, thinned evenly to a point in each cell and to ``most`` points."""
    points = np.concatenate([cloud.points for cloud in clouds])
    colours = np.concatenate([cloud.colours for cloud in clouds])
    cell = float(np.ptp(np.asarray(card.bounds), axis=0).max()) / CELLS_ACROSS
    while len(first := _first_in_cells(points, cell)) > most:
        cell *= CELL_GROWTH
    return Cloud(points=points, colours=colours).chosen(first)


def layer_tops(card: SceneCard) -> np.ndarray:
    """Return the heights at which a cloud can be cut, from the lowest on."""
    low, high = card.bounds[0][2], card.bounds[1][2]
    return low + (high - low) * (np.arange(LAYERS) + 1) / LAYERS


def layers_of(cloud: Cloud, tops: np.ndarray) -> list[Cloud]:
    """Return the points between one height and the next; the outer layers have no end."""
    layer = np.searchsorted(tops[:-1], cloud.points[:, 2])
    return [cloud.chosen(layer == i) for i in range(len(tops))]


def _first_in_cells(points: np.ndarray, cell: float) -> np.ndarray:
    """Return the position of the first point in each cell, in order."""
    index = np.floor(points / cell).astype(np.int64)
    _, first = np.unique(index, axis=0, return_index=True)
    return np.sort(first)


def _standing(navigation: Navigation) -> np.ndarray:
    """Return poses of people who look around from all over the ground."""
    ground = navigation.ground
    assert ground is not None
    xy = ground.centre_of(np.argwhere(ground.reachable))
    lying = np.tile(np.eye(4), (len(xy), 1, 1))
    lying[:, :2, 3] = xy
    places = lying[spread(lying, 8), :2, 3]
    yaw = 2 * np.pi * np.arange(8) / 8
    eye = np.column_stack([places, np.full(len(places), ground.floor_height_m + EYE_HEIGHT_M)])
    ahead = np.column_stack([np.cos(yaw), np.sin(yaw), np.full(8, -0.3)])
    eyes = np.repeat(eye, 8, axis=0)
    return look_at(eyes, eyes + np.tile(ahead, (len(places), 1)))


def _corners(card: SceneCard) -> np.ndarray:
    """Return poses that look inwards from a little within the bounds' corners."""
    low, high = (np.asarray(corner, np.float64) for corner in card.bounds)
    signs = np.array([[x, y, z] for z in (0.85, 0.5) for x in (0.1, 0.9) for y in (0.1, 0.9)])
    return look_at(low + (high - low) * signs, np.tile(low + 0.4 * (high - low), (len(signs), 1)))
