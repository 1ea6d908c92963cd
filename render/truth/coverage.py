"""How well photographs cover what a pixel shows: where a radiance field can be trusted.

A field knows a surface point from the photographs that saw it. A photograph counts for a pixel by

* whether it saw the point: the point lies within 35 degrees of its axis and no surface hides it;
* the angle between its line of sight and the pixel's: ``1 - angle / 60 degrees``, at least 0;
* its sharpness: ``min(1, eye's distance / photograph's distance)``, because a photograph taken from
  farther away than the eye shows the point with fewer pixels.

Angle and resolution are what unstructured lumigraph rendering weighs photographs by (Buehler et al.
2001, section 4). The products add up to an evidence E, and the confidence is ``1 - exp(-E / 4)``:
0 for what no photograph saw, 0.22 for one perfect photograph, 0.71 for five, 1 in the limit.

A card knows the poses of its photographs but not their lenses; all are taken for pinholes of equal
focal length. Whether a photograph saw a point is told from the field's own depth at the
photograph's pose, on 16 x 16 pixels: a point counts as hidden if all four depths around it are
nearer than 95 % of its own.
"""

import math
from dataclasses import dataclass

import numpy as np

from ...scenes.card import SceneCard
from ...scenes.scene import Scene
from ..camera import PinholeCamera, rays_of
from ..rigid import inverse
from ..volume import RenderOptions, render_rays

HALF_FIELD_RAD = math.radians(35.0)
"""A photograph is trusted within this angle of its axis; most lenses see farther."""
WIDEST_ANGLE_RAD = math.radians(60.0)
"""A photograph from a direction that differs by this much says nothing about a pixel."""
ENOUGH = 4.0
"""Evidence at which confidence is ``1 - 1 / e``: four photographs from the eye's own place."""
SIZE = 16
MOST_PHOTOGRAPHS = 256
"""Of more photographs, this many are taken at even steps through the card's list."""
TOLERANCE = 0.05
SOLID = 0.5
"""Opacity from which a ray has met a surface."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Coverage:
    """What the photographs of a scene saw."""

    camera_from_world: np.ndarray
    """``[n, 4, 4]``, float64."""
    inverse_depth: np.ndarray
    """``[n, 16, 16]``, float64: 1 / z-depth at the photograph's pose; 0 where nothing is."""

    @classmethod
    def of(cls, scene: Scene, options: RenderOptions | None = None) -> "Coverage":
        """Return the coverage of a scene, which takes about as long as one small clip.

        Raises:
            ValueError: the card has no training views.
        """
        require_photographs(scene.card)
        poses = np.asarray(scene.card.world_from_training_camera, dtype=np.float64)
        if len(poses) > MOST_PHOTOGRAPHS:
            picked = np.linspace(0, len(poses) - 1, MOST_PHOTOGRAPHS).round().astype(int)
            poses = poses[picked]
        camera = PinholeCamera.from_hfov(2 * HALF_FIELD_RAD, (SIZE, SIZE))
        rendered = render_rays(scene, rays_of(camera, poses), options)
        depth = rendered.depth_median.double().cpu().numpy()
        solid = (rendered.opacity.cpu().numpy() >= SOLID) & (depth > 0)
        inverse_depth = np.where(solid, 1 / np.where(solid, depth, 1.0), 0.0)
        return cls(
            camera_from_world=np.ascontiguousarray(inverse(poses)),
            inverse_depth=inverse_depth.reshape(len(poses), SIZE, SIZE),
        )

    def confidence(self, points: np.ndarray, eyes: np.ndarray) -> np.ndarray:
        """Return the confidence ``[...]`` in [0, 1] of world points seen from eyes ``[..., 3]``.

        Points and eyes broadcast against each other.
        """
        from .coverage_loops import evidence

        points, eyes = np.broadcast_arrays(points, eyes)
        total = evidence(
            np.ascontiguousarray(points.reshape(-1, 3), dtype=np.float64),
            np.ascontiguousarray(eyes.reshape(-1, 3), dtype=np.float64),
            self.camera_from_world,
            self.inverse_depth,
            SIZE / 2 / math.tan(HALF_FIELD_RAD),
            math.tan(HALF_FIELD_RAD),
            WIDEST_ANGLE_RAD,
            TOLERANCE,
        )
        return (1 - np.exp(-total / ENOUGH)).reshape(points.shape[:-1])


def require_photographs(card: SceneCard) -> None:
    """Raise ValueError unless a card says where its training photographs were taken."""
    if not card.world_from_training_camera:
        raise ValueError(
            f"scene {card.name!r} has no training views on its card, from which confidence is "
            "told; leave confidence out, or train or import the scene with its capture's poses"
        )
