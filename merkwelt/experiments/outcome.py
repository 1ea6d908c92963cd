"""What an experiment came to: scores, floors and paired differences, as data to write and draw."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.plain_data import plain_data
from ..alignment.probes.groups import Draws
from ..alignment.probes.labelled_images import shown_object
from ..alignment.scores.bootstrap import Interval

FORMAT = "merkwelt experiment results"
VERSION = 1
RESAMPLES = 2000
SEEN = 0.0005
"""A difference whose interval comes closer to 0 than this would be shown as 0.000."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A score of one network, or of a floor, with its interval over objects."""

    name: str
    where: str
    """On which images, in words."""
    interval: Interval
    is_floor: bool = False


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One score less another, paired by image, with its interval over objects."""

    name: str
    where: str
    interval: Interval
    per_seed: tuple[float, ...] = ()
    """The same for each seed alone."""

    @property
    def verdict(self) -> str:
        """Whether the interval leaves 0 out, in words."""
        if not math.isfinite(self.interval.low):
            return "cannot be told: too few images"
        if self.interval.low >= SEEN:
            return "higher"
        return "lower" if self.interval.high <= -SEEN else "not told apart by these images"


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """An image with maps to draw over it, and the score of each."""

    title: str
    image: np.ndarray
    """uint8 ``[height, width, 3]``."""
    maps: Mapping[str, np.ndarray]
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """All that an experiment came to."""

    experiment: str
    title: str
    question: str
    metric: str
    recipe: str
    maps: Mapping[str, Any]
    settings: Mapping[str, Any]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    verdict: str
    undefined: Mapping[str, str] = field(default_factory=dict)
    """Image name to why it has no score; these are in no mean."""
    ceilings: tuple[Mapping[str, Any], ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    per_image: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Name of a score to image name to value."""
    curve: tuple[tuple[float, Interval], ...] = ()
    """A score against something, if the experiment varies it."""
    curve_of: str = ""
    parameters: int | None = None
    """Of the network."""
    pictures: tuple[Picture, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``results.json``; undefined numbers are ``null``."""
        plain = asdict(self) | {"pictures": None}
        plain.pop("pictures")
        differences = [asdict(each) | {"verdict": each.verdict} for each in self.differences]
        return plain_data(
            {"format": FORMAT, "version": VERSION, **plain, "differences": differences}
        )


def lines_of(outcome: Outcome) -> tuple[str, ...]:
    """Return an outcome for a terminal."""
    wide = max(len(row.name) for row in outcome.rows)
    lines = [outcome.title, f"{outcome.metric} with {outcome.maps['kind']}"]
    for where in dict.fromkeys(row.where for row in outcome.rows):
        rows = [row for row in outcome.rows if row.where == where]
        lines.append(f"{where} (n = {max(row.interval.count for row in rows)} objects):")
        lines += [
            f"  {row.name:{wide}}  {row.interval}{'  (floor)' if row.is_floor else ''}"
            for row in rows
        ]
    lines += [
        f"{each.name}, {each.where}: {each.interval}: {each.verdict}"
        for each in outcome.differences
    ]
    lines.append(f"recipe: {outcome.recipe}")
    if outcome.undefined:
        lines.append(f"{len(outcome.undefined)} images have no score: see results.json")
    return (*lines, *outcome.notes, outcome.verdict)


def facts_of_maps(maps: HumanMaps) -> dict[str, Any]:
    """Return what is said of human maps in results."""
    return {
        "kind": maps.kind,
        "are_human": maps.are_human,
        "source": maps.source,
        "licence": maps.licence,
        "count": len(maps),
    }


class Pooled:
    """Means over images, with intervals over the objects that they show."""

    def __init__(self, names: Sequence[str], *, seed: int = 0) -> None:
        """Group images by what they show: two views of one object are no two samples."""
        self._groups = np.array([shown_object(name) for name in names])
        self._draws = Draws(seed=seed, resamples=RESAMPLES)

    def interval(self, values: np.ndarray) -> Interval:
        """Return the mean of ``[n]`` values, without NaN; its count is that of objects."""
        defined = np.flatnonzero(~np.isnan(values))
        if not len(defined):
            nan = float("nan")
            return Interval(mean=nan, low=nan, high=nan, count=0)
        kept = values[defined]
        return self._draws.interval(lambda rows: float(kept[rows].mean()), self._groups[defined])


def mean_of_seeds(per_seed: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over seeds for each image; NaN where it is undefined for any of them."""
    return np.stack(list(per_seed)).mean(axis=0)
