"""The part of a caption that tells how the body moved, and where."""

from typing import TYPE_CHECKING

from .description import Description, Nearby, Passed, Stretch, Turn
from .nouns import joined
from .numerals import spoken_angle, spoken_metres, spoken_speed

if TYPE_CHECKING:
    from .caption import Voice

MOST_PASSED, MOST_NEAR, MOST_STRETCHES = 2, 2, 3
WINDING = 2
"""More turns than this are not told one by one."""
DOING = {
    "standing": ("standing still", "stands still"),
    "walking": ("walking", "walks"),
    "crawling": ("crawling", "crawls"),
    "moving": ("moving", "moves"),
    "falling": ("falling", "falls"),
    "down": ("down on the floor", "is down on the floor"),
    "sitting": ("sitting on the floor", "sits on the floor"),
    "rising": ("getting up", "gets up"),
}
GOING = frozenset({"walking", "crawling", "moving"})


def motion_words(description: Description, voice: "Voice") -> str:
    """Return the phrase about motion and place; a sentence with a subject in some clips."""
    finite = voice.chance(0.25)
    subject = _subject(description, voice)
    stretches = description.motion.stretches
    goes = next((at for at, one in enumerate(stretches) if one.activity in GOING), None)
    told = _going if goes is not None else _staying
    first = stretches[goes or 0]
    text = told(description, first, _verb(first, finite=finite), voice)
    if len(stretches) <= MOST_STRETCHES:
        for before in reversed(stretches[: goes or 0]):
            text = f"{_verb(before, finite=finite)}, then {text}"
        for after in stretches[(goes or 0) + 1 :]:
            text += f", then {_verb(after, finite=finite)}"
    return f"{subject} {text}" if finite else text


def _subject(description: Description, voice: "Voice") -> str:
    name = description.observer
    plain = name.isascii() and name.isalpha()
    return voice.pick(["the observer", f"the {name} observer" if plain else "the observer"])


def _verb(stretch: Stretch, *, finite: bool) -> str:
    other = (stretch.activity, stretch.activity)
    return DOING.get(stretch.activity, other)[finite]


def _staying(description: Description, stretch: Stretch, verb: str, voice: "Voice") -> str:
    text = verb + _in_scene(description, voice, ("in",), share=0.5) + _near(description, voice)
    turns = _turning(description.motion.turns, voice)
    return f"{text}, {turns}" if turns else text


def _going(description: Description, stretch: Stretch, verb: str, voice: "Voice") -> str:
    says_speed, comma = voice.chance(0.6), voice.chance(0.5)
    pace = f" at {spoken_speed(stretch.speed_m_s)}" if says_speed and stretch.speed_m_s else ""
    turns = _turning(description.motion.turns, voice)
    straight = "" if turns else _straight(description, voice)
    where = _in_scene(description, voice, ("through", "in"), share=0.4)
    past = _past(description.place.passed, voice)
    to = _to(description.place.towards, voice) if voice.chance(0.5) or not past else ""
    near = _near(description, voice) if not past and not to and voice.chance(0.5) else ""
    start = verb + straight + pace + where
    text = start + _way(past, to, is_bare=start == verb) + near
    if not turns:
        return text
    is_short = not (past or to or where or near)
    return f"{text} and {turns}" if is_short and not comma else f"{text}, {turns}"


def _straight(description: Description, voice: "Voice") -> str:
    """Return where a way without turns leads."""
    forms = {
        "ahead": voice.pick([" straight on", " straight ahead", " ahead"]),
        "left": " to the left",
        "right": " to the right",
        "behind": " backwards",
    }
    return forms.get(description.motion.direction or "", "")


def _turning(turns: tuple[Turn, ...], voice: "Voice") -> str:
    says_angle = voice.chance(0.4)
    verb = voice.pick(["turning {}", "turning {}", "turning to the {}", "bearing {}"])
    if not turns:
        return ""
    if len(turns) > WINDING:
        return "turning this way and that"
    if len(turns) == WINDING:
        return f"turning {turns[0].side}, then {turns[1].side}"
    side, angle = turns[0].side, spoken_angle(turns[0].angle_deg)
    return f"turning about {angle} to the {side}" if says_angle else verb.format(side)


def _in_scene(
    description: Description, voice: "Voice", prepositions: tuple[str, ...], *, share: float
) -> str:
    said, preposition = voice.chance(share), voice.pick(prepositions)
    if not said or description.place.kind != "place":
        return ""
    return f" {preposition} the {description.place.scene}"


def _past(passed: tuple[Passed, ...], voice: "Voice") -> str:
    """Return what is passed, the largest things only, in the order of time."""
    word, most = voice.pick([" past", " past", ", passing"]), MOST_PASSED if voice.detail else 1
    told = sorted(passed[:most], key=lambda one: one.time_s)
    if not told:
        return ""
    sides = list(dict.fromkeys(one.side for one in told))
    groups = [
        f"{voice.naming.listing([one.thing for one in told if one.side == side])} on the {side}"
        for side in sides
    ]
    return f"{word} {joined(groups)}"


def _way(past: str, to: str, *, is_bare: bool) -> str:
    """Return what is passed and where it leads; ``, passing`` follows more than a mere verb."""
    if not past.startswith(","):
        return past + to
    return past.replace(", passing", " past", 1) if is_bare and not to else to + past


def _to(towards: Nearby | None, voice: "Voice") -> str:
    preposition = voice.pick(["towards", "up to"] if _is_reached(towards) else ["towards"])
    if towards is None or voice.naming.is_named(towards.thing):
        return ""
    return f" {preposition} {voice.naming.one(towards.thing)}"


def _is_reached(towards: Nearby | None) -> bool:
    return towards is not None and towards.distance_m is not None and towards.distance_m < 0.5


def _near(description: Description, voice: "Voice") -> str:
    preposition = voice.pick(["near", "close to"])
    says_distance = voice.chance(0.3)
    told = description.place.near[:MOST_NEAR]
    if not told:
        return ""
    names = voice.naming.listing([one.thing for one in told])
    distance_m = told[0].distance_m
    if len(told) == 1 and says_distance and distance_m:
        return f" {spoken_metres(distance_m)} from {names}"
    return f" {preposition} {names}"
