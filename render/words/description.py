"""The facts about a clip, as plain data: what captions are made of, here and elsewhere.

Angles are in degrees, positive to the left. Lengths are in metres and None in scenes of unknown
scale. Numbers are rounded to a thousandth.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .plain import from_plain

DESCRIPTION_VERSION = 1
Direction = Literal[
    "ahead", "ahead left", "left", "behind left", "behind", "behind right", "right", "ahead right"
]
Side = Literal["left", "right"]
Third = Literal["left", "middle", "right"]
Range = Literal["near", "middle", "far"]
PlaceKind = Literal["place", "scene"]


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A listed object of the scene."""

    name: str
    """Its unique name on the scene's card."""
    noun: str
    """The name in words: ``grand_piano_2`` is a grand piano."""
    wnid: str | None
    """WordNet id of its ImageNet category, if it has one."""
    alike: int
    """How many listed objects of the scene have the same noun, itself among them."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Time spent on one activity."""

    activity: str
    """``standing``, ``walking``, ``crawling``, ``moving`` and whatever else bodies do."""
    start_s: float
    end_s: float
    speed_m_s: float | None
    """Mean speed over the ground."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A turn of the body by 20 degrees or more."""

    side: Side
    angle_deg: float
    """At least 20."""


@dataclass(frozen=True, kw_only=True)
class MotionFacts:
    """What the body did."""

    activity: str
    """The activity of most of the time."""
    stretches: tuple[Stretch, ...]
    speed_m_s: float | None
    """Mean speed over the whole clip."""
    way_m: float | None
    """Length of the way over the ground."""
    turn_deg: float
    """Heading at the end minus heading at the start."""
    turns: tuple[Turn, ...]
    direction: Direction | None
    """Where the end lies, seen from the start with the heading there; None if it stayed."""
    direction_deg: float | None


@dataclass(frozen=True, kw_only=True)
class Passed:
    """An object that was ahead, came closest beside the body, and fell behind."""

    thing: Thing
    side: Side
    distance_m: float | None
    """From the head to the edge of the object's box where they are closest, in plan."""
    time_s: float


@dataclass(frozen=True, kw_only=True)
class Nearby:
    """An object that the body was close to, or went towards."""

    thing: Thing
    distance_m: float | None
    """From the head to the edge of the object's box, in plan: nearest, or at the end."""
    direction: Direction
    """Of its centre, from the heading at that instant."""
    direction_deg: float


@dataclass(frozen=True, kw_only=True)
class PlaceFacts:
    """Where that was."""

    scene: str
    """The scene's name in words."""
    kind: PlaceKind
    """``place`` if the name says where one is, such as a room; otherwise ``scene``."""
    passed: tuple[Passed, ...]
    """The largest first, like what is near."""
    near: tuple[Nearby, ...]
    """Closer than 1 m on average."""
    towards: Nearby | None


@dataclass(frozen=True, kw_only=True)
class Look:
    """A fixation, or several in a row on the same thing."""

    thing: Thing | None
    """None for what is not listed."""
    is_floor: bool
    start_s: float
    end_s: float
    distance_m: float | None
    """From the head to the point looked at, halfway through."""
    direction: Direction
    """From the heading, halfway through."""
    direction_deg: float
    elevation_deg: float
    """Above the horizon."""
    frames: tuple[int, ...]
    """Frames in which the eyes are on it."""


@dataclass(frozen=True, kw_only=True)
class Visible:
    """A listed object that pixels show, in up to six frames of the clip's first eye."""

    thing: Thing
    share: float
    """Largest share of the picture's pixels."""
    distance_m: float | None
    """From the eye to the nearest point seen of it."""
    direction: Direction
    """Of what is seen of it, from the heading, where its share is largest."""
    direction_deg: float
    in_picture: Third | None
    """The third of the picture that it keeps to; None if it moves between them."""
    range: Range | None
    """``near`` up to 1.5 m, ``far`` from 4 m."""
    frames: tuple[int, ...]
    """Frames looked at in which it is seen."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """What happened to eyes and body."""

    fixations: int
    saccades: int
    blinks: int
    fall: bool


@dataclass(frozen=True, kw_only=True)
class Description:
    """All that captions may say about a clip."""

    observer: str
    is_metric: bool
    frames: int
    duration_s: float
    """From the first frame to the last."""
    motion: MotionFacts
    place: PlaceFacts
    looks: tuple[Look, ...]
    """In the order of time."""
    visible: tuple[Visible, ...]
    """The largest first."""
    events: Events
    version: int = DESCRIPTION_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return json.loads(json.dumps(asdict(self), allow_nan=False))

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, where: str = "description") -> "Description":
        """Return the description that ``to_dict`` gave.

        Raises:
            ValueError: the data is no description, or of another version; names ``where``.
        """
        found = data.get("version") if isinstance(data, dict) else type(data).__name__
        if found != DESCRIPTION_VERSION:
            raise ValueError(
                f"{where}: expected description version {DESCRIPTION_VERSION}, found {found}; "
                "update merkwelt"
            )
        return from_plain(cls, data, where=where)
