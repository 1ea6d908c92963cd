"""Who looks: a named card of eyes and body on which every number carries its source."""

import json
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from ..rig import RigMode
from .quantity import Quantity

OBSERVER_VERSION = 1


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
    azimuth_concentration: Quantity
    elevation_concentration: Quantity
    """Von Mises concentrations of the gaze about the direction of the body."""
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
    locomotion: Literal["walk", "stand"]
    body: BodyCard
    gait: GaitCard
    gaze: GazeCard
    eyes: Literal[1, 2] = 2
    rig_mode: RigMode = "parallel"

    def __post_init__(self) -> None:
        """Refuse cards that cannot be meant."""
        if self.locomotion not in ("walk", "stand"):
            raise ValueError(f"expected the locomotion walk or stand, got {self.locomotion!r}")
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
            for f in fields(getattr(self, group))
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        data: dict[str, Any] = {"version": OBSERVER_VERSION}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name in _GROUPS:
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
        try:
            for group, card in _GROUPS.items():
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


_GROUPS: dict[str, type] = {"body": BodyCard, "gait": GaitCard, "gaze": GazeCard}
Card = TypeVar("Card")


def _group(card: type[Card], data: dict[str, Any]) -> Card:
    return card(**{name: Quantity.from_dict(value) for name, value in data.items()})
