"""The camera of Mineault et al. 2021, which moves at constant rates, as its source code has it."""

from dataclasses import replace

from .adult import adult, fixed
from .card import GlideCard, Observer
from .quantity import Distribution, Quantity

_SOURCE = "Mineault et al. 2021 (NeurIPS), rock-steady-airsim"


def mineault2021() -> Observer:
    """Return a single eye that glides and turns at constant rates, its gaze fixed to it.

    Its clips had 112 x 112 pixels, a field of view of 120 degrees and 30 frames a second, which
    are settings of the clip and not of the observer.
    """
    grown = adult()
    return replace(
        grown,
        name="mineault2021",
        description="one eye that glides and turns at constant rates (Mineault et al. 2021)",
        locomotion="glide",
        eyes=1,
        body=replace(
            grown.body,
            eye_height_m=replace(_uniform(1.4, 2.0, "m"), value=1.7),
            radius_m=fixed(0.1, "m", "assumption: room for a camera"),
            headroom_m=fixed(0.05, "m", "assumption: room for a camera"),
        ),
        glide=GlideCard(
            height_m=_uniform(1.4, 2.0, "m"),
            pitch_rad=_uniform(-0.25, 0.25, "rad"),
            heading_yaw_rad=_spread(0.0, 2.5, "rad", "vonmises"),
            heading_pitch_rad=_spread(0.0, 16.0, "rad", "vonmises"),
            yaw_deg_s=_spread(0.0, 30.0, "deg/s", "normal"),
            pitch_deg_s=_spread(0.0, 10.0, "deg/s", "normal"),
            speed_m_s=_uniform(0.0, 3.0, "m/s"),
            nearest_m=fixed(0.5, "m", f"{_SOURCE}: centre of the depth map"),
        ),
    )


def _uniform(low: float, high: float, unit: str) -> Quantity:
    return Quantity(
        value=(low + high) / 2,
        low=low,
        high=high,
        distribution="uniform",
        unit=unit,
        source=_SOURCE,
    )


def _spread(value: float, spread: float, unit: str, distribution: Distribution) -> Quantity:
    return Quantity(
        value=value, spread=spread, distribution=distribution, unit=unit, source=_SOURCE
    )
