"""All that a body feels and does in one clip, at the rate of its motion."""

from dataclasses import dataclass

import numpy as np

from ...scenes.card import SceneCard
from ..motion.motion import Motion
from ..observer.card import BodySenseCard
from .canals import canal_signals_rad_s
from .contact import ground_contact
from .efference import eye_in_head_rad, neck_rad, rates_rad_s
from .imu import LEAST_INSTANTS, angular_velocity_rad_s, specific_force_m_s2
from .otoliths import otolith_signals_m_s2


@dataclass(frozen=True, kw_only=True, eq=False)
class BodySignals:
    """Signals at ``n`` instants, 200 or more in a second; float64, or float32 as read from disk.

    Vectors are along the head's axes: x right, y down, z forward; the origin is midway between the
    eyes. Azimuth and yaw are positive to the left, elevation and pitch upwards, torsion and roll
    right side down.
    """

    time_s: np.ndarray
    """``[n]``, seconds from the start of the clip, where the first frame is."""
    angular_velocity_rad_s: np.ndarray
    """``[n, xyz]`` of the head, about its own axes."""
    specific_force_m_s2: np.ndarray
    """``[n, xyz]``: acceleration minus gravity; 9.81 upwards at rest."""
    canals_rad_s: np.ndarray
    """``[n, 6]`` in the order of ``canals.CANALS``; positive excites."""
    otoliths_m_s2: np.ndarray
    """``[n, xyz]``: specific force, low-passed."""
    eye_in_head_rad: np.ndarray
    """``[eye, n, 3]``: azimuth, elevation, torsion; eye 0 is left."""
    eye_in_head_rad_s: np.ndarray
    """``[eye, n, 3]``: their rates."""
    neck_rad: np.ndarray
    """``[n, 3]``: yaw, pitch, roll of the head on the body."""
    stride_phase_rad: np.ndarray
    """``[n]``: 0 at a left heel strike, pi at a right one; constant while standing."""
    speed_m_s: np.ndarray
    """``[n]``, over the ground, without gait."""
    ground_contact: np.ndarray
    """bool ``[n, 3]`` in the order of ``contact.CONTACTS``."""

    @property
    def rate_hz(self) -> float:
        """Instants in a second."""
        return (len(self.time_s) - 1) / float(self.time_s[-1] - self.time_s[0])

    @property
    def utricle_m_s2(self) -> np.ndarray:
        """``[n, 2]``: what shears the utricle, taken to be level: x right, z forward."""
        return self.otoliths_m_s2[:, [0, 2]]

    @property
    def saccule_m_s2(self) -> np.ndarray:
        """``[n, 2]``: what shears the saccule, taken to be sagittal: y down, z forward."""
        return self.otoliths_m_s2[:, 1:]

    def __repr__(self) -> str:
        """Say how much there is of it."""
        eyes, instants, _ = self.eye_in_head_rad.shape
        return f"BodySignals(eyes={eyes}, instants={instants}, rate_hz={self.rate_hz:g})"


def body_signals(motion: Motion, senses: BodySenseCard, card: SceneCard) -> BodySignals:
    """Return what a body feels and does that moves like ``motion`` in the scene of a card.

    Raises:
        ValueError: the scene's scale in metres is not known, or there are fewer than 3 instants.
    """
    card.require_metric("specific force (--signals)")
    course, step_s = motion.course, motion.step_s
    if len(course.time_s) < LEAST_INSTANTS:
        raise ValueError(
            f"expected at least {LEAST_INSTANTS} instants, of which an acceleration is made, got "
            f"{len(course.time_s)}; plan more frames"
        )
    heads = course.world_from_head
    angular_velocity = angular_velocity_rad_s(heads, step_s)
    specific_force = specific_force_m_s2(heads, step_s)
    eyes = eye_in_head_rad(heads, course.world_from_eye)
    phase = course.gait_phase_rad
    return BodySignals(
        time_s=course.time_s,
        angular_velocity_rad_s=angular_velocity,
        specific_force_m_s2=specific_force,
        canals_rad_s=canal_signals_rad_s(angular_velocity, senses, step_s),
        otoliths_m_s2=otolith_signals_m_s2(specific_force, senses, step_s),
        eye_in_head_rad=eyes,
        eye_in_head_rad_s=rates_rad_s(eyes, step_s),
        neck_rad=neck_rad(heads, motion.heading_rad),
        stride_phase_rad=phase,
        speed_m_s=motion.speed,
        ground_contact=ground_contact(motion.activity, phase, senses.stance_share.value),
    )
