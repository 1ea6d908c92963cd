"""Pictures of a scene's labelled objects, with masks that say where each one is."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from .alignment.maps.human_maps import HumanMaps
from .alignment.object_evidence import object_maps
from .render.camera import PinholeCamera, rays_of
from .render.key import ClipKey
from .render.rigid import look_at
from .render.truth.object_ids import object_ids, surface_points
from .render.volume import render_rays
from .scenes.card import SceneObject
from .scenes.scene import Scene


@dataclass(frozen=True, kw_only=True)
class ObjectViewSettings:
    """How objects are photographed."""

    size: int = 96
    hfov_deg: float = 50.0
    per_object: int = 2
    tries: int = 12
    """Viewpoints tried for each picture; the first good one is taken."""
    least_share: float = 0.02
    """Least share of the picture that the object must fill; and the most it may."""
    most_share: float = 0.6
    off_centre_rad: float = math.radians(16)
    """The eye looks beside the object by up to this much, so that the middle is no answer."""


def object_views(
    scene: Scene,
    *,
    seed: int,
    settings: ObjectViewSettings | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> HumanMaps:
    """Return pictures of the objects that have an ImageNet label, each with its mask.

    Viewpoints are near the scene's training cameras, where the field can be trusted. An object
    that cannot be seen well from any of them is left out.

    Raises:
        ValueError: the scene has no labelled objects or no training cameras, or none can be seen.
    """
    settings = settings or ObjectViewSettings()
    labelled = [thing for thing in scene.card.objects if thing.label]
    cameras = np.asarray(scene.card.world_from_training_camera, dtype=np.float64)
    if not labelled or not len(cameras):
        raise ValueError(
            f"scene {scene.card.name!r} has {len(labelled)} labelled objects and {len(cameras)} "
            "training cameras; pictures of objects need both"
        )
    found: list[tuple[str, np.ndarray, np.ndarray]] = []
    for i, thing in enumerate(labelled):
        if progress:
            progress(i / len(labelled), thing.name)
        found += [
            (thing.label or thing.name, image, mask)
            for image, mask in _pictures(scene, thing, cameras[:, :3, 3], seed, settings)
        ]
    if not found:
        raise ValueError(f"scene {scene.card.name!r}: no labelled object could be seen well")
    return object_maps(
        np.stack([image for _, image, _ in found]),
        np.stack([mask for _, _, mask in found]),
        [label for label, _, _ in found],
        source=f"rendered from scene {scene.card.name}",
        licence=scene.card.licence,
    )


def _pictures(
    scene: Scene,
    thing: SceneObject,
    stands: np.ndarray,
    seed: int,
    settings: ObjectViewSettings,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    index = scene.card.objects.index(thing)
    key = ClipKey(dataset_seed=seed, scene=scene.card.name, clip=index)
    rng = key.generator("object views")
    taken = 0
    for pose in viewpoints(thing, stands, rng, settings):
        image, ids = _look(scene, pose, settings)
        share = float((ids == index).mean())
        if settings.least_share <= share <= settings.most_share:
            yield image, ids == index
            taken += 1
        if taken == settings.per_object:
            return


def viewpoints(
    thing: SceneObject,
    stands: np.ndarray,
    rng: np.random.Generator,
    settings: ObjectViewSettings,
) -> Iterator[np.ndarray]:
    """Yield poses from which the object would fill about a fifth of the picture's width."""
    centre, extent = np.asarray(thing.box.centre_m), max(thing.box.size_m)
    wanted = 1.6 * extent / math.tan(math.radians(settings.hfov_deg) / 2) + 0.3
    distance = np.linalg.norm(stands - centre, axis=1)
    near = np.argsort(np.abs(np.log(distance / wanted)))[: 3 * settings.tries]
    for stand in rng.permutation(near)[: settings.tries]:
        spread = math.tan(settings.off_centre_rad) * distance[stand]
        beside = rng.uniform(-spread, spread, 3) * np.array([1, 1, 0.5])
        yield look_at(stands[stand], centre + beside)


def _look(
    scene: Scene, pose: np.ndarray, settings: ObjectViewSettings
) -> tuple[np.ndarray, np.ndarray]:
    shape = (settings.size, settings.size)
    camera = PinholeCamera.from_hfov(math.radians(settings.hfov_deg), shape)
    rendered = render_rays(scene, rays_of(camera, pose[None]))
    image = (rendered.rgb * 255).round().to(torch.uint8).view(*shape, 3).numpy()
    points = surface_points(rendered.depth_median.view(shape).numpy(), camera, pose)
    return image, object_ids(points, scene.card.objects)
