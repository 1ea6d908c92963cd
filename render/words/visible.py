"""Which listed objects the pictures show, how large and in which direction."""

from dataclasses import dataclass

import numpy as np

from ...scenes.card import SceneCard
from ..truth.object_ids import object_ids
from ..truth.reprojection import has_surface
from .description import Range, Thing, Third, Visible
from .looking import View
from .measure import bearing_deg, direction_of, metres, rounded, things_of

MOST_FRAMES, MOST_PIXELS = 6, 64
"""Objects are looked for in this many frames at most, and in so many of their rows and columns."""
LEAST_SHARE = 0.004
NEAR_M, FAR_M = 1.5, 4.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pixels:
    """Some pixels of some frames, ``[time, h, w]``."""

    frames: np.ndarray
    heading_rad: np.ndarray
    """``[time]``."""
    points: np.ndarray
    """``[time, h, w, 3]`` in the world, NaN where there is no surface."""
    offset: np.ndarray
    """Likewise, from the eye."""
    across: np.ndarray
    """``[h, w]``: where in the field's width, from 0 on the left to 1."""


def visible_in(card: SceneCard, view: View, heading_rad: np.ndarray) -> tuple[Visible, ...]:
    """Return the objects that pixels show, by the rule that gives object ids, the largest first.

    Args:
        card: the scene's.
        view: one eye's pictures.
        heading_rad: ``[time]``, of the body at the frames.
    """
    if not card.objects:
        return ()
    pixels = _sampled(view, heading_rad)
    ids = object_ids(pixels.points, card.objects, floor_height=card.floor_height)
    found = [
        _visible(thing, ids == at, pixels, is_metric=card.is_metric)
        for at, thing in enumerate(things_of(card))
        if (ids == at).mean(axis=(1, 2)).max() >= LEAST_SHARE
    ]
    return tuple(sorted(found, key=lambda seen: -seen.share))


def _visible(thing: Thing, shown: np.ndarray, pixels: _Pixels, *, is_metric: bool) -> Visible:
    """Return what is to be said of an object that is ``shown`` by pixels."""
    shares = shown.mean(axis=(1, 2))
    best = int(shares.argmax())
    middle = pixels.offset[best][shown[best]].mean(axis=0)
    angle = rounded(float(bearing_deg(middle, pixels.heading_rad[best])))
    nearest = float(np.linalg.norm(pixels.offset[shown], axis=-1).min())
    return Visible(
        thing=thing,
        share=rounded(shares[best]),
        distance_m=metres(nearest, is_metric=is_metric),
        direction=direction_of(angle),
        direction_deg=angle,
        in_picture=_third(shown[shares >= LEAST_SHARE], pixels.across),
        range=_range(nearest) if is_metric else None,
        frames=tuple(int(frame) for frame in pixels.frames[shares >= LEAST_SHARE]),
    )


def _third(shown: np.ndarray, across: np.ndarray) -> Third | None:
    """Return the third of the picture that the middle of an object's pixels keeps to."""
    places = {min(int(3 * across[one].mean()), 2) for one in shown}
    thirds: tuple[Third, ...] = ("left", "middle", "right")
    return thirds[places.pop()] if len(places) == 1 else None


def _range(distance_m: float) -> Range:
    if distance_m <= NEAR_M:
        return "near"
    return "far" if distance_m >= FAR_M else "middle"


def _sampled(view: View, heading_rad: np.ndarray) -> _Pixels:
    last = len(view.depth) - 1
    frames = np.unique(np.linspace(0, last, min(MOST_FRAMES, last + 1)).round()).astype(int)
    every = max(1, -(-max(view.camera.width, view.camera.height) // MOST_PIXELS))
    part = (slice(every // 2, None, every), slice(every // 2, None, every))
    directions = view.camera.directions()
    azimuth = np.arctan2(directions[..., 0], directions[..., 2])
    depth = view.depth[frames][:, *part]
    depth = np.where(has_surface(depth), depth, np.nan)
    in_camera = directions[part] / directions[part][..., 2:] * depth[..., None]
    poses = view.world_from_eye[frames]
    offset = np.einsum("tij,thwj->thwi", poses[:, :3, :3], in_camera)
    return _Pixels(
        frames=frames,
        heading_rad=heading_rad[frames],
        points=offset + poses[:, None, None, :3, 3],
        offset=offset,
        across=0.5 + 0.5 * azimuth[part] / max(float(np.abs(azimuth).max()), 1e-9),
    )
