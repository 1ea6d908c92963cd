"""A walking adult, every number with its source."""

from .card import BodyCard, BodySenseCard, GaitCard, GazeCard, Observer
from .quantity import Quantity

_TURN_SOURCE = "Imai and Moore, head movements in turns"
_WALK_SOURCE = "walking at 1.67 m/s, NTRS 20040088647 and Moore 2001 (to be checked)"
_CANAL_SOURCE = "Merfeld's observer, PMC2775380, Table 4; after Fernandez & Goldberg 1971 (monkey)"
_FIXATION = Quantity(
    value=0.27,
    spread=0.5,
    low=0.1,
    high=1.5,
    distribution="lognormal",
    unit="s",
    source="0.1-0.5 s (weak source); shape recalled",
)
_SACCADE = Quantity(
    value=7.5,
    low=0.5,
    high=40.0,
    distribution="exponential",
    unit="deg",
    source="Malinov 2000: 53 % below 5 deg, 83 % below 15 deg, unrestrained",
)
_BLINK = Quantity(
    value=0.25,
    low=0.1,
    high=0.4,
    distribution="uniform",
    unit="s",
    source="lids closed for 0.1-0.4 s (weak source)",
)


def adult() -> Observer:
    """Return a walking adult.

    Example:
        >>> adult().body.interocular_m.value
        0.063
    """
    return Observer(
        name="adult",
        description="an adult who walks indoors, looking around",
        locomotion="walk",
        body=_adult_body(),
        gait=_adult_gait(),
        gaze=_adult_gaze(),
        senses=_senses(),
    )


def _adult_body() -> BodyCard:
    return BodyCard(
        interocular_m=Quantity(
            value=0.063,
            spread=0.0037,
            low=0.050,
            high=0.075,
            distribution="normal",
            unit="m",
            source="Dodgson 2004: mean 63 mm, vast majority 50-75 mm; SD recalled (3.6-3.8 mm)",
        ),
        eye_height_m=Quantity(
            value=1.61,
            spread=0.08,
            low=1.45,
            high=1.77,
            distribution="normal",
            unit="m",
            source="1.61 m in the Layton models (eNeuro); SD recalled, truncated at 2 SD",
        ),
        radius_m=fixed(0.25, "m", "assumption: half of an adult's shoulder breadth"),
        headroom_m=fixed(0.1, "m", "assumption: crown above the eyes"),
        walking_speed_m_s=Quantity(
            value=1.39,
            spread=0.09,
            low=0.6,
            high=2.0,
            distribution="normal",
            unit="m/s",
            source="preferred 1.25-1.48 m/s (Peters); walk-run transition 2.0 (Sci Rep 2019)",
        ),
        turning_deg_s=fixed(90.0, "deg/s", "assumption: comfortable turning while walking"),
        inspection_per_s=fixed(0.12, "1/s", "assumption: unhurried look around an object"),
        reach=Quantity(
            value=0.2,
            low=0.1,
            high=0.3,
            distribution="uniform",
            unit="1",
            source="assumption: leaning forward over a table",
        ),
        reaches_per_min=fixed(10.0, "1/min", "assumption: now and then"),
        reach_s=fixed(2.5, "s", "assumption: unhurried"),
    )


def _adult_gait() -> GaitCard:
    return GaitCard(
        reference_speed_m_s=fixed(1.67, "m/s", "Moore 2001"),
        step_frequency_hz=fixed(
            2.0, "Hz", "Moore 2001; 'distributed tightly around 2 Hz' (Front Hum Neurosci 2019)"
        ),
        frequency_exponent=fixed(
            0.5, "1", "assumption: step length and frequency share changes of speed equally"
        ),
        vertical_m=fixed(
            0.023,
            "m",
            "NTRS 20040088647: peak 0.37 g at 2 Hz; linear in speed (Miff 2000)",
        ),
        lateral_m=fixed(0.025, "m", f"{_WALK_SOURCE}: peak 0.1 g at 1 Hz"),
        pitch_deg=fixed(
            1.35,
            "deg",
            f"{_WALK_SOURCE}: peak 17 deg/s at 2 Hz; antiphase to height: Hirasaki 1999 (recalled)",
        ),
        yaw_deg=fixed(2.7, "deg", f"{_WALK_SOURCE}: peak 17 deg/s at 1 Hz; phase: assumption"),
        roll_deg=fixed(1.0, "deg", "straight walking, recalled; phase: assumption"),
        turn_lead_deg=fixed(25.0, "deg", f"{_TURN_SOURCE}: yaw leads the path by up to 25 deg"),
        turn_lead_s=fixed(0.5, "s", "assumption: the head turns to where it will be heading"),
        turn_roll_deg=fixed(8.0, "deg", f"{_TURN_SOURCE}: up to 8 deg in sharp turns"),
    )


def _adult_gaze() -> GazeCard:
    return GazeCard(
        fixation_s=_FIXATION,
        saccade_deg=_SACCADE,
        saccade_onset_s=fixed(
            0.023, "s", "Collewijn 1988: duration linear to 50 deg; coefficient recalled"
        ),
        saccade_s_per_deg=fixed(0.0027, "s/deg", "Collewijn 1988; coefficient recalled"),
        saccade_peak_deg_s=fixed(502.0, "deg/s", "Collewijn 1988: 502 +- 32 deg/s at most"),
        saccade_peak_constant_deg=fixed(
            9.5,
            "deg",
            "Collewijn 1988, about 12 recalled; 9.5 agrees with the durations, and better with "
            "about 400 deg/s at 10 deg (weak source)",
        ),
        saccade_skew_small=fixed(0.45, "1", "Collewijn 1988: up to 10 deg"),
        saccade_skew_large=fixed(0.20, "1", "Collewijn 1988: from 50 deg"),
        saccade_undershoot_deg=fixed(0.5, "deg", "Collewijn 1988"),
        vor_gain=fixed(0.95, "1", "0.9-1.0 in daily life, recalled; 0.61-0.83 at 1900-7100 deg/s2"),
        vor_latency_s=fixed(0.010, "s", "6-15 ms (Brain Res 1989)"),
        pursuit_gain=fixed(0.9, "1", "recalled"),
        pursuit_latency_s=fixed(0.1, "s", "100-150 ms, recalled"),
        pursuit_limit_deg_s=fixed(30.0, "deg/s", "weak source"),
        vergence_gain=fixed(
            1.0, "1", "assumption: exact; Malinov 2000 found 25-35 % less, which is 0.70"
        ),
        listing_tilt=fixed(
            0.25, "1", "binocular extension of Listing's law, Mok et al. 1992 (recalled)"
        ),
        azimuth_concentration=fixed(
            9.0, "1", "SD 19.7 deg; measured human heading 19 deg (jov 2740531)"
        ),
        elevation_concentration=fixed(
            16.0, "1", "SD 14.6 deg; measured human heading 14 deg (jov 2740531)"
        ),
        gaze_limit_deg=fixed(75.0, "deg", "assumption: without turning the trunk"),
        eye_limit_deg=fixed(45.0, "deg", "limit of the eye in the head 45-50 deg"),
        head_free_deg=fixed(20.0, "deg", "Freedman & Sparks 1997 (monkey)"),
        eye_saturation_deg=fixed(35.0, "deg", "Freedman & Sparks 1997 (monkey): about 35 deg"),
        head_smoothing_s=fixed(0.12, "s", "assumption: the head follows a gaze shift more slowly"),
        ground_preference=fixed(
            100.0, "1", "assumption; gaze is ground-biased while walking (Muller 2023)"
        ),
        object_preference=fixed(5.0, "1", "assumption: listed objects draw the gaze"),
        nearest_m=fixed(
            0.4, "m", "fixation distances 0.4-80 m (Liu, Bovik & Cormack 2008; Sprague 2015)"
        ),
        blinks_per_min=fixed(17.0, "1/min", "Bentivoglio 1997, at rest"),
        blink_spread=fixed(0.5, "1", "log-normal intervals; the spread is an assumption"),
        blink_s=_BLINK,
    )


def _senses() -> BodySenseCard:
    return BodySenseCard(
        canal_s=fixed(5.7, "s", _CANAL_SOURCE),
        canal_adaptation_s=fixed(80.0, "s", _CANAL_SOURCE),
        otolith_s=fixed(
            0.016, "s", "Fernandez & Goldberg 1976 (monkey), regular afferents, recalled"
        ),
        stance_share=fixed(0.6, "1", "Perry 1992, recalled: stance 60 %, swing 40 % of a stride"),
    )


def fixed(value: float, unit: str, source: str) -> Quantity:
    """Return a number that is the same for every person."""
    return Quantity(value=value, unit=unit, source=source)
