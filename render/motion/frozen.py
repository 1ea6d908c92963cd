"""Motion that is left out: a gaze that stays straight ahead, a gait that does not move the head."""

from dataclasses import replace

import numpy as np

from ...scenes.scene import Scene
from .. import steady
from ..navigation.surfaces import first_hits
from .gait import HeadMotion
from .gaze import GazeCourse

NEAR_SHARE = 0.01
"""Nothing nearer than this share of the way through the scene is looked at straight ahead."""
TYPICAL_SHARE = 0.5
"""Where nothing is ahead, the target is at this share of the way through the scene."""


def without_steps(motion: HeadMotion) -> HeadMotion:
    """Return the motion of a head that steps do not reach; the stride's phase goes on."""
    none = np.zeros_like(motion.up_m)
    return replace(motion, up_m=none, right_m=none, yaw_rad=none, pitch_rad=none, roll_rad=none)


def no_gaze(steps: int) -> GazeCourse:
    """Return a gaze straight ahead for ``steps`` instants, with no target yet."""
    return GazeCourse(
        target=np.zeros((steps, 3)),
        before=np.zeros((steps, 3)),
        azimuth_rad=np.zeros(steps),
        elevation_rad=np.zeros(steps),
        way=np.ones(steps),
        onset=np.zeros(steps, dtype=np.int64),
        landing=np.zeros(steps, dtype=np.int64),
        undershoot_rad=np.zeros((steps, 2)),
        fixation_id=np.zeros(steps, dtype=np.int64),
        saccade=np.zeros(steps, dtype=bool),
    )


def points_ahead(scene: Scene, world_from_head: np.ndarray, every: int) -> np.ndarray:
    """Return the points ``[n, 3]`` straight ahead of heads ``[n, 4, 4]`` on the nearest surface.

    The distance is looked up at every ``every``-th head, and kept until the next.
    """
    position, forward = world_from_head[:, :3, 3], world_from_head[:, :3, 2]
    far = float(steady.length(np.ptp(np.asarray(scene.card.bounds, np.float64), axis=0)))
    distance = first_hits(
        scene, position[::every], forward[::every], near=NEAR_SHARE * far, far=far
    )
    distance = np.where(np.isnan(distance), TYPICAL_SHARE * far, distance)
    return position + np.repeat(distance, every)[: len(position), None] * forward
