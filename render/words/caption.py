"""Captions: a grammar whose every word comes from a description."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from .description import Description, Look, Visible
from .motion_words import motion_words
from .nouns import Naming
from .numerals import count_word, spoken_metres, times

Choice = TypeVar("Choice")
MOST_VISIBLE = 3
SHARES_OF_DETAIL = (0.25, 0.5, 0.25)
"""How many captions are short, of middling length and long."""
IN_VIEW_SAID = (0.25, 0.6, 0.9)
LEAST_SHARE = 0.01
UP_DEG = 25.0
TOWARDS = {
    "ahead": "ahead",
    "ahead left": "ahead on the left",
    "left": "to the left",
    "behind left": "over the left shoulder",
    "behind": "back",
    "behind right": "over the right shoulder",
    "right": "to the right",
    "ahead right": "ahead on the right",
}
IN_PICTURE = {
    "left": "on the left of the picture",
    "middle": "in the middle of the picture",
    "right": "on the right of the picture",
}


class Voice:
    """Chooses between phrasings by a clip's own randomness, and names things once."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Take the generator of a clip's words, and draw how much shall be said."""
        self._rng = rng
        self.naming = Naming()
        self.detail = int(np.searchsorted(np.cumsum(SHARES_OF_DETAIL), rng.random()))
        """0, 1 or 2."""

    def pick(self, options: Sequence[Choice]) -> Choice:
        """Return one of several options."""
        return options[int(self._rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        """Return True in so many cases."""
        return bool(self._rng.random() < share)


def caption_of(description: Description, rng: np.random.Generator) -> str:
    """Return a caption that says some of a description, and nothing else.

    What it says depends on the description alone but for which optional details it takes in, and
    in which words; those are drawn from ``rng``.

    Example:
        ``walking past the sofa on the left, looking at the grand piano 1.4 m away``
    """
    voice = Voice(rng)
    parts = [
        motion_words(description, voice),
        _looking(description.looks, voice),
        _in_view(description.visible, voice),
        _events(description, voice),
    ]
    return ", ".join(part for part in parts if part)


def _looking(looks: tuple[Look, ...], voice: Voice) -> str:
    verb = voice.pick(["looking at", "looking at", "with the eyes on", "the gaze on"])
    named = [look for look in looks if look.thing is not None or look.is_floor]
    named = _longest(named, voice.detail + 1)
    if not named:
        return _looking_somewhere(looks)
    if len(named) == 1:
        return f"{verb} {_what(named[0], voice)}{_whereabouts(named[0], voice)}"
    far = _distance(named[-1], voice) if voice.chance(0.4) else ""
    *names, last = [_what(look, voice) for look in named]
    return f"{verb} {', '.join(names)}{voice.pick([', then', ' and then'])} {last}{far}"


def _longest(looks: list[Look], most: int) -> list[Look]:
    """Return the longest look at each of the things looked at longest, in order of time."""
    longest: dict[str, Look] = {}
    for look in looks:
        name = look.thing.name if look.thing else ""
        if name not in longest or _length_s(look) > _length_s(longest[name]):
            longest[name] = look
    chosen = sorted(longest.values(), key=_length_s, reverse=True)[:most]
    return sorted(chosen, key=lambda look: look.start_s)


def _length_s(look: Look) -> float:
    return look.end_s - look.start_s


def _looking_somewhere(looks: tuple[Look, ...]) -> str:
    if not looks:
        return ""
    wheres = {_where(look) for look in looks}
    return f"looking {wheres.pop()}" if len(wheres) == 1 else "looking around"


def _where(look: Look) -> str:
    if abs(look.elevation_deg) > UP_DEG:
        return "up" if look.elevation_deg > 0 else "down"
    return TOWARDS[look.direction]


def _what(look: Look, voice: Voice) -> str:
    return voice.naming.one(look.thing) if look.thing else "the floor"


def _whereabouts(look: Look, voice: Voice) -> str:
    far = _distance(look, voice) if voice.chance(0.75) else ""
    if not voice.chance(0.35):
        return far
    # "4 m away ahead" reads badly.
    after = far and f", {spoken_metres(look.distance_m or 0.0)} away"
    return f" {TOWARDS[look.direction]}{after}"


def _distance(look: Look, voice: Voice) -> str:
    if look.distance_m is None:
        return ""
    length = spoken_metres(look.distance_m)
    return voice.pick([f" {length} away", f" at {length}", f", {length} away"])


def _in_view(visible: tuple[Visible, ...], voice: Voice) -> str:
    said = voice.chance(IN_VIEW_SAID[voice.detail])
    form = voice.pick(["with {} in view", "with {} visible"])
    most = voice.pick(range(1, MOST_VISIBLE + 1))
    new = [seen for seen in visible if not voice.naming.is_named(seen.thing)]
    new = [seen for seen in new if seen.share >= LEAST_SHARE][:most]
    if not new or not said:
        return ""
    names = voice.naming.listing([seen.thing for seen in new])
    if len(new) == 1:
        return f"with {names} {_at(new[0], voice)}"
    return form.format(names)


def _at(seen: Visible, voice: Voice) -> str:
    places = ["in view"]
    if seen.in_picture is not None:
        places.append(IN_PICTURE[seen.in_picture])
    if seen.distance_m is not None and seen.range != "middle":
        places.append(f"{spoken_metres(seen.distance_m)} away")
    return voice.pick(places)


def _events(description: Description, voice: Voice) -> str:
    blinks, saccades = description.events.blinks, description.events.saccades
    says_blinks, says_saccades = voice.chance(0.4), voice.chance(0.1)
    parts = []
    told = {stretch.activity for stretch in description.motion.stretches}
    if description.events.fall and not told & {"falling"}:
        parts.append("falling")
    if blinks and says_blinks:
        parts.append(f"blinking {times(blinks)}")
    if saccades and says_saccades:
        parts.append(f"with {count_word(saccades)} saccade{'s' if saccades > 1 else ''}")
    return ", ".join(parts)
