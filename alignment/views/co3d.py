"""Views of CO3D objects with the published cameras of ClickMe 2.0's view constancy study.

480 views of 20 objects: 8 angles times 3 zooms, numbered angle by angle. Cameras are OpenCV ones:
between the two pictures of the toy plane in the 29 published pairs, 125 of 148 matched points
(SIFT) lie within 2 px of their epipolar line, 0.4 px in the median, with the intrinsics scaled from
256 px to the picture's size. With the axes of PyTorch3D or OpenGL, or a focal length 10 % off, they
do not.
Depth was not published: views lie on a plane here (see `planes`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from ..maps.human_maps import HumanMaps
from .planes import common_centre, facing_plane
from .view_camera import ViewCamera, view_cameras
from .view_pairs import View, ViewPair

ANGLES, ZOOMS = 8, 3
PICTURE_SIDE_PX = 256
_NAME = re.compile(r"(.+)_(\d{5})(?:\.png)?")


def read_constancy_cameras(path: Path) -> dict[str, ViewCamera]:
    """Return the cameras of ``constancy_params.json`` by name of view, for pictures of 256 px.

    Raises:
        ValueError: not JSON, or other content.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        poses, intrinsics = content["w2c"], content["K"]
        names = list(poses)
        return {
            name.removesuffix(".png"): ViewCamera(
                camera_from_world=np.array(poses[name], dtype=np.float64),
                intrinsics_px=np.array(intrinsics[name], dtype=np.float64),
                width=PICTURE_SIDE_PX,
                height=PICTURE_SIDE_PX,
            )
            for name in names
        }
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"expected JSON with w2c and K of each view, by its name, in {path}: "
            f"{type(error).__name__}: {error}"
        ) from error


def co3d_pairs(
    maps: HumanMaps, more_cameras: Mapping[str, ViewCamera] | None = None
) -> tuple[ViewPair, ...]:
    """Return all pairs of views of one object among images with cameras; depth is a facing plane.

    Args:
        maps: images with cameras, named as in the study.
        more_cameras: of further views, by name: an object's centre is where all cameras look.
            Without them it is where the two cameras look.

    Raises:
        ValueError: no object has two views with a camera, an object's cameras share their axis (a
            zoom), so that its centre is not known, or two views are from opposite sides.
    """
    rows: dict[str, list[tuple[int, int, ViewCamera]]] = {}
    for row, (name, camera) in enumerate(zip(maps.names, view_cameras(maps), strict=True)):
        found = _NAME.fullmatch(name)
        if found and camera is not None:
            rows.setdefault(found[1], []).append((row, int(found[2]), camera))
    pairs = [
        _pair(maps, thing, first, second, _cameras_of(thing, more_cameras or {}))
        for thing, views in rows.items()
        for first, second in combinations(views, 2)
    ]
    if not pairs:
        raise ValueError(
            f"expected two views with cameras of at least one object, named OBJECT_00012 or so, "
            f"found none among {len(maps)} images"
        )
    return tuple(pairs)


def _cameras_of(thing: str, cameras: Mapping[str, ViewCamera]) -> tuple[ViewCamera, ...]:
    found = ((_NAME.fullmatch(name), camera) for name, camera in cameras.items())
    return tuple(camera for match, camera in found if match and match[1] == thing)


def _pair(
    maps: HumanMaps,
    thing: str,
    first: tuple[int, int, ViewCamera],
    second: tuple[int, int, ViewCamera],
    more: Sequence[ViewCamera],
) -> ViewPair:
    both = (first[2], second[2])
    plane = facing_plane(common_centre(more or both), both)
    views = [
        View(
            name=maps.names[row],
            thing=thing,
            image=maps.images[row],
            camera=camera,
            depth=plane.depth(camera),
            label=maps.labels[row],
        )
        for row, _, camera in (first, second)
    ]
    turned = second[1] // ZOOMS - first[1] // ZOOMS
    lags = {
        # Angles go round: -3 to 4, as in the study.
        "rotation": (turned + ANGLES // 2 - 1) % ANGLES - (ANGLES // 2 - 1),
        "zoom": second[1] % ZOOMS - first[1] % ZOOMS,
    }
    return ViewPair(first=views[0], second=views[1], lags=lags)
