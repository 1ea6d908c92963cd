"""When the pictures of a sequence were taken."""

import json
from datetime import datetime
from pathlib import Path

import numpy as np

from .errors import Unusable
from .find import Source

TIMES_FILES = ("times.txt", "timestamps.txt")


def picture_times_s(source: Source, picture_rate_hz: float | None) -> np.ndarray:
    """Return the time of each picture in seconds ``[n]``, ascending, from any moment on.

    They stand in ``times.txt`` or ``timestamps.txt`` beside the pictures or their folder, a line a
    picture (KITTI); or in a JSON file beside them as ``{"frames": [{"file": ..., "t_ns": ...}]}``;
    or else follow from the numbers in the names and the rate that was given.

    Raises:
        Unusable: nothing says it, or the file of times does not fit.
    """
    if source.numbers is None:
        raise TypeError(f"expected pictures, got the video {source.name}")
    for file in _beside(source):
        times_s = _from_text(file, len(source.paths))
        return _ascending(times_s, file.name)
    listed = _from_json(source)
    if listed is not None:
        return _ascending(listed, "the JSON file beside them")
    if picture_rate_hz is None:
        raise Unusable(
            "nothing says when its pictures were taken; give the rate of their numbers "
            f"(picture_rate_hz, --cut.picture-rate-hz), or a line a picture in {TIMES_FILES[0]}"
        )
    # Whole numbers first: some datasets number by nanoseconds, which no float holds exactly.
    steps = [number - source.numbers[0] for number in source.numbers]
    return np.array([step / picture_rate_hz for step in steps])


def _beside(source: Source) -> list[Path]:
    """Return files of times next to the pictures, or next to their folder."""
    folders = (source.folder, source.folder.parent)
    files = [folder / name for folder in folders for name in TIMES_FILES]
    return [file for file in files if file.is_file()]


def _from_text(file: Path, pictures: int) -> np.ndarray:
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        times_s = np.array([_seconds(line) for line in lines if line])
    except ValueError as error:
        raise Unusable(f"{file.name} beside it holds something else than times: {error}") from error
    if len(times_s) != pictures:
        raise Unusable(f"{file.name} beside it has {len(times_s)} times for {pictures} pictures")
    return times_s - times_s[0] if len(times_s) else times_s


def _seconds(line: str) -> float:
    """Return seconds from a number, or from KITTI's ``2011-09-26 13:02:25.964389445``."""
    if ":" not in line:
        return float(line)
    moment, _, fraction = line.partition(".")
    # From midnight of one fixed day, in whole seconds: floats hold the rest to a nanosecond.
    whole = datetime.fromisoformat(moment) - datetime(2000, 1, 1)
    return whole.total_seconds() + (float(f"0.{fraction}") if fraction else 0.0)


def _from_json(source: Source) -> np.ndarray | None:
    names = [path.name for path in source.paths]
    for file in sorted(source.folder.glob("*.json")):
        try:
            listed = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            continue
        frames = listed.get("frames") if isinstance(listed, dict) else None
        if not isinstance(frames, list):
            continue
        t_ns = {f.get("file"): f.get("t_ns") for f in frames if isinstance(f, dict)}
        found = [time for name in names if isinstance(time := t_ns.get(name), int)]
        if len(found) == len(names):
            return np.array([(time - found[0]) * 1e-9 for time in found])
    return None


def _ascending(times_s: np.ndarray, where: str) -> np.ndarray:
    if not np.isfinite(times_s).all() or (np.diff(times_s) <= 0).any():
        raise Unusable(f"its times in {where} do not ascend in the order of its pictures' numbers")
    return times_s
