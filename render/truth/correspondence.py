"""A clip's flow, disparity and masks, from its depth and poses."""

from dataclasses import dataclass

import numpy as np

from ..camera import Camera
from .fates import TOLERANCE, fates
from .quantities import Fate, Target
from .reprojection import flow_px, has_surface, reproject


@dataclass(frozen=True, kw_only=True, eq=False)
class Correspondence:
    """Where each pixel's point is in another view, for all views of a clip."""

    flow_px: np.ndarray
    """``[eye, time, h, w, 2]``: xy there minus xy here; NaN where there is none."""
    fate: np.ndarray
    """``Fate``, uint8 ``[eye, time, h, w]``."""


def correspondence(
    depth: np.ndarray,
    camera: Camera,
    world_from_eye: np.ndarray,
    target: Target,
    *,
    tolerance: float = TOLERANCE,
) -> Correspondence:
    """Return where the points of a clip's pixels are in another eye or frame.

    Views without such a target (the last frame has no next) have no flow and unknown fates.

    Args:
        depth: z-depth ``[eye, time, h, w]``; 0 or infinity where there is no surface.
        camera: the camera of all views.
        world_from_eye: poses ``[eye, time, 4, 4]``.
        target: which other view.
        tolerance: see `fates`.
    """
    flow = np.full((*depth.shape, 2), np.nan)
    fate = np.full(depth.shape, Fate.UNKNOWN, dtype=np.uint8)
    here, there = _pairs(depth.shape[0], target)
    if depth[here].size == 0:
        return Correspondence(flow_px=flow, fate=fate)
    found = reproject(depth[here], camera, world_from_eye[here], world_from_eye[there])
    flow[here] = flow_px(found, camera)
    seen = fates(found, depth[there], camera, tolerance=tolerance)
    fate[here] = np.where(has_surface(depth[here]), seen, Fate.UNKNOWN)
    return Correspondence(flow_px=flow, fate=fate)


def disparity_px(to_other_eye: Correspondence) -> np.ndarray:
    """Return the disparity ``x_left - x_right`` ``[eye, time, h, w]``, in pixels, of both eyes.

    Positive for what is near. Between eyes that are turned towards each other it is the horizontal
    displacement of corresponding points alone: 0 at the distance they converge on, negative beyond,
    and there is a vertical displacement besides.
    """
    horizontal = to_other_eye.flow_px[..., 0]
    sign = np.array([-1.0, 1.0])[: len(horizontal)]
    return horizontal * sign[:, None, None, None]


def _pairs(eyes: int, target: Target) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return which of the ``[eye, time]`` views have a target, and the targets themselves."""
    everything = slice(None)
    if target is Target.NEXT:
        return (everything, slice(None, -1)), (everything, slice(1, None))
    if target is Target.PREVIOUS:
        return (everything, slice(1, None)), (everything, slice(None, -1))
    if eyes == 1:
        return (slice(0, 0),), (slice(0, 0),)
    return (everything,), (slice(None, None, -1),)
