"""Published figures of how people move and look, each with its source and what counts as the same.

Marks: (recalled) from memory, to be checked; (weak) of a secondary source or without numbers of its
own. A limit that is no part of the source is ours, and says so.
"""

from .verdict import Published

_TEN = "no spread is given: 10 %"
_QUARTER = "a single figure without spread, weak or recalled: 25 %"
_FIFTH = "one mean without spread: 20 %"


def _p(value: str, low: float | None, high: float | None, tolerance: str, source: str) -> Published:
    return Published(value=value, low=low, high=high, tolerance=tolerance, source=source)


MOORE = "Moore 2001"
NTRS = "NTRS 20040088647"
TURNS = "Imai/Moore"
COLLEWIJN = "Collewijn 1988"
MALINOV = "Malinov 2000"
MINEAULT = "Mineault 2021"

_PURSUIT = _p(
    "0.9 up to 30 deg/s", 0.8, 1.0, "recalled: 0.1 either way", "30 deg/s (weak), gain (recalled)"
)

PUBLISHED: dict[str, Published] = {
    "step_hz": _p(
        "tightly around 2 Hz",
        1.8,
        2.2,
        '"tightly" without a number: 10 %',
        "Front Hum Neurosci 2019",
    ),
    "step_hz_brisk": _p("2.0 Hz at 1.67 m/s", 1.8, 2.2, _TEN, MOORE),
    "vertical": _p("23 mm at 1.67 m/s", 19.5, 26.5, "from a peak of 0.37 g: 15 %", NTRS),
    "vertical_growth": _p(
        "linear in speed", 0.7, 1.3, "exponent 1 of speed, 0.3 either way", "Miff 2000"
    ),
    "lateral": _p("25 mm at 1.67 m/s", 20.0, 30.0, "from a peak of 0.1 g: 20 %", NTRS),
    "pitch_velocity": _p(
        "15-22 deg/s at 1.2-1.8 m/s", 15.0, 22.0, "the published range", f"{MOORE}; {NTRS}"
    ),
    "yaw_velocity": _p(
        "15-22 deg/s at 1.2-1.8 m/s", 15.0, 22.0, "the published range", f"{MOORE}; {NTRS}"
    ),
    "pitch_phase": _p(
        "antiphase to height", 150.0, 210.0, "180 deg, 30 either way", "Hirasaki 1999 (recalled)"
    ),
    "turn_lead": _p("ahead, by up to 25 deg", 0.0, 25.0, "ahead at all, at most 25 deg", TURNS),
    "turn_lead_most": _p("up to 25 deg", 0.0, 30.0, "95th percentile, 20 % over 25 deg", TURNS),
    "turn_roll": _p("up to 8 deg, into the turn", 0.0, 8.0, "into it, at most 8 deg", TURNS),
    "head_most": _p(
        "about 450 deg/s at most", 0.0, 450.0, "the greatest of all instants", "Carriot 2014"
    ),
    "acceleration_most": _p(
        "about 4 g at most", 0.0, 4.0, "the greatest of all instants", "Carriot 2014"
    ),
    "knee": _p("knee near 2 Hz", 1.4, 2.8, '"near": half an octave', "PLoS ONE 0178664"),
    "speed": _p(
        "preferred 1.25-1.48 m/s, treadmill", 1.25, 1.48, "the published range", "Peters (weak)"
    ),
    "steps": _p("2368 /h, 12-19 months", 1894.0, 2842.0, _FIFTH, "Adolph 2012"),
    "falls": _p("17 /h, 12-19 months", 12.75, 21.25, "a mean, falls are rare: 25 %", "Adolph 2012"),
    "below_5": _p("53 % below 5 deg", 43.0, 63.0, "another task: 10 points", MALINOV),
    "below_15": _p("83 % below 15 deg", 73.0, 93.0, "another task: 10 points", MALINOV),
    "below_5_straight": _p(
        "53 % below 5 deg, seated", 43.0, 63.0, "another task: 10 points", MALINOV
    ),
    "below_15_straight": _p(
        "83 % below 15 deg, seated", 73.0, 93.0, "another task: 10 points", MALINOV
    ),
    "rate": _p("3-4 /s while viewing", 3.0, 4.0, "the published range", "(weak)"),
    "fixation": _p("median 0.27 s", 0.216, 0.324, "weak: 20 %", "0.1-0.5 s (weak)"),
    "fixation_spread": _p("log-normal, sigma 0.5", 0.4, 0.6, "recalled: 20 %", "(recalled)"),
    "main_top": _p("502 ± 32 deg/s", 470.0, 534.0, "the published ± 32", COLLEWIJN),
    "main_scale": _p("c about 12 deg", 9.0, 15.0, _QUARTER, f"{COLLEWIJN}; c (recalled)"),
    "peak_10": _p("about 400 deg/s at 10 deg", 300.0, 500.0, _QUARTER, "(weak)"),
    "duration_10": _p("about 60 ms at 10 deg", 45.0, 75.0, _QUARTER, "(weak)"),
    "duration_start": _p(
        "23 ms (alternatively 21)",
        17.0,
        29.0,
        "between both coefficients, 20 %, and the edge of the detector",
        f"{COLLEWIJN}; coefficient (recalled)",
    ),
    "duration_slope": _p(
        "2.7 ms/deg (alternatively 2.2)",
        2.0,
        3.0,
        "between both coefficients, 10 %",
        f"{COLLEWIJN}; coefficient (recalled)",
    ),
    "skew": _p("0.45 up to 10 deg", 0.42, 0.48, "0.03, so that a symmetric one fails", COLLEWIJN),
    "undershoot": _p("0.5 deg", 0.25, 0.75, "no spread is given: half", COLLEWIJN),
    "eye_limit": _p("limit 45-50 deg", 0.0, 50.0, "the farthest of all instants", "(source)"),
    "heading_azimuth": _p("SD 19 deg", 14.25, 23.75, "other surroundings: 25 %", "jov 2740531"),
    "heading_elevation": _p("SD 14 deg", 10.5, 17.5, "other surroundings: 25 %", "jov 2740531"),
    "nearest": _p(
        "0.4-80 m", 0.4, 80.0, "the published range", "Liu/Bovik/Cormack 2008; Sprague 2015"
    ),
    "farthest": _p(
        "0.4-80 m", 0.4, 80.0, "the published range", "Liu/Bovik/Cormack 2008; Sprague 2015"
    ),
    "vor_gain": _p(
        "0.9-1.0 in daily life", 0.895, 1.005, "the published range, to its digits", "(recalled)"
    ),
    "vor_lag": _p("6-15 ms", 6.0, 15.0, "the published range", "Brain Res 1989"),
    "pursuit_gain": _PURSUIT,
    "pursuit_gain_slow": _PURSUIT,
    "vergence_gain": _p("0.65-0.75 (under-vergence)", 0.65, 0.75, "the published range", MALINOV),
    "disparity_centre": _p(
        "centred on 0",
        -0.5,
        0.5,
        "a tenth of the span",
        "Liu/Bovik/Cormack 2008; Sprague 2015; PMC6462454",
    ),
    "disparity_span": _p(
        "span about 5 deg",
        2.5,
        7.5,
        '"about", neither field nor share are given: half',
        "Liu/Bovik/Cormack 2008; Sprague 2015; PMC6462454",
    ),
    "disparity_lower": _p("crossed", 0.0, None, "the sign", "Sprague 2015; PMC6462454"),
    "disparity_upper": _p("uncrossed", None, 0.0, "the sign", "Sprague 2015; PMC6462454"),
    "blinks": _p("17 /min at rest", 13.6, 20.4, _FIFTH, "Bentivoglio 1997"),
    "closed_short": _p("0.1-0.4 s closed", 0.095, 0.4, "the published range, 5 ms more", "(weak)"),
    "closed_long": _p("0.1-0.4 s closed", 0.1, 0.405, "the published range, 5 ms more", "(weak)"),
    "m_yaw": _p("SD 30 deg/s", 24.0, 36.0, "drawn anew for each clip: 20 %", MINEAULT),
    "m_pitch": _p("SD 10 deg/s", 8.0, 12.0, "drawn anew for each clip: 20 %", MINEAULT),
    "m_speed": _p("uniform, 0-3 m/s", 1.2, 1.8, "mean 1.5 m/s, 20 %", MINEAULT),
    "m_height": _p("uniform, 1.4-2.0 m", 1.6, 1.8, "mean 1.7 m, 0.1 m", MINEAULT),
    "m_azimuth": _p("SD 43.0 deg (kappa 2.5)", 34.4, 51.6, "20 %", MINEAULT),
    "m_elevation": _p("SD 14.6 deg (kappa 16)", 11.7, 17.5, "20 %", MINEAULT),
}
"""By the key of the statistic that each belongs to."""
