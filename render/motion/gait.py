"""How walking moves and turns the head.

The stride's phase is 0 at a left heel strike and pi at a right one. The head is lowest at heel
strikes and highest at mid-stance; it sways towards the standing leg; it pitches against its height
and yaws against its sway, so that it keeps pointing at a place ahead.
"""

import math
from dataclasses import dataclass

import numpy as np

from .. import steady
from ..observer.card import GaitCard

GRAVITY_M_S2 = 9.81


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadMotion:
    """What gait adds to the head, each ``[n]``."""

    phase_rad: np.ndarray
    """Phase of the stride, in [0, 2 pi)."""
    up_m: np.ndarray
    right_m: np.ndarray
    yaw_rad: np.ndarray
    """Counter-clockwise from above: to the left."""
    pitch_rad: np.ndarray
    """Upwards."""
    roll_rad: np.ndarray
    """Right side down."""


def head_motion(
    card: GaitCard,
    *,
    speed_m_s: np.ndarray,
    turn_rad_s: np.ndarray,
    step_s: float,
    rng: np.random.Generator,
) -> HeadMotion:
    """Return the motion of the head at instants ``step_s`` apart.

    Amplitudes grow linearly with speed and vanish while standing, when the phase stands still
    too. In turns the head tilts into the turn, with the direction of gravity and inertia together,
    ``atan(speed * turn / g)``.
    """
    share = speed_m_s / card.reference_speed_m_s.value
    quickness = steady.power(share, card.frequency_exponent.value)
    stride_hz = card.step_frequency_hz.value / 2 * quickness
    turned = np.concatenate([[0.0], np.cumsum((stride_hz[1:] + stride_hz[:-1]) / 2)]) * step_s
    phase = 2 * math.pi * (rng.random() + turned)
    height, sway = -steady.cos(2 * phase), -steady.sin(phase)
    most = math.radians(card.turn_roll_deg.value)
    lean = np.clip(-steady.atan(speed_m_s * turn_rad_s / GRAVITY_M_S2), -most, most)
    return HeadMotion(
        phase_rad=np.mod(phase, 2 * math.pi),
        up_m=card.vertical_m.value * share * height,
        right_m=card.lateral_m.value * share * sway,
        yaw_rad=math.radians(card.yaw_deg.value) * share * sway,
        pitch_rad=-math.radians(card.pitch_deg.value) * share * height,
        roll_rad=math.radians(card.roll_deg.value) * share * sway + lean,
    )
