"""What is asked about eyes, in the order in which it is reported."""

from functools import partial

import numpy as np

from . import disparity
from . import reduce as r
from .gait import STRAIGHT_DEG_S
from .statistics import Statistic

MINUTE_S = 60.0
LEAST_BLINKS = 4
PURSUED_DEG_S = 30.0
"""The published gain of pursuit holds up to this speed."""


def _events(rows: np.ndarray) -> int:
    return int(rows[:, 0].sum())


def _any_turning(saccades: np.ndarray) -> np.ndarray:
    return saccades


def _turning_little(saccades: np.ndarray) -> np.ndarray:
    """Return the saccades that begin while the body goes straight ahead, or stands."""
    return saccades[saccades[:, 5] < STRAIGHT_DEG_S]


def _slow(followed: np.ndarray) -> np.ndarray:
    """Return the fixations of targets that pursuit can keep up with."""
    return followed[followed[:, 2] < PURSUED_DEG_S]


def _instants(sums: np.ndarray) -> int:
    return int(sums[:, 0, -1, -1].sum() // 2)


_saccade = partial(
    Statistic, group="Saccades and fixations", samples="saccades", needs=("looks",), least=50
)
_fixation = partial(_saccade, samples="fixation_s")
_look = partial(Statistic, group="Where the eyes look", needs=("looks",))
_hold = partial(
    Statistic,
    group="Holding the picture still",
    samples="compensation",
    needs=("looks",),
    count=_instants,
    least=500,
)
_pair = partial(Statistic, group="Two eyes", needs=("two eyes",), least=20)
_depth = partial(_pair, samples="disparity", least=2000)
_lid = partial(Statistic, group="Lids", least=LEAST_BLINKS)


def _share_below(limit_deg: float, title: str, *, straight: bool = False) -> Statistic:
    """Return how many saccades are smaller, of all or of those that begin in a straight walk."""
    return _saccade(
        title=title,
        key=f"below_{limit_deg:g}{'_straight' if straight else ''}",
        unit="%",
        reduce=r.column(0, r.percent_below(limit_deg)),
        select=_turning_little if straight else _any_turning,
    )


EYE_STATISTICS: tuple[Statistic, ...] = (
    _share_below(5, "saccades, share below 5 deg"),
    _share_below(15, "… share below 15 deg"),
    _share_below(5, "… share below 5 deg, body turning by less than 40 deg/s", straight=True),
    _share_below(15, "… share below 15 deg, body turning by less than 40 deg/s", straight=True),
    _saccade(
        title="saccades",
        key="rate",
        unit="/s",
        samples="saccades_per_s",
        reduce=r.rate(1.0),
        count=_events,
    ),
    _fixation(title="fixations, median duration", key="fixation", unit="s", reduce=r.median),
    _fixation(title="… SD of the logarithm", key="fixation_spread", unit="", reduce=r.log_spread),
    _saccade(
        title="main sequence, top velocity",
        key="main_top",
        unit="deg/s",
        reduce=lambda rows: r.main_sequence(rows)[0],
    ),
    _saccade(
        title="… its scale",
        key="main_scale",
        unit="deg",
        reduce=lambda rows: r.main_sequence(rows)[1],
    ),
    _saccade(title="peak velocity at 10 deg", key="peak_10", unit="deg/s", reduce=r.around_ten(1)),
    _saccade(
        title="duration at 10 deg", key="duration_10", unit="ms", reduce=r.around_ten(2, 1000.0)
    ),
    _saccade(
        title="duration, start of the line",
        key="duration_start",
        unit="ms",
        reduce=lambda rows: r.duration_line(rows)[0],
    ),
    _saccade(
        title="… its slope",
        key="duration_slope",
        unit="ms/deg",
        reduce=lambda rows: r.duration_line(rows)[1],
    ),
    _saccade(title="time of the peak, 2-10 deg", key="skew", unit="", reduce=r.small(3)),
    _saccade(title="undershoot, 5 deg and more", key="undershoot", unit="deg", reduce=r.large(4)),
    _look(
        title="eye in the head, median",
        key="eccentricity",
        unit="deg",
        samples="eccentricity",
        reduce=r.median,
    ),
    _look(
        title="… greatest",
        key="eye_limit",
        unit="deg",
        samples="eccentricity_most",
        reduce=r.most,
        least=3,
    ),
    _look(
        title="azimuth from the heading, SD",
        key="heading_azimuth",
        unit="deg",
        samples="gaze_from_heading",
        reduce=r.column(0, r.spread),
        needs=("body", "walks", "looks"),
    ),
    _look(
        title="elevation from the heading, SD",
        key="heading_elevation",
        unit="deg",
        samples="gaze_from_heading",
        reduce=r.column(1, r.spread),
        needs=("body", "walks", "looks"),
    ),
    _look(
        title="fixations on the ground",
        key="ground",
        unit="%",
        samples="fixated",
        reduce=r.column(1, r.mean, 100.0),
    ),
    _look(
        title="fixation distance, 1st percentile",
        key="nearest",
        unit="m",
        samples="fixated",
        reduce=r.column(0, r.quantile(0.01)),
        least=50,
    ),
    _look(
        title="… median",
        key="distance",
        unit="m",
        samples="fixated",
        reduce=r.column(0, r.median),
    ),
    _look(
        title="… 99th percentile",
        key="farthest",
        unit="m",
        samples="fixated",
        reduce=r.column(0, r.quantile(0.99)),
        least=50,
    ),
    _hold(title="gain of eye on head turns (VOR)", key="vor_gain", unit="", reduce=r.turn_gain),
    _hold(title="lag of the eye", key="vor_lag", unit="ms", reduce=r.turn_lag_ms),
    _hold(
        title="gain of following what one walks past",
        key="pursuit_gain",
        unit="",
        samples="followed",
        reduce=r.follow_gain,
        count=len,
        least=30,
        needs=("walks", "looks"),
    ),
    _hold(
        title="… at less than 30 deg/s",
        key="pursuit_gain_slow",
        unit="",
        samples="followed",
        reduce=r.follow_gain,
        select=_slow,
        count=len,
        least=30,
        needs=("walks", "looks"),
    ),
    _hold(
        title="retinal slip, median",
        key="slip",
        unit="deg/s",
        samples="slip",
        reduce=r.median,
        count=len,
        least=200,
    ),
    _hold(
        title="… 95th percentile",
        key="slip_95",
        unit="deg/s",
        samples="slip",
        reduce=r.quantile(0.95),
        count=len,
        least=200,
    ),
    _pair(
        title="vergence, median",
        key="vergence",
        unit="deg",
        samples="vergence",
        reduce=r.column(0, r.median),
        needs=("two eyes", "converges"),
    ),
    _pair(
        title="vergence that the fixated point takes",
        key="vergence_demand",
        unit="deg",
        samples="vergence",
        reduce=r.column(1, r.median),
    ),
    _pair(
        title="gain of vergence",
        key="vergence_gain",
        unit="",
        samples="vergence",
        reduce=r.vergence_gain,
        needs=("two eyes", "converges"),
    ),
    _depth(
        title="disparity within 20 deg, median",
        key="disparity_centre",
        unit="deg",
        reduce=r.median,
        select=disparity.central,
    ),
    _depth(
        title="… span of 99 %",
        key="disparity_span",
        unit="deg",
        reduce=lambda values: r.quantile(0.995)(values) - r.quantile(0.005)(values),
        select=disparity.central,
    ),
    _depth(
        title="… lower field, median",
        key="disparity_lower",
        unit="deg",
        reduce=r.median,
        select=partial(disparity.in_band, side=-1),
        least=500,
    ),
    _depth(
        title="… upper field, median",
        key="disparity_upper",
        unit="deg",
        reduce=r.median,
        select=partial(disparity.in_band, side=1),
        least=500,
    ),
    _lid(
        title="blinks",
        key="blinks",
        unit="/min",
        samples="blinks_per_s",
        reduce=r.rate(MINUTE_S),
        count=_events,
        needs=("looks",),
    ),
    _lid(
        title="closed, 2.5th percentile",
        key="closed_short",
        unit="s",
        samples="closed_s",
        reduce=r.quantile(0.025),
        needs=("looks",),
        least=20,
    ),
    _lid(
        title="… 97.5th percentile",
        key="closed_long",
        unit="s",
        samples="closed_s",
        reduce=r.quantile(0.975),
        needs=("looks",),
        least=20,
    ),
)
