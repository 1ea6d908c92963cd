"""Young observers: one who has begun to walk, and one who crawls; every number with its source."""

from dataclasses import replace

from .adult import adult, fixed
from .card import BodyCard, BoutsCard, GaitCard, Observer
from .quantity import Quantity

_ADOLPH = "Adolph et al. 2012, 12 to 19 months"
_KRETCH = "Kretch et al. 2014: crawlers see more floor, and sit up to see the room"
_INTEROCULAR = Quantity(
    value=0.0435,
    spread=0.0015,
    low=0.0405,
    high=0.0475,
    distribution="normal",
    unit="m",
    source="near 43.0-43.5 mm at 12-35 months (Pacific Univ. 1993); spread: assumption",
)


def toddler() -> Observer:
    """Return an infant of 12 to 19 months who walks in short bouts, and falls.

    Example:
        >>> toddler().bouts.falls_per_hour.value
        17.0
    """
    grown = adult()
    return replace(
        grown,
        name="toddler",
        description="an infant of 12 to 19 months who walks in short bouts, pauses and falls",
        body=_body(
            eye_height_m=(0.675, 0.65, 0.70, "0.65-0.70 m walking at 13 months, recalled"),
            speed_m_s=(0.6, 0.15, 0.3, 1.0, "assumption: about one body height a second"),
        ),
        gait=_toddling(grown.gait),
        bouts=_toddler_bouts(),
    )


def crawler() -> Observer:
    """Return an infant who crawls with a view of the floor, and sits up to see the room."""
    grown = adult()
    return replace(
        grown,
        name="crawler",
        description="an infant of about 10 months who crawls and sits up to look around",
        locomotion="crawl",
        body=_body(
            eye_height_m=(0.35, 0.30, 0.40, "0.3-0.4 m crawling, recalled"),
            speed_m_s=(0.3, 0.08, 0.15, 0.5, "assumption: half of a toddler's walk"),
        ),
        gait=_crawling(grown.gait),
        bouts=_crawler_bouts(),
    )


def _body(
    eye_height_m: tuple[float, float, float, str],
    speed_m_s: tuple[float, float, float, float, str],
) -> BodyCard:
    height, lowest, highest, source = eye_height_m
    speed, spread, slow, fast, speed_source = speed_m_s
    return replace(
        adult().body,
        interocular_m=_INTEROCULAR,
        eye_height_m=Quantity(
            value=height, low=lowest, high=highest, distribution="uniform", unit="m", source=source
        ),
        radius_m=fixed(0.15, "m", "assumption: half of an infant's breadth with arms out"),
        headroom_m=fixed(0.1, "m", "assumption: crown above the eyes"),
        walking_speed_m_s=Quantity(
            value=speed,
            spread=spread,
            low=slow,
            high=fast,
            distribution="normal",
            unit="m/s",
            source=speed_source,
        ),
    )


def _toddling(gait: GaitCard) -> GaitCard:
    return replace(
        gait,
        reference_speed_m_s=fixed(0.6, "m/s", "assumption: the toddler's own mean speed"),
        step_frequency_hz=fixed(2.8, "Hz", "new walkers take about 170 steps a minute, recalled"),
        vertical_m=fixed(
            0.012, "m", "assumption: the adult's share of eye height, at a step of 0.2 m"
        ),
        lateral_m=fixed(0.025, "m", "assumption: as wide as an adult's, on a wide base"),
        pitch_deg=fixed(2.0, "deg", "assumption: the head is held less steadily"),
        yaw_deg=fixed(3.0, "deg", "assumption: the head is held less steadily"),
        roll_deg=fixed(3.0, "deg", "assumption: the trunk rolls over a wide base"),
    )


def _crawling(gait: GaitCard) -> GaitCard:
    return replace(
        gait,
        reference_speed_m_s=fixed(0.3, "m/s", "assumption: the crawler's own mean speed"),
        step_frequency_hz=fixed(2.0, "Hz", "assumption: diagonal limbs, one cycle a second"),
        vertical_m=fixed(0.006, "m", "assumption"),
        lateral_m=fixed(0.015, "m", "assumption: the trunk sways over the standing hand"),
        pitch_deg=fixed(1.5, "deg", "assumption"),
        yaw_deg=fixed(4.0, "deg", "assumption"),
        roll_deg=fixed(3.0, "deg", "assumption"),
    )


def _toddler_bouts() -> BoutsCard:
    return BoutsCard(
        bout_steps=Quantity(
            value=4.0,
            spread=1.0,
            low=1.0,
            high=60.0,
            distribution="lognormal",
            unit="1",
            source=f"{_ADOLPH}: short bouts; the distribution is an assumption",
        ),
        steps_per_hour=fixed(2368.0, "1/h", _ADOLPH),
        falls_per_hour=fixed(17.0, "1/h", _ADOLPH),
        pause_spread=fixed(0.8, "1", "assumption: log-normal pauses"),
        ramp_s=fixed(0.3, "s", "assumption: within a step"),
        fall_s=fixed(0.5, "s", "assumption: slowed by hands and knees"),
        down_s=Quantity(
            value=2.0,
            spread=0.6,
            low=0.5,
            high=10.0,
            distribution="lognormal",
            unit="s",
            source="assumption",
        ),
        rise_s=fixed(1.5, "s", "assumption: over hands and feet"),
        fallen_height=fixed(0.5, "1", "assumption: on hands and knees, or sitting"),
        fallen_pitch_deg=fixed(-35.0, "deg", "assumption: the head goes forward"),
        resting_height=fixed(1.0, "1", "stands"),
        moving_pitch_deg=fixed(0.0, "deg", "walkers see ahead (Kretch et al. 2014)"),
        resting_pitch_deg=fixed(0.0, "deg", "assumption"),
        rests_sitting=fixed(0.0, "1", "stands"),
    )


def _crawler_bouts() -> BoutsCard:
    return replace(
        _toddler_bouts(),
        bout_steps=Quantity(
            value=5.0,
            spread=0.9,
            low=1.0,
            high=60.0,
            distribution="lognormal",
            unit="1",
            source="assumption: as toddlers, in cycles of the limbs",
        ),
        steps_per_hour=fixed(1500.0, "1/h", "assumption: less than toddlers walk"),
        falls_per_hour=fixed(0.0, "1/h", "assumption: there is little to fall from"),
        ramp_s=fixed(0.8, "s", "assumption: to sit up or lean forward"),
        resting_height=fixed(1.35, "1", f"{_KRETCH}; the height is an assumption"),
        moving_pitch_deg=fixed(-30.0, "deg", f"{_KRETCH}; the angle is an assumption"),
        resting_pitch_deg=fixed(0.0, "deg", _KRETCH),
        rests_sitting=fixed(1.0, "1", _KRETCH),
    )
