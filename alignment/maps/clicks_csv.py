"""ClickMe 2.0 clicks as CSV: ``image_path,clicks,user_id[,timestamp]``, in both dialects."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from .csv_rows import csv_rows
from .sizes import SizeOf, size_source, sizes_of
from .trials import Trial, Trials
from .writing import new_file

_NUMBER = r"\s*([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*"
_POINT = re.compile(rf'"?\({_NUMBER},{_NUMBER}\)"?')
_T = TypeVar("_T")
_COLUMNS = ("image_path", "clicks", "user_id")
_OPTIONAL = ("timestamp", "user_catch_trial", "is_mobile", "duration_ms")
_TRUE, _FALSE = ("true", "t", "1", "1.0"), ("false", "f", "0", "0.0")


def read_clicks_csv(path: Path, images: Path | SizeOf) -> Trials:
    """Return the trials of a file.

    Args:
        path: the file. Clicks are either ``{"(x,y)","(x,y)"}`` or ``[(x, y), (x, y)]``, in pixels
            of the image from its top left corner. Columns ``timestamp``, ``user_catch_trial``,
            ``is_mobile`` and ``duration_ms`` are read where there are some.
        images: folder of the pictures, found by the last parts of their ``image_path``; or what
            tells the width and height of an image by its path.

    Raises:
        ValueError: a line is not what it should be; names it.
        FileNotFoundError: the size of an image cannot be told.
    """
    size_of = size_source(images, None) if isinstance(images, Path) else images
    trials = tuple(_trials(path))
    return Trials(trials=trials, image_sizes_px=sizes_of(trials, size_of))


def write_clicks_csv(trials: Trials, path: Path) -> int:
    """Write trials to a new file and return their number; ``read_clicks_csv`` reads them back.

    Optional columns are written if any trial knows theirs. Points are written in full.

    Raises:
        FileExistsError: there is something at ``path``.
    """
    optional = [name for name in _OPTIONAL if any(_text(t, name) for t in trials.trials)]
    with new_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*_COLUMNS, *optional])
        for trial in trials.trials:
            clicks = ", ".join(f"({_number(x)}, {_number(y)})" for x, y in trial.points_px.tolist())
            words = [_text(trial, name) for name in optional]
            rows.writerow([trial.image, f"[{clicks}]", trial.subject, *words])
    return len(trials)


def parse_clicks(text: str) -> np.ndarray:
    """Return float64 ``[click, 2]`` of either dialect.

    Example:
        >>> parse_clicks('{"(1,2)","(3,4)"}').tolist() == parse_clicks("[(1, 2), (3, 4)]").tolist()
        True
    """
    inner = text.strip()
    if len(inner) < 2 or (inner[0], inner[-1]) not in (("{", "}"), ("[", "]")):
        raise ValueError(
            f'expected clicks like {{"(x,y)","(x,y)"}} or [(x, y), (x, y)], got {text[:60]!r}'
        )
    points = [(float(x), float(y)) for x, y in _POINT.findall(inner)]
    rest = _POINT.sub("", inner[1:-1]).replace(",", "").strip()
    if rest:
        raise ValueError(f"expected nothing but pairs of numbers in clicks, got {rest[:60]!r}")
    return np.asarray(points, dtype=np.float64).reshape(-1, 2)


def _trials(path: Path) -> Iterator[Trial]:
    for where, row in csv_rows(path, _COLUMNS):
        yield _trial(row, where)


def _trial(row: dict[str, str], where: str) -> Trial:
    if not row["image_path"] or not row["user_id"]:
        raise ValueError(f"{where}: expected image_path and user_id, got {row}")
    try:
        return Trial(
            image=row["image_path"],
            points_px=parse_clicks(row["clicks"] or ""),
            subject=row["user_id"],
            timestamp=row.get("timestamp") or None,
            catch_score=_optional(row, "user_catch_trial", float),
            is_mobile=_optional(row, "is_mobile", _flag),
            duration_ms=_optional(row, "duration_ms", _durations),
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _optional(row: dict[str, str], name: str, read: Callable[[str], _T]) -> _T | None:
    text = row.get(name)
    return read(text) if text else None


def _flag(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ValueError(f"expected true or false in is_mobile, got {text!r}")
    return text.lower() in _TRUE


def _durations(text: str) -> np.ndarray:
    return np.asarray([float(word) for word in text.split()], dtype=np.float64)


def _text(trial: Trial, column: str) -> str:
    """Return what a trial knows for an optional column, empty if nothing."""
    if column == "timestamp":
        return trial.timestamp or ""
    if column == "user_catch_trial":
        return "" if trial.catch_score is None else repr(float(trial.catch_score))
    if column == "is_mobile":
        return "" if trial.is_mobile is None else str(trial.is_mobile).lower()
    return "" if trial.duration_ms is None else " ".join(map(_number, trial.duration_ms.tolist()))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
