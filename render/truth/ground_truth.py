"""A clip's ground truth, from what rendering tells of its geometry and from its poses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...scenes.card import SceneCard
from ..camera import Camera
from .correspondence import Correspondence, correspondence, disparity_px
from .coverage import Coverage, require_photographs
from .object_ids import BACKGROUND, object_ids, surface_points
from .quantities import Quantity, Target, Truth
from .reprojection import has_surface

SOLID_OPACITY = 0.5
"""Rays that absorb less than this have met no surface: there is no median of their depth."""


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What rendering tells of where things are in a clip; all ``[eye, time, h, w]``, float32."""

    depth: Tensor
    """Median z-depth in world units."""
    expected_depth: Tensor
    """Expected z-depth in world units."""
    opacity: Tensor
    """In [0, 1]."""

    def surface_depth(self) -> np.ndarray:
        """Return the median depth, float64, infinite where the ray has met no surface."""
        depth = self.depth.double().numpy()
        return np.where(self.opacity.numpy() >= SOLID_OPACITY, depth, np.inf)


def require_truth(wanted: Sequence[Quantity], card: SceneCard, *, eyes: int) -> None:
    """Raise ValueError if a scene or an observer cannot give what is asked for."""
    if "disparity" in wanted and eyes < 2:
        raise ValueError(
            "disparity is a difference between two eyes, and this observer looks with one; leave "
            "disparity out, or render stereo with an observer of two eyes"
        )
    if "ids" in wanted and not card.objects:
        raise ValueError(
            f"scene {card.name!r} has no objects on its card, so there are no object ids; leave "
            "ids out, or name the objects and their boxes in the capture's capture.json"
        )
    if "confidence" in wanted:
        require_photographs(card)


def ground_truth(
    wanted: Sequence[Quantity],
    geometry: Geometry,
    camera: Camera,
    world_from_eye: np.ndarray,
    card: SceneCard,
    *,
    coverage: Coverage | None = None,
) -> Truth:
    """Return what is wanted of a clip, and nothing else.

    Args:
        wanted: quantities, as `in_order` returns them.
        geometry: what was rendered.
        camera: the camera of all views.
        world_from_eye: poses ``[eye, time, 4, 4]``.
        card: the scene's card.
        coverage: what the scene's photographs saw; needed for confidence.
    """
    depth = geometry.surface_depth()
    found: dict[str, Tensor] = {}
    if "expected_depth" in wanted:
        found["expected_depth"] = geometry.expected_depth
    if "opacity" in wanted:
        found["opacity"] = geometry.opacity
    if "masks" in wanted:
        found |= _correspondences(wanted, depth, camera, world_from_eye)
    if "confidence" in wanted or "ids" in wanted:
        solid = has_surface(depth)
        points = surface_points(np.where(solid, depth, 1.0), camera, world_from_eye)
        if "confidence" in wanted:
            assert coverage is not None
            confidence = coverage.confidence(points, world_from_eye[..., None, None, :3, 3])
            found["confidence"] = torch.from_numpy(np.where(solid, confidence, 0.0)).float()
        if "ids" in wanted:
            ids = object_ids(points, card.objects, floor_height=card.floor_height)
            found["ids"] = torch.from_numpy(np.where(solid, ids, BACKGROUND))
    names = tuple(thing.name for thing in card.objects) if "ids" in wanted else ()
    return Truth(**found, objects=names)


def _correspondences(
    wanted: Sequence[Quantity], depth: np.ndarray, camera: Camera, poses: np.ndarray
) -> dict[str, Tensor]:
    to = {target: correspondence(depth, camera, poses, target) for target in Target}
    masks = np.stack([to[target].fate for target in Target], axis=2)
    found = {"masks": torch.from_numpy(masks)}
    if "flow" in wanted:
        found["flow_forward"] = _channels_first(to[Target.NEXT])
        found["flow_backward"] = _channels_first(to[Target.PREVIOUS])
    if "disparity" in wanted:
        found["disparity"] = torch.from_numpy(disparity_px(to[Target.OTHER_EYE])).float()
    return found


def _channels_first(there: Correspondence) -> Tensor:
    """Return flow as float32 ``[eye, time, 2, h, w]``."""
    return torch.from_numpy(np.moveaxis(there.flow_px, -1, 2)).float().contiguous()
