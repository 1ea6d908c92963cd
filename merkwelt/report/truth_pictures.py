"""Pictures of a clip's ground truth: flow, disparity, masks, objects, confidence."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import hsv_to_rgb, to_hex, to_rgb

from ..render.clip import Clip
from ..render.truth.quantities import Fate, Target
from .blocks import ColourBar
from .stereo import NO_DEPTH
from .theme import LIGHT

DISPARITY_COLOURS = "viridis"
SHARE_COLOURS = "cividis"
GOLDEN_SHARE = 0.61803398875
"""Steps of hue that never come back to where they were, so that near ids differ in colour."""
MASK_COLOURS = {Fate.HIDDEN: LIGHT["vermilion"], Fate.OUTSIDE: LIGHT["blue"]}
_TARGET_NAMES = {
    Target.OTHER_EYE: "in the other eye",
    Target.NEXT: "in the next frame",
    Target.PREVIOUS: "in the previous frame",
}


@dataclass(frozen=True, kw_only=True)
class TruthPicture:
    """One quantity of one eye as colours."""

    name: str
    rgb: np.ndarray
    """uint8 ``[time, h, w, 3]``."""
    note: str
    """What the colours mean."""
    bar: ColourBar | None = None


def colour_flow(flow: np.ndarray, *, longest_px: float) -> np.ndarray:
    """Return flow ``[..., 2, h, w]`` as uint8 ``[..., h, w, 3]``: hue is direction, white is still.

    Saturation grows with length and is full at ``longest_px``; grey where there is no flow.
    """
    x, y = np.moveaxis(np.asarray(flow, np.float64), -3, 0)
    there = np.isfinite(x)
    x, y = np.where(there, x, 0.0), np.where(there, y, 0.0)
    hue = (np.arctan2(y, x) / (2 * np.pi)) % 1.0
    length = np.clip(np.hypot(x, y) / max(longest_px, 1e-9), 0, 1)
    rgb = hsv_to_rgb(np.stack([hue, length, np.ones_like(hue)], axis=-1))
    return _with_gaps(rgb, there)


def flow_wheel(size: int = 96) -> np.ndarray:
    """Return the key to flow's colours: a colour lies where its flow leads from the middle."""
    place = np.linspace(-1, 1, size)
    x, y = np.meshgrid(place, place)
    inside = np.hypot(x, y) <= 1
    wheel = colour_flow(np.stack([x, y]), longest_px=1.0)
    return np.where(inside[..., None], wheel, 255).astype(np.uint8)


def colour_scale(values: np.ndarray, low: float, high: float, colours: str) -> np.ndarray:
    """Return values as uint8 ``[..., 3]``, linearly from ``low`` to ``high``; grey where NaN."""
    there = np.isfinite(values)
    share = np.clip((np.where(there, values, low) - low) / max(high - low, 1e-9), 0, 1)
    return _with_gaps(mpl.colormaps[colours](share)[..., :3], there)


def colour_fates(fates: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Return fates ``[..., h, w]`` over a pale picture: vermilion is hidden, blue out of view."""
    rgb = _pale(picture)
    for fate, colour in MASK_COLOURS.items():
        rgb[fates == fate] = to_rgb(colour)
    return _with_gaps(rgb, fates != Fate.UNKNOWN)


def colour_ids(ids: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Return object ids ``[..., h, w]`` as hues over a pale picture, which shows the background."""
    hue = (np.maximum(ids, 0) * GOLDEN_SHARE) % 1.0
    strong = hsv_to_rgb(np.stack([hue, np.full(ids.shape, 0.75), np.full(ids.shape, 0.85)], -1))
    pale = _pale(picture)
    mixed = np.where((ids >= 0)[..., None], 0.75 * strong + 0.25 * pale, pale)
    return np.round(mixed * 255).astype(np.uint8)


def truth_pictures(clip: Clip, *, eye: int, frames: np.ndarray) -> tuple[TruthPicture, ...]:
    """Return what a clip holds of ground truth, seen by one eye, as pictures of some frames."""
    makers: tuple[Callable[[Clip, int, np.ndarray], list[TruthPicture]], ...] = (
        _flows,
        _disparity,
        _masks,
        _ids,
        _shares,
    )
    return tuple(picture for make in makers for picture in make(clip, eye, frames))


def _flows(clip: Clip, eye: int, frames: np.ndarray) -> list[TruthPicture]:
    pictures = []
    for towards, flow in (
        ("next", clip.truth.flow_forward),
        ("previous", clip.truth.flow_backward),
    ):
        if flow is None:
            continue
        longest = _usual_length_px(flow.numpy())
        note = f"hue: direction, full colour: {longest:.1f} px; grey: none"
        rgb = colour_flow(flow[eye].numpy()[frames], longest_px=longest)
        pictures.append(TruthPicture(name=f"Flow to the {towards} frame", rgb=rgb, note=note))
    return pictures


def _usual_length_px(flow: np.ndarray) -> float:
    """Return a length that few pixels of the usual frame exceed, whatever happens in saccades."""
    length = np.hypot(flow[:, :, 0], flow[:, :, 1]).swapaxes(0, 1).reshape(flow.shape[1], -1)
    known = [frame[np.isfinite(frame)] for frame in length]
    return float(np.median([np.percentile(frame, 95) for frame in known if frame.size] or [1.0]))


def _disparity(clip: Clip, eye: int, frames: np.ndarray) -> list[TruthPicture]:
    if clip.truth.disparity is None:
        return []
    everything = clip.truth.disparity.numpy()
    known = everything[np.isfinite(everything)]
    low, high = np.percentile(known, (1, 99)) if known.size else (0.0, 1.0)
    rgb = colour_scale(everything[eye][frames], low, high, DISPARITY_COLOURS)
    bar = _bar(DISPARITY_COLOURS, low, high, "px")
    note = f"{low:.1f} px (dark) to {high:.1f} px (bright, near)"
    return [TruthPicture(name="Disparity", rgb=rgb, note=note, bar=bar)]


def _masks(clip: Clip, eye: int, frames: np.ndarray) -> list[TruthPicture]:
    if clip.truth.masks is None:
        return []
    picture = _picture(clip, eye, frames)
    pictures = []
    for target, where in _TARGET_NAMES.items():
        fates = clip.truth.masks[eye, :, target].numpy()
        if (fates == Fate.UNKNOWN).all():
            continue
        rgb = colour_fates(fates[frames], picture)
        note = "red: hidden there, blue: out of view there, grey: unknown"
        pictures.append(TruthPicture(name=f"Seen {where}", rgb=rgb, note=note))
    return pictures


def _ids(clip: Clip, eye: int, frames: np.ndarray) -> list[TruthPicture]:
    if clip.truth.ids is None:
        return []
    ids = clip.truth.ids[eye].numpy()[frames]
    rgb = colour_ids(ids, _picture(clip, eye, frames))
    note = "one colour for each object on the scene's card"
    return [TruthPicture(name="Objects", rgb=rgb, note=note)]


def _shares(clip: Clip, eye: int, frames: np.ndarray) -> list[TruthPicture]:
    held = (("Confidence", clip.truth.confidence), ("Opacity", clip.truth.opacity))
    return [
        TruthPicture(
            name=name,
            rgb=colour_scale(share[eye].numpy()[frames], 0.0, 1.0, SHARE_COLOURS),
            note="0 (dark) to 1 (bright)",
            bar=_bar(SHARE_COLOURS, 0.0, 1.0, ""),
        )
        for name, share in held
        if share is not None
    ]


def _picture(clip: Clip, eye: int, frames: np.ndarray) -> np.ndarray:
    return clip.video[eye].permute(0, 2, 3, 1).numpy()[frames]


def _pale(picture: np.ndarray) -> np.ndarray:
    """Return a picture's brightness, between mid-grey and white, as RGB in [0, 1]."""
    grey = picture.astype(np.float64).mean(axis=-1, keepdims=True) / 255
    return np.repeat(0.35 + 0.65 * grey, 3, axis=-1)


def _with_gaps(rgb: np.ndarray, there: np.ndarray) -> np.ndarray:
    coloured = np.round(rgb * 255).astype(np.uint8)
    coloured[~there] = NO_DEPTH
    return coloured


def _bar(colours: str, low: float, high: float, unit: str) -> ColourBar:
    shown = mpl.colormaps[colours](np.linspace(0, 1, 12))
    ticks = tuple((place, f"{low + place * (high - low):.3g}") for place in (0.0, 0.5, 1.0))
    return ColourBar(colours=tuple(to_hex(c) for c in shown), ticks=ticks, unit=unit)
