"""Who looks: a named card of eyes and body on which every number carries its source."""

import json
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import numpy as np

from ..rig import RigMode
from .quantity import Quantity

OBSERVER_VERSION = 2
Locomotion = Literal["walk", "crawl", "stand", "glide"]


@dataclass(frozen=True, kw_only=True)
class BodyCard:
    """Size and pace."""

    interocular_m: Quantity
    eye_height_m: Quantity
    """Height of the eyes above the floor."""
    radius_m: Quantity
    """Radius of the upright capsule that must stay free of matter."""
    headroom_m: Quantity
    """How far the capsule reaches above the eyes."""
    walking_speed_m_s: Quantity
    turning_deg_s: Quantity
    """Rate of turning at which walking slows down to ``1 / sqrt(2)`` of its speed."""
    inspection_per_s: Quantity
    """How far the head moves in a second around an object, as a share of its distance to it."""
    reach: Quantity
    """How far the head reaches towards an object to look closer, as a share of its distance."""
    reaches_per_min: Quantity
    reach_s: Quantity
    """Time to reach there and come back."""


@dataclass(frozen=True, kw_only=True)
class GaitCard:
    """How walking moves the head; amplitudes are half of peak to peak, at the reference speed."""

    reference_speed_m_s: Quantity
    step_frequency_hz: Quantity
    frequency_exponent: Quantity
    """Step frequency grows as speed to this power."""
    vertical_m: Quantity
    lateral_m: Quantity
    pitch_deg: Quantity
    yaw_deg: Quantity
    roll_deg: Quantity
    turn_lead_deg: Quantity
    """Most that the head's yaw leads the path's."""
    turn_lead_s: Quantity
    turn_roll_deg: Quantity
    """Most that the head tilts into a turn."""


@dataclass(frozen=True, kw_only=True)
class GazeCard:
    """Where the eyes go, and how."""

    fixation_s: Quantity
    saccade_deg: Quantity
    saccade_onset_s: Quantity
    saccade_s_per_deg: Quantity
    """A saccade of A degrees lasts ``saccade_onset_s + saccade_s_per_deg A``."""
    saccade_peak_deg_s: Quantity
    saccade_peak_constant_deg: Quantity
    """The peak velocity of a saccade of A degrees is ``peak (1 - exp(-A / constant))``."""
    saccade_skew_small: Quantity
    """Share of its duration at which a saccade of up to 10 degrees is fastest."""
    saccade_skew_large: Quantity
    """The same for 50 degrees and more."""
    saccade_undershoot_deg: Quantity
    vor_gain: Quantity
    """Share of the head's turning that the vestibulo-ocular reflex takes back."""
    vor_latency_s: Quantity
    pursuit_gain: Quantity
    pursuit_latency_s: Quantity
    pursuit_limit_deg_s: Quantity
    vergence_gain: Quantity
    """Vergence of converging eyes as a share of what the fixated distance asks for."""
    listing_tilt: Quantity
    """Angle by which each eye's displacement plane turns outwards, as a share of vergence."""
    azimuth_concentration: Quantity
    elevation_concentration: Quantity
    """Von Mises concentrations of the gaze about the direction of the body."""
    gaze_limit_deg: Quantity
    """Farthest from straight ahead of the body that is looked at, with the head's help."""
    eye_limit_deg: Quantity
    head_free_deg: Quantity
    """Eccentricity up to which the eyes alone turn."""
    eye_saturation_deg: Quantity
    """Eccentricity of the eye in the head when the gaze is 90 degrees from straight ahead."""
    head_smoothing_s: Quantity
    ground_preference: Quantity
    object_preference: Quantity
    nearest_m: Quantity
    """Distance below which nothing is fixated."""
    blinks_per_min: Quantity
    blink_spread: Quantity
    """Standard deviation of the logarithm of the time between blinks."""
    blink_s: Quantity


@dataclass(frozen=True, kw_only=True)
class BodySenseCard:
    """How the body's senses turn motion into signals."""

    canal_s: Quantity
    """Time constant with which a semicircular canal forgets a steady turn."""
    canal_adaptation_s: Quantity
    """Time constant with which its nerve adapts."""
    otolith_s: Quantity
    """Time constant with which an otolith organ follows a force."""
    stance_share: Quantity
    """Share of the stride that each foot spends on the ground."""


@dataclass(frozen=True, kw_only=True)
class BoutsCard:
    """Moving in bouts, with pauses and falls."""

    bout_steps: Quantity
    steps_per_hour: Quantity
    falls_per_hour: Quantity
    pause_spread: Quantity
    """Standard deviation of the logarithm of the time between bouts."""
    ramp_s: Quantity
    """Time to start, to stop or to change posture."""
    fall_s: Quantity
    down_s: Quantity
    """Time spent on the floor after a fall."""
    rise_s: Quantity
    fallen_height: Quantity
    """Height of the eyes after a fall, as a share of that while moving."""
    fallen_pitch_deg: Quantity
    """Pitch of the head in a fall."""
    resting_height: Quantity
    """Height of the eyes between bouts, as a share of that while moving."""
    moving_pitch_deg: Quantity
    """Pitch of the head while moving; negative is downwards."""
    resting_pitch_deg: Quantity
    rests_sitting: Quantity
    """1 if pauses are spent sitting, 0 if standing."""


@dataclass(frozen=True, kw_only=True)
class GlideCard:
    """A camera that moves and turns at constant rates, with its gaze fixed to it."""

    height_m: Quantity
    """Height above the floor at the start."""
    pitch_rad: Quantity
    """Pitch at the start."""
    heading_yaw_rad: Quantity
    """Direction of the motion relative to the gaze, to the left."""
    heading_pitch_rad: Quantity
    yaw_deg_s: Quantity
    pitch_deg_s: Quantity
    speed_m_s: Quantity
    nearest_m: Quantity
    """A clip is refused if the middle of a frame shows anything nearer."""


class Body(NamedTuple):
    """One person, drawn from a card."""

    interocular_m: float
    eye_height_m: float
    walking_speed_m_s: float


class Row(NamedTuple):
    """One line of a card."""

    name: str
    quantity: Quantity


@dataclass(frozen=True, kw_only=True)
class Observer:
    """A card of eyes and body."""

    name: str
    description: str
    locomotion: Locomotion
    body: BodyCard
    gait: GaitCard
    gaze: GazeCard
    senses: BodySenseCard
    bouts: BoutsCard | None = None
    """Moves in bouts; None goes on and on."""
    glide: GlideCard | None = None
    """What a gliding camera does; for that locomotion only."""
    eyes: Literal[1, 2] = 2
    rig_mode: RigMode = "parallel"

    def __post_init__(self) -> None:
        """Refuse cards that cannot be meant."""
        if self.locomotion not in get_args(Locomotion):
            raise ValueError(
                f"expected the locomotion {get_args(Locomotion)}, got {self.locomotion!r}"
            )
        if (self.glide is not None) != (self.locomotion == "glide"):
            raise ValueError(
                f"expected a glide card for the locomotion glide and for no other, got "
                f"locomotion={self.locomotion!r} and glide={self.glide}"
            )
        if self.eyes not in (1, 2):
            raise ValueError(f"expected 1 or 2 eyes, got {self.eyes}")

    def draw_body(self, rng: np.random.Generator) -> Body:
        """Return one person; every person of a card walks unless the card stands."""
        body = self.body
        interocular, height = body.interocular_m.sample(rng), body.eye_height_m.sample(rng)
        return Body(interocular, height, body.walking_speed_m_s.sample(rng))

    def rows(self) -> list[Row]:
        """Return every parameter as (``group.name``, quantity)."""
        return [
            Row(f"{group}.{f.name}", getattr(getattr(self, group), f.name))
            for group in _GROUPS
            if getattr(self, group) is not None
            for f in fields(getattr(self, group))
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        data: dict[str, Any] = {"version": OBSERVER_VERSION}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name in _GROUPS and value is not None:
                value = {g.name: getattr(value, g.name).to_dict() for g in fields(value)}
            data[f.name] = value
        return data

    def to_json(self) -> str:
        """Return the card as indented JSON."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, where: str = "observer") -> "Observer":
        """Return the observer that ``to_dict`` described.

        Raises:
            ValueError: the data is no observer card; names ``where`` and what is wrong.
        """
        if not isinstance(data, dict) or data.get("version") != OBSERVER_VERSION:
            found = data.get("version") if isinstance(data, dict) else type(data).__name__
            raise ValueError(
                f"{where}: expected an observer card of version {OBSERVER_VERSION}, found {found}"
            )
        values = {name: value for name, value in data.items() if name != "version"}
        missing = [group for group in _GROUPS if group not in values and group not in _OPTIONAL]
        if missing:
            raise ValueError(
                f"{where}: no observer card: expected the groups {list(_GROUPS)}, missing {missing}"
            )
        try:
            for group, card in _GROUPS.items():
                if values.get(group) is not None:
                    values[group] = _group(card, values[group])
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{where}: no observer card: {error}") from error

    @classmethod
    def from_json(cls, text: str, *, where: str = "observer") -> "Observer":
        """Return the observer that ``to_json`` wrote."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{where}: no observer card: {error}") from error
        return cls.from_dict(data, where=where)


_GROUPS: dict[str, type] = {
    "body": BodyCard,
    "gait": GaitCard,
    "gaze": GazeCard,
    "senses": BodySenseCard,
    "bouts": BoutsCard,
    "glide": GlideCard,
}
_OPTIONAL = ("bouts", "glide")
Card = TypeVar("Card")


def _group(card: type[Card], data: dict[str, Any]) -> Card:
    return card(**{name: Quantity.from_dict(value) for name, value in data.items()})
