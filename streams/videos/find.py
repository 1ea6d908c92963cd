"""What lies in a folder, by names alone: video files and sequences of pictures."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .movie import MOVIES
from .pictures import PICTURES, pattern_of

_DEPTH_WORDS = re.compile(r"(?<![a-z])(depth|mm)(?![a-z])", re.IGNORECASE)
_COLOUR_WORDS = re.compile(r"(?<![a-z])(colou?r|rgb|image|img)(?![a-z])", re.IGNORECASE)
_IS_DEPTH = re.compile(r"(?<![a-z])depth[^/]*(/[^/]*)?$", re.IGNORECASE)
"""In the name of the files, or of the folder that they lie in."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A video file, or pictures whose names differ in a number only."""

    name: str
    """Path below the folder, with / between its parts and # for the number of pictures."""
    paths: tuple[Path, ...]
    """One file, or the pictures in the order of their numbers."""
    numbers: tuple[int, ...] | None
    """The pictures' numbers, ascending; None of a video file."""

    @property
    def is_depth(self) -> bool:
        """Whether the name says that these are depth pictures."""
        return self.numbers is not None and _IS_DEPTH.search(self.name) is not None

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.paths[0].parent


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a folder holds."""

    sources: tuple[Source, ...]
    """In the order of their names."""
    skipped: dict[str, str]
    """What looks like a recording and is none, by name, and why."""
    others: dict[str, int]
    """How many files of other kinds there are, by the ends of their names."""


def find_sources(folder: Path) -> Found:
    """Return the video files and picture sequences in a folder and all folders below it.

    Hidden files, and folders that are links, are passed over.
    """
    movies: dict[str, Path] = {}
    groups: dict[str, dict[int, list[Path]]] = {}
    skipped: dict[str, str] = {}
    others: dict[str, int] = {}
    for path in _files(folder):
        name, kind = path.relative_to(folder).as_posix(), path.suffix.lower()
        pattern = pattern_of(path.name)
        if kind in MOVIES:
            movies[name] = path
        elif kind not in PICTURES:
            others[kind or "no ending"] = others.get(kind or "no ending", 0) + 1
        elif pattern is None:
            skipped[name] = "a picture without a number in its name is no part of a sequence"
        else:
            below = (path.parent.relative_to(folder) / pattern[0]).as_posix()
            groups.setdefault(below, {}).setdefault(pattern[1], []).append(path)
    sources = [Source(name=n, paths=(path,), numbers=None) for n, path in movies.items()]
    for name, numbered in groups.items():
        twice = [paths for paths in numbered.values() if len(paths) > 1]
        if twice:
            skipped[name] = f"{twice[0][0].name} and {twice[0][1].name} have the same number"
            continue
        numbers = tuple(sorted(numbered))
        paths = tuple(numbered[number][0] for number in numbers)
        sources.append(Source(name=name, paths=paths, numbers=numbers))
    in_order = tuple(sorted(sources, key=lambda source: source.name))
    return Found(sources=in_order, skipped=skipped, others=others)


Moments = tuple[str, str, tuple[int, ...] | None]
"""A name without what says colour or depth, and the numbers of the pictures."""


def depth_key(source: Source) -> Moments:
    """Return what colour and depth pictures of the same moments have in common."""
    words = _DEPTH_WORDS if source.is_depth else _COLOUR_WORDS
    parent, _, file = source.name.rpartition("/")
    stem = file.rpartition(".")[0]
    return _without(words, parent), _without(words, stem), source.numbers


def _without(words: re.Pattern[str], text: str) -> str:
    return re.sub(r"[^A-Za-z0-9#/]+", "", words.sub("", text))


def _files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent) / name for name in files if not name.startswith(".")]
    return sorted(found)
