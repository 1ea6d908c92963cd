"""What is asked about bodies and heads, in the order in which it is reported."""

import math
from functools import partial

import numpy as np

from . import reduce as r
from .statistics import Need, Statistic

WALKER: tuple[Need, ...] = ("body", "walks", "grown")
FAST_M_S = (1.0, 9.0)
PACED_M_S = (1.2, 1.8)
BRISK_M_S = (1.5, 1.85)
HOUR_S = 3600.0
EVENTS = 4
"""Rates of rare events need at least so many of them."""
_DEG = 180 / math.pi


def _events(rows: np.ndarray) -> int:
    return int(rows[:, 0].sum())


def _gait(
    title: str, key: str, unit: str, reduce: r.Reduce, speeds: tuple[float, float] = FAST_M_S
) -> Statistic:
    return Statistic(
        key=key,
        group="Head while walking straight",
        title=title,
        unit=unit,
        samples="walks",
        reduce=r.walks_at(*speeds, reduce),
        count=r.count_at(*speeds),
        needs=WALKER,
        least=8,
    )


_turn = partial(Statistic, group="Turns", samples="turns", needs=WALKER, least=8)
_head = partial(Statistic, group="Envelope of the head", needs=("body",))
_going = partial(Statistic, group="Getting about", needs=("body", "walks"))
_hourly = partial(_going, reduce=r.rate(HOUR_S), count=_events, least=EVENTS)
_camera = partial(
    Statistic, group="Carried camera", samples="carried", needs=("mineault2021",), least=16
)

BODY_STATISTICS: tuple[Statistic, ...] = (
    _gait("step frequency above 1 m/s", "step_hz", "Hz", r.column(1, r.median)),
    _gait("… at 1.5-1.85 m/s", "step_hz_brisk", "Hz", r.column(1, r.median), BRISK_M_S),
    _gait("vertical amplitude, scaled to 1.67 m/s", "vertical", "mm", r.scaled_to(1.67, 2)),
    _gait("… grows with speed to the power", "vertical_growth", "", r.growth, (0.4, 9.0)),
    _gait("lateral amplitude, scaled to 1.67 m/s", "lateral", "mm", r.scaled_to(1.67, 3)),
    _gait("peak pitch velocity", "pitch_velocity", "deg/s", r.peak_velocity(4, 1.0), PACED_M_S),
    _gait("peak yaw velocity", "yaw_velocity", "deg/s", r.peak_velocity(5, 0.5), PACED_M_S),
    _gait("phase of pitch after height", "pitch_phase", "deg", r.column(7, r.circular_mean_deg)),
    _gait("roll amplitude", "straight_roll", "deg", r.column(6, r.median, _DEG)),
    _turn(
        title="lead of the head, median of the greatest",
        key="turn_lead",
        unit="deg",
        reduce=r.column(2, r.median, _DEG),
    ),
    _turn(
        title="… their 95th percentile",
        key="turn_lead_most",
        unit="deg",
        reduce=r.column(2, r.quantile(0.95), _DEG),
    ),
    _turn(
        title="roll into the turn, 95th percentile",
        key="turn_roll",
        unit="deg",
        reduce=r.column(3, r.quantile(0.95), _DEG),
    ),
    _head(
        title="head velocity, median",
        key="head_median",
        unit="deg/s",
        samples="head_deg_s",
        reduce=r.median,
    ),
    _head(
        title="… 95th percentile",
        key="head_95",
        unit="deg/s",
        samples="head_deg_s",
        reduce=r.quantile(0.95),
    ),
    _head(
        title="… greatest",
        key="head_most",
        unit="deg/s",
        samples="head_most",
        reduce=r.column(0, r.most),
        least=3,
    ),
    _head(
        title="greatest acceleration",
        key="acceleration_most",
        unit="g",
        samples="head_most",
        reduce=r.column(1, r.most),
        least=3,
    ),
    _head(
        title="knee of the spectrum",
        key="knee",
        unit="Hz",
        samples="spectrum",
        reduce=r.knee,
        needs=("body", "walks"),
        least=3,
    ),
    _going(
        title="speed while walking straight",
        key="speed",
        unit="m/s",
        samples="straight_speed",
        reduce=r.median,
        needs=WALKER,
    ),
    _going(
        title="body's heading from the way the head goes",
        key="path_offset",
        unit="deg",
        samples="path_offset",
        reduce=r.median,
    ),
    _hourly(
        title="steps",
        key="steps",
        unit="/h",
        samples="steps_per_s",
        needs=("body", "young"),
        least=50,
    ),
    _hourly(title="falls", key="falls", unit="/h", samples="falls_per_s", needs=("body", "young")),
    _hourly(title="bouts of travel", key="bouts", unit="/h", samples="bouts_per_s"),
    _going(
        title="… how long, median",
        key="bout_s",
        unit="s",
        samples="bout_s",
        reduce=r.median,
        least=8,
    ),
)
CAMERA_STATISTICS: tuple[Statistic, ...] = (
    _camera(title="turning in yaw", key="m_yaw", unit="deg/s", reduce=r.column(0, r.spread)),
    _camera(title="turning in pitch", key="m_pitch", unit="deg/s", reduce=r.column(1, r.spread)),
    _camera(title="speed, mean", key="m_speed", unit="m/s", reduce=r.column(2, r.mean)),
    _camera(title="height, mean", key="m_height", unit="m", samples="height", reduce=r.mean),
    _camera(title="heading, azimuth", key="m_azimuth", unit="deg", reduce=r.column(3, r.spread)),
    _camera(
        title="heading, elevation", key="m_elevation", unit="deg", reduce=r.column(4, r.spread)
    ),
)
