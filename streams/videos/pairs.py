"""Which sources are the two eyes of one recording: those whose names differ in the eye only."""

import re
from collections.abc import Mapping

from .find import Source

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"left"), "right"),
    (re.compile(r"Left"), "Right"),
    (re.compile(r"LEFT"), "RIGHT"),
    (re.compile(r"(?<=[-_.])l(?=[-_./#]|$)"), "r"),
    (re.compile(r"(?<=[-_.])L(?=[-_./#]|$)"), "R"),
    # KITTI: 0 and 1 are the grey cameras, 2 and 3 the colour cameras, and the right ones odd.
    (re.compile(r"(?<![A-Za-z])image_(0?)0(?=[/.]|$)"), r"image_\g<1>1"),
    (re.compile(r"(?<![A-Za-z])image_(0?)2(?=[/.]|$)"), r"image_\g<1>3"),
    # EuRoC and its like.
    (re.compile(r"(?<![A-Za-z])cam0(?=[/._-]|$)"), "cam1"),
)
"""The left eye's part of a name, and what it is in the right eye's."""
_RIG = re.compile(r"(?<![A-Za-z])cam1(?=[/._-]|$)")


def right_of(name: str, sources: Mapping[str, Source]) -> str | None:
    """Return the name of the right eye that belongs to the source of this name; None if none does.

    Of a rig of more than two cameras ``cam0``, ``cam1``, ``cam2`` nobody says which are eyes.
    """
    for left, right in _RULES:
        for found in left.finditer(name):
            other = name[: found.start()] + found.expand(right) + name[found.end() :]
            if other in sources and not _of_a_rig(other, sources):
                return other
    return None


def paired(sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the names of right eyes by those of their left eyes."""
    pairs: dict[str, str] = {}
    for name in sorted(sources):
        other = right_of(name, sources)
        if other is not None and other not in pairs.values():
            pairs[name] = other
    return pairs


def _of_a_rig(name: str, sources: Mapping[str, Source]) -> bool:
    third = _RIG.sub("cam2", name)
    return third != name and third in sources
