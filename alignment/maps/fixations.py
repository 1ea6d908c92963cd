"""Eye fixations and mouse traces: OSIE's files, and SALICON's.

OSIE (Xu et al. 2014; mouse traces by Jiang et al. 2015) and SALICON (Jiang et al. 2015).
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .csv_rows import csv_rows
from .npz_members import plain_members
from .sizes import SizeOf, sizes_of
from .trials import Trial, Trials
from .writing import new_file

FIXATION_COLUMNS = ("image", "subject", "order", "x", "y", "duration_ms")
MOUSE_MEMBERS = ("coord", "subj", "image", "offset")
_HALF_PIXEL = 0.5
"""MATLAB counts pixels from 1, and the centre of our first pixel is at 0.5."""


def read_fixations_csv(path: Path, size_of: SizeOf) -> Trials:
    """Return fixations, one trial for each person and image, in order.

    Columns: ``image, subject, order, x, y, duration_ms``, x and y in pixels.

    Raises:
        ValueError: a line is not what it should be; names it.
    """
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for where, row in csv_rows(path, FIXATION_COLUMNS):
        try:
            values = tuple(float(row[name]) for name in FIXATION_COLUMNS[2:])
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{where}: expected numbers in {', '.join(FIXATION_COLUMNS[2:])}, got {row}"
            ) from error
        found.setdefault((row["image"], row["subject"]), []).append(values)
    trials = tuple(_fixated(image, subject, own) for (image, subject), own in found.items())
    return Trials(trials=trials, image_sizes_px=sizes_of(trials, size_of), kind="fixations")


def write_fixations_csv(trials: Trials, path: Path) -> int:
    """Write trials as fixations to a new file; points without a duration get 0.

    Trials without points leave no line, as the form has none for them.

    Raises:
        FileExistsError: there is something at ``path``.
    """
    with new_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(FIXATION_COLUMNS)
        for trial in trials.trials:
            durations = trial.duration_ms
            durations = np.zeros(len(trial.points_px)) if durations is None else durations
            for order, (x, y) in enumerate(trial.points_px.tolist()):
                rows.writerow([trial.image, trial.subject, order, x, y, durations[order].item()])
    return len(trials)


def read_mouse_npz(path: Path, size_of: SizeOf) -> Trials:
    """Return mouse traces, one trial for each person and image.

    Members, all plain: ``coord`` int ``[sample, 2]``, row and column in pixels counted from 1;
    ``subj`` int ``[sample]``; ``image`` ``[image]``; ``offset`` int ``[image + 1]``, where the
    samples of each image start and end.

    Raises:
        ValueError: the file is damaged, holds Python objects, or its members do not fit.
    """
    members = plain_members(path, MOUSE_MEMBERS)
    coord, people, offset = members["coord"], members["subj"], members["offset"]
    names = [str(name) for name in members["image"]]
    if (
        coord.shape != (len(people), 2)
        or offset.shape != (len(names) + 1,)
        or (np.diff(offset) < 0).any()
        or (offset[0], offset[-1]) != (0, len(people))
    ):
        raise ValueError(
            f"expected coord [sample, 2], subj [sample] and rising offset [image + 1] in {path}, "
            f"got {coord.shape}, {people.shape} and {offset.shape} for {len(names)} images"
        )
    trials: list[Trial] = []
    for name, start, stop in zip(names, offset[:-1], offset[1:], strict=True):
        points = coord[start:stop, ::-1].astype(np.float64) - _HALF_PIXEL
        trials += _by_person(name, points, people[start:stop])
    return Trials(
        trials=tuple(trials), image_sizes_px=sizes_of(trials, size_of), kind="mouse traces"
    )


def read_salicon_folder(path: Path) -> Trials:
    """Return the fixations of SALICON's ``.mat`` files, one for each image.

    Each holds ``image`` (a name), ``resolution`` (height and width) and ``gaze``: one entry for
    each person, with ``fixations`` ``[fixation, 2]``, x and y in pixels counted from 1.

    Raises:
        ValueError: a file is damaged or is something else; names it.
    """
    trials: list[Trial] = []
    sizes: dict[str, tuple[int, int]] = {}
    for file in sorted(path.glob("*.mat")):
        name, size, people = _salicon_file(file)
        sizes[name] = size
        trials += [
            Trial(image=name, points_px=points, subject=str(person))
            for person, points in enumerate(people)
        ]
    return Trials(trials=tuple(trials), image_sizes_px=sizes, kind="fixations")


def _fixated(image: str, subject: str, values: list[tuple[float, ...]]) -> Trial:
    rows = np.asarray(sorted(values, key=lambda row: row[0]), dtype=np.float64)
    return Trial(image=image, subject=subject, points_px=rows[:, 1:3], duration_ms=rows[:, 3])


def _by_person(name: str, points: np.ndarray, people: np.ndarray) -> Iterator[Trial]:
    for person in dict.fromkeys(people.tolist()):
        yield Trial(image=name, points_px=points[people == person], subject=str(person))


def _salicon_file(file: Path) -> tuple[str, tuple[int, int], list[np.ndarray]]:
    from scipy.io import loadmat

    try:
        content: dict[str, Any] = loadmat(file, squeeze_me=True)
        height, width = (int(side) for side in content["resolution"])
        gaze = np.atleast_1d(content["gaze"])
        people = [_points(one) - _HALF_PIXEL for one in gaze["fixations"]]
        name = str(content["image"])
    except Exception as error:  # scipy raises many kinds at damaged files
        raise ValueError(
            f"expected SALICON's image, resolution and gaze.fixations in {file}, but it cannot be "
            f"read as such ({type(error).__name__}: {error})"
        ) from error
    return name, (width, height), people


def _points(value: object) -> np.ndarray:
    return np.asarray(value, dtype=np.float64).reshape(-1, 2)
