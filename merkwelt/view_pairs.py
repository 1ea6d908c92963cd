"""Pictures of a scene's labelled objects from several sides, with the depth that carries maps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from .alignment.views.view_camera import ViewCamera
from .alignment.views.view_pairs import View, ViewPair, pairs_of
from .object_views import ObjectViewSettings, viewpoints
from .parts import Progress
from .render.camera import PinholeCamera, rays_of
from .render.key import ClipKey
from .render.rigid import inverse
from .render.truth.object_ids import object_ids, surface_points
from .render.volume import render_rays
from .scenes.card import SceneObject
from .scenes.scene import Scene

LEAST_OPACITY = 0.5
"""A pixel through which more light passes than this shows no surface."""


@dataclass(frozen=True, kw_only=True)
class ViewPairSettings:
    """Which pairs of views are rendered."""

    size: int = 96
    views: int = 3
    """Of each object; all pairs of them are compared."""
    objects: int | None = None
    """At most so many objects; None takes all that are labelled."""
    least_turn_deg: float = 10.0
    """Least angle between the directions of two views of an object; and the largest."""
    most_turn_deg: float = 90.0
    looks: ObjectViewSettings = ObjectViewSettings()
    """How an object is looked at; size and number are those above."""

    def __post_init__(self) -> None:
        """Refuse settings without a pair."""
        if self.views < 2 or self.size < 16 or not (self.objects is None or self.objects > 0):
            raise ValueError(
                f"expected at least 2 views, 16 px and 1 object, got {self.views} views, "
                f"{self.size} px and {self.objects} objects"
            )
        if not 0 <= self.least_turn_deg < self.most_turn_deg <= 180:
            raise ValueError(
                f"expected turns between 0 and 180 degrees, the least below the most, got "
                f"{self.least_turn_deg} to {self.most_turn_deg}"
            )


def object_view_pairs(
    scene: Scene,
    *,
    seed: int,
    settings: ViewPairSettings | None = None,
    progress: Progress | None = None,
) -> tuple[ViewPair, ...]:
    """Return pairs of views of the scene's labelled objects, with rendered depth.

    Viewpoints are near the scene's training cameras. An object that cannot be seen well from two
    sides is left out.

    Raises:
        ValueError: the scene has no labelled objects or no training cameras, or no object can be
            seen well from two sides.
    """
    settings = settings or ViewPairSettings()
    labelled = [thing for thing in scene.card.objects if thing.label][: settings.objects]
    cameras = np.asarray(scene.card.world_from_training_camera, dtype=np.float64)
    if not labelled or not len(cameras):
        raise ValueError(
            f"scene {scene.card.name!r} has {len(labelled)} labelled objects and {len(cameras)} "
            "training cameras; pairs of views need both"
        )
    views: list[View] = []
    for i, thing in enumerate(labelled):
        if progress:
            progress(i / len(labelled), f"views of {thing.name}")
        views += _views(scene, thing, cameras[:, :3, 3], seed, settings)
    pairs = pairs_of(views)
    if not pairs:
        raise ValueError(
            f"scene {scene.card.name!r}: no labelled object could be seen well from two sides"
        )
    return pairs


def _views(
    scene: Scene,
    thing: SceneObject,
    stands: np.ndarray,
    seed: int,
    settings: ViewPairSettings,
) -> Iterator[View]:
    index = scene.card.objects.index(thing)
    rng = ClipKey(dataset_seed=seed, scene=scene.card.name, clip=index).generator("view pairs")
    looks = replace(settings.looks, size=settings.size, tries=4 * settings.views)
    taken: list[np.ndarray] = []
    for pose in viewpoints(thing, stands, rng, looks):
        if not all(_turned_enough(pose, other, settings) for other in taken):
            continue
        view, share = _look(scene, thing, pose, f"{thing.name} {len(taken) + 1}", looks)
        if looks.least_share <= share <= looks.most_share:
            taken.append(pose)
            yield view
        if len(taken) == settings.views:
            return


def _turned_enough(first: np.ndarray, second: np.ndarray, settings: ViewPairSettings) -> bool:
    cosine = np.clip(first[:3, 2] @ second[:3, 2], -1, 1)
    turn_deg = math.degrees(math.acos(cosine))
    return settings.least_turn_deg <= turn_deg <= settings.most_turn_deg


def _look(
    scene: Scene, thing: SceneObject, pose: np.ndarray, name: str, looks: ObjectViewSettings
) -> tuple[View, float]:
    """Return a view, and the share of the picture that the object fills."""
    shape = (looks.size, looks.size)
    camera = PinholeCamera.from_hfov(math.radians(looks.hfov_deg), shape)
    rendered = render_rays(scene, rays_of(camera, pose[None]))
    depth = rendered.depth_median.view(shape).numpy().astype(np.float64)
    solid = rendered.opacity.view(shape).numpy() >= LEAST_OPACITY
    ids = object_ids(surface_points(depth, camera, pose), scene.card.objects)
    view = View(
        name=name,
        thing=thing.name,
        image=(rendered.rgb * 255).round().to(torch.uint8).view(*shape, 3).numpy(),
        camera=view_camera(camera, pose),
        depth=np.where(solid, depth, 0.0),
        label=thing.label or thing.name,
    )
    return view, float((ids == scene.card.objects.index(thing)).mean())


def view_camera(camera: PinholeCamera, world_from_camera: np.ndarray) -> ViewCamera:
    """Return the renderer's camera as the one that carries maps."""
    intrinsics = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
    return ViewCamera(
        camera_from_world=inverse(world_from_camera),
        intrinsics_px=intrinsics,
        width=camera.width,
        height=camera.height,
    )
