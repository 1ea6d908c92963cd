"""Moving in bouts: starting, stopping, falling and getting up again.

Adolph et al. 2012: infants move in short bouts with pauses between them, and fall often.
"""

from dataclasses import dataclass

import numpy as np

from .. import steady
from ..observer.card import BoutsCard, GaitCard
from .motion import ACTIVITIES, Activity

WARM_UP_S = 60.0
"""The course of bouts began so long before a clip, so that clips begin anywhere in it."""
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """What a body does at every instant ``[n]``."""

    activity: np.ndarray
    """int8, positions in ``ACTIVITIES``."""
    pace: np.ndarray
    """Share in [0, 1] of the speed of moving."""
    height: np.ndarray
    """Height of the eyes as a share of that while moving."""
    pitch_rad: np.ndarray
    """Pitch of the head."""


@dataclass(frozen=True)
class _Part:
    activity: Activity
    lasts_s: float
    is_moving: bool
    height: float
    pitch_deg: float


def steady_course(activity: Activity, steps: int) -> Course:
    """Return a course of ``steps`` instants without any change."""
    return Course(
        activity=np.full(steps, ACTIVITIES.index(activity), dtype=np.int8),
        pace=np.ones(steps),
        height=np.ones(steps),
        pitch_rad=np.zeros(steps),
    )


def move_in_bouts(
    card: BoutsCard,
    gait: GaitCard,
    *,
    speed_m_s: float,
    moving: Activity,
    time_s: np.ndarray,
    rng: np.random.Generator,
) -> Course:
    """Return bouts and pauses at times ``[n]``, evenly spaced and ascending from 0.

    Pauses are so long that ``steps_per_hour`` are taken on average; a bout ends in a fall as often
    as ``falls_per_hour`` asks for.
    """
    steps_s = 1 / step_rate_hz(gait, speed_m_s)
    parts = _parts(card, moving, steps_s, float(time_s[-1]) + WARM_UP_S, rng)
    ends_s = np.cumsum([part.lasts_s for part in parts]) - WARM_UP_S
    index = np.minimum(np.searchsorted(ends_s, time_s, side="right"), len(parts) - 1)
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else 1.0
    ramp = card.ramp_s.value / step_s / 2
    return Course(
        activity=np.array([ACTIVITIES.index(part.activity) for part in parts], np.int8)[index],
        pace=_at_rest_exactly(_eased([float(p.is_moving) for p in parts], ends_s, time_s, ramp)),
        height=_eased([p.height for p in parts], ends_s, time_s, ramp),
        pitch_rad=np.radians(_eased([p.pitch_deg for p in parts], ends_s, time_s, ramp)),
    )


def step_rate_hz(gait: GaitCard, speed_m_s: float) -> float:
    """Return how many steps are taken in a second of walking at a speed."""
    share = speed_m_s / gait.reference_speed_m_s.value
    return gait.step_frequency_hz.value * float(steady.power(share, gait.frequency_exponent.value))


def _parts(
    card: BoutsCard, moving: Activity, step_s: float, long_s: float, rng: np.random.Generator
) -> list[_Part]:
    """Return what is done one after the other for ``long_s`` or more."""
    fall_per_step = card.falls_per_hour.value / card.steps_per_hour.value
    down_pitch = card.resting_pitch_deg.value
    parts: list[_Part] = []
    while sum(part.lasts_s for part in parts) <= long_s:
        steps = max(1, round(card.bout_steps.sample(rng)))
        bout_s = steps * step_s
        parts.append(_Part(moving, bout_s, True, 1.0, card.moving_pitch_deg.value))
        pause_s = bout_s * _pause_per_bout(card, step_s)
        drawn = card.pause_spread.value * steady.normal(rng, 1)[0]
        pause_s *= float(steady.exp(drawn - card.pause_spread.value**2 / 2))
        stays_up = float(steady.power(1 - fall_per_step, steps))
        if rng.random() > stays_up:
            low, pitch = card.fallen_height.value, card.fallen_pitch_deg.value
            down_s = card.down_s.sample(rng)
            parts.append(_Part("falling", card.fall_s.value, False, low, pitch))
            parts.append(_Part("down", down_s, False, low, down_pitch))
            parts.append(_Part("rising", card.rise_s.value, False, 1.0, down_pitch))
        resting: Activity = "sitting" if card.rests_sitting.value > 0 else "standing"
        parts.append(_Part(resting, pause_s, False, card.resting_height.value, down_pitch))
    return parts


def _pause_per_bout(card: BoutsCard, step_s: float) -> float:
    """Return how much longer pauses are than bouts, falls included in neither."""
    moving = card.steps_per_hour.value * step_s
    down = card.fall_s.value + card.down_s.value + card.rise_s.value
    left = SECONDS_PER_HOUR - moving - card.falls_per_hour.value * down
    return max(left, 0.0) / moving


def _eased(values: list[float], ends_s: np.ndarray, time_s: np.ndarray, ramp: float) -> np.ndarray:
    """Return the values of parts at times, the changes rounded over about two ``ramp`` samples.

    Changes of clips are the same wherever their first instant lies: margins are looked up too.
    """
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else 1.0
    margin = int(steady.MOST_SIGMAS * ramp / 2 + 1)
    wide_s = time_s[0] + step_s * np.arange(-margin, len(time_s) + margin)
    index = np.minimum(np.searchsorted(ends_s, wide_s, side="right"), len(values) - 1)
    return steady.smooth(np.asarray(values)[index], ramp / 2)[margin : margin + len(time_s)]


def _at_rest_exactly(pace: np.ndarray) -> np.ndarray:
    """Return the pace with the last traces of smoothing removed: nobody creeps while standing."""
    least = 1e-3
    return np.clip((pace - least) / (1 - 2 * least), 0.0, 1.0)
