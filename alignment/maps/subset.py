"""Parts of a collection of human maps, and the same at another size."""

from dataclasses import replace

import cv2
import numpy as np

from .human_maps import Cameras, HumanMaps
from .trials import Trials


def first_maps(maps: HumanMaps, count: int) -> HumanMaps:
    """Return the first so many images with all that belongs to them."""
    if count >= len(maps):
        return maps
    names = maps.names[:count]
    return replace(
        maps,
        images=maps.images[:count],
        maps=maps.maps[:count],
        names=names,
        labels=maps.labels[:count],
        trials=None if maps.trials is None else trials_on(maps.trials, set(names)),
        splits=None if maps.splits is None else maps.splits[:count],
        classes=None if maps.classes is None else maps.classes[:count],
        cameras=None if maps.cameras is None else _first_cameras(maps.cameras, count),
    )


def resized_maps(maps: HumanMaps, side_px: int) -> HumanMaps:
    """Return images, maps and intrinsics as squares, averaged over areas where they shrink."""
    height, width = maps.maps.shape[1:]
    if (height, width) == (side_px, side_px):
        return maps
    cameras = maps.cameras
    if cameras is not None:
        factors = np.array([side_px / width, side_px / height, 1])
        cameras = replace(cameras, intrinsics_px=cameras.intrinsics_px * factors[:, None])
    return replace(
        maps,
        images=np.stack([resized(image, side_px) for image in maps.images]),
        maps=np.stack([resized(heatmap, side_px) for heatmap in maps.maps]),
        cameras=cameras,
    )


def resized(picture: np.ndarray, side_px: int) -> np.ndarray:
    """Return a picture or map ``[height, width, ...]`` as a square of the same dtype."""
    if picture.shape[:2] == (side_px, side_px):
        return picture
    how = cv2.INTER_AREA if side_px < min(picture.shape[:2]) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side_px, side_px), interpolation=how), picture.dtype)


def trials_on(trials: Trials, names: set[str]) -> Trials:
    """Return the trials on some images."""
    sizes = {name: size for name, size in trials.image_sizes_px.items() if name in names}
    own = tuple(trial for trial in trials.trials if trial.image in names)
    return replace(trials, trials=own, image_sizes_px=sizes)


def _first_cameras(cameras: Cameras, count: int) -> Cameras:
    return Cameras(
        camera_from_world=cameras.camera_from_world[:count],
        intrinsics_px=cameras.intrinsics_px[:count],
        scale=cameras.scale[:count],
    )
