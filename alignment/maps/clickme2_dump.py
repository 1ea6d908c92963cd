"""ClickMe 2.0 trials in an ``.npz`` of object arrays, read without running what is pickled."""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .npz_members import ARCHIVE_ERRORS
from .pickles import load_guarded_npy
from .sizes import SizeOf, sizes_of
from .trials import Trial, Trials
from .writing import new_file

NEEDED = ("file_pointer", "clickmap_x", "clickmap_y", "user_id")
_OPTIONAL = ("user_catch_trial", "is_mobile", "timestamp")


def read_clickme2_dump(path: Path, size_of: SizeOf) -> Trials:
    """Return the trials of a dump.

    Members: ``file_pointer, clickmap_x, clickmap_y, user_id`` and, where present,
    ``user_catch_trial, is_mobile, timestamp``, one entry for each trial; coordinates are a number,
    a sequence, or empty.

    Raises:
        ValueError: the file is damaged, would run code, or its members do not fit.
    """
    members = _members(path)
    trials = tuple(_trials(path, members))
    return Trials(trials=trials, image_sizes_px=sizes_of(trials, size_of))


def write_clickme2_dump(trials: Trials, path: Path) -> int:
    """Write trials to a new ``.npz`` of object arrays, as the study's own programs read.

    Whoever reads it with ``allow_pickle=True`` must trust whoever sent it; prefer CSV.

    Raises:
        FileExistsError: there is something at ``path``.
    """
    each = trials.trials
    members: dict[str, list[Any]] = {
        "file_pointer": [trial.image for trial in each],
        "clickmap_x": [trial.points_px[:, 0].tolist() for trial in each],
        "clickmap_y": [trial.points_px[:, 1].tolist() for trial in each],
        "user_id": [trial.subject for trial in each],
        "user_catch_trial": [_or_empty(trial.catch_score) for trial in each],
        "is_mobile": [_or_empty(trial.is_mobile) for trial in each],
        "timestamp": [_or_empty(trial.timestamp) for trial in each],
    }
    with new_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **{name: _objects(given) for name, given in members.items()})  # type: ignore[arg-type]
    return len(trials)


def _or_empty(value: object) -> object:
    return [] if value is None else value


def _objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), object)
    for place, value in enumerate(values):
        array[place] = value
    return array


def _members(path: Path) -> dict[str, list[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            present = {name.removesuffix(".npy") for name in archive.namelist()}
            missing = [name for name in NEEDED if name not in present]
            if missing:
                raise ValueError(
                    f"expected members {', '.join(NEEDED)} in {path}, missing "
                    f"{', '.join(missing)}; found {sorted(present)}"
                )
            found: dict[str, list[Any]] = {}
            for name in (*NEEDED, *(other for other in _OPTIONAL if other in present)):
                array = load_guarded_npy(archive.read(f"{name}.npy"), f"member '{name}' of {path}")
                found[name] = list(array.reshape(len(array), -1) if array.ndim > 1 else array)
    except ARCHIVE_ERRORS as error:
        raise ValueError(
            f"expected an .npz archive in {path}, but it cannot be read as one ({error})"
        ) from error
    lengths = {name: len(entries) for name, entries in found.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"expected as many entries in every member of {path}, got {lengths}")
    return found


def _trials(path: Path, members: Mapping[str, list[Any]]) -> Iterator[Trial]:
    for index in range(len(members["user_id"])):
        entry = {name: entries[index] for name, entries in members.items()}
        try:
            yield _trial(entry)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}, trial {index}: {error}") from error


def _trial(entry: Mapping[str, Any]) -> Trial:
    x, y = _numbers(entry["clickmap_x"]), _numbers(entry["clickmap_y"])
    if len(x) != len(y):
        raise ValueError(f"expected as many x as y coordinates, got {len(x)} and {len(y)}")
    catch, mobile = _one(entry.get("user_catch_trial")), _one(entry.get("is_mobile"))
    timestamp = _one(entry.get("timestamp"))
    return Trial(
        image=_text(_one(entry["file_pointer"])),
        points_px=np.stack([x, y], axis=1),
        subject=_text(_one(entry["user_id"])),
        catch_score=None if catch is None else float(catch),
        is_mobile=None if mobile is None else bool(mobile),
        timestamp=None if timestamp is None else _text(timestamp),
    )


def _numbers(value: object) -> np.ndarray:
    """Return float64 ``[n]`` of a number, a sequence or nothing."""
    if value is None:
        return np.zeros(0)
    return np.asarray(value, dtype=np.float64).reshape(-1)


def _one(value: Any) -> Any:  # noqa: ANN401 - an entry of any type
    """Return the single value of an entry, or None if it is empty."""
    if isinstance(value, (list, tuple, np.ndarray)):
        flat = np.asarray(value, dtype=object).reshape(-1)
        if len(flat) > 1 and len(set(flat.tolist())) > 1:
            raise ValueError(f"expected one value, got {flat.tolist()[:4]}")
        return flat[0] if len(flat) else None
    return value


def _text(value: object) -> str:
    if value is None:
        raise ValueError("expected an image and a user, found an empty entry")
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
