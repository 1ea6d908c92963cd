"""The furnished living room: shell, decoration and placed furniture as one surface."""

from dataclasses import dataclass, replace

import numpy as np

from ..card import OrientedBox, SceneObject
from .catalogue import CATEGORY_OF_MODEL, Category
from .decoration import LIGHTS, decoration, hung_objects, shell
from .furniture import Furniture
from .layout import LIVING_ROOM, ROOM_SIZE_M, Placement
from .light import Light
from .surfaces import Material, Mesh, joined
from .tracer import RayTracer

FLOOR = "floor"


@dataclass(frozen=True, kw_only=True, eq=False)
class FurnishedRoom:
    """A room ready to be lit and looked at. World frame: metres, +z up, floor at z = 0."""

    mesh: Mesh
    face_object: np.ndarray
    """``[face]`` uint8: 0 for the room itself, ``k + 1`` for ``objects[k]``."""
    objects: tuple[SceneObject, ...]
    lights: tuple[Light, ...]
    bounds_m: np.ndarray
    """``[2, 3]`` lowest and highest corner of the room's inside."""


def living_room(
    furniture: Furniture, *, seed: int = 0, placements: tuple[Placement, ...] = LIVING_ROOM
) -> FurnishedRoom:
    """Return the furnished living room."""
    walls = joined([shell(seed), *decoration(seed)])
    placed: dict[str, Mesh] = {FLOOR: walls}
    categories: dict[str, Category | None] = {}
    yaws_rad: dict[str, float] = {}
    for placement in placements:
        placed[placement.name] = _place(placement, furniture, placed)
        categories[placement.name] = CATEGORY_OF_MODEL.get(placement.model)
        yaws_rad[placement.name] = float(np.deg2rad(placement.yaw_deg))
    for name, (mesh, category, yaw_rad) in hung_objects(placed, seed).items():
        placed[name], categories[name], yaws_rad[name] = mesh, category, yaw_rad
    del placed[FLOOR]
    objects = tuple(
        _scene_object(name, mesh, categories[name], yaws_rad[name]) for name, mesh in placed.items()
    )
    width_m, depth_m, height_m = ROOM_SIZE_M
    return FurnishedRoom(
        mesh=joined([walls, *placed.values()]),
        face_object=np.repeat(
            np.arange(len(placed) + 1, dtype=np.uint8),
            [len(mesh.corners_m) for mesh in (walls, *placed.values())],
        ),
        objects=objects,
        lights=LIGHTS,
        bounds_m=np.array(
            [[-width_m / 2, -depth_m / 2, 0.0], [width_m / 2, depth_m / 2, height_m]]
        ),
    )


def _place(placement: Placement, furniture: Furniture, placed: dict[str, Mesh]) -> Mesh:
    mesh = furniture.mesh(placement.model, height_m=placement.height_m)
    mesh = replace(mesh, materials=tuple(_dressed(m, placement) for m in mesh.materials))
    turn = turn_about_z(np.deg2rad(placement.yaw_deg)) @ _tilt(np.deg2rad(placement.tilt_deg))
    mesh = mesh.transformed(turn, np.array([placement.x_m, placement.y_m, 0.0]))
    support = placed[placement.on or FLOOR]
    ground_m = 0.0 if placement.lift_m else _rest_height(mesh, support)
    return mesh.transformed(
        np.eye(3), np.array([0, 0, ground_m + placement.lift_m - mesh.bounds_m()[0, 2]])
    )


def _dressed(material: Material, placement: Placement) -> Material:
    """Return a material with the placement's own colour and glow, if it has any for it."""
    if material.name in placement.tint:
        material = replace(material, colour=placement.tint[material.name], texture=None)
    return replace(material, glow=placement.glow.get(material.name, material.glow))


def _rest_height(mesh: Mesh, support: Mesh) -> float:
    """Return how high the support is under the middle of a piece."""
    low, high = mesh.bounds_m()
    middle, half = (low + high)[:2] / 2, (high - low)[:2] / 2
    steps = np.linspace(-0.6, 0.6, 13)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2) * half + middle
    top_m = min(float(support.bounds_m()[1, 2]) + 0.1, 2.0)
    origins = np.column_stack([grid, np.full(len(grid), top_m)])
    down = np.tile([0.0, 0.0, -1.0], (len(grid), 1))
    hits = RayTracer(support.corners_m).first_hits(origins, down)
    heights = top_m - hits.distance_m[hits.face >= 0]
    if not len(heights):
        raise ValueError(f"expected a support under the piece at {middle}, found none")
    return float(np.percentile(heights, 90))


def turn_about_z(yaw_rad: float) -> np.ndarray:
    """Return the rotation ``[3, 3]`` counter-clockwise about +z."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _tilt(angle_rad: float) -> np.ndarray:
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = map(float, values)
    return x, y, z


def _scene_object(name: str, mesh: Mesh, category: Category | None, yaw_rad: float) -> SceneObject:
    """Return the object with the smallest box of its yaw around its mesh."""
    own = mesh.corners_m.reshape(-1, 3) @ turn_about_z(yaw_rad)
    low, high = own.min(0), own.max(0)
    centre = turn_about_z(yaw_rad) @ ((low + high) / 2)
    box = OrientedBox(
        centre_m=_triple(centre),
        size_m=_triple(np.maximum(high - low, 1e-3)),
        yaw_rad=yaw_rad,
    )
    wnid, label = category or (None, None)
    return SceneObject(name=name, box=box, wnid=wnid, label=label)
