"""What a scoring run returns, and its file ``results.json``."""

import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .maps.human_maps import HumanMaps
from .plain_data import plain_data
from .scores.bootstrap import Interval

FORMAT = "merkwelt alignment results"
VERSION = 2


@dataclass(frozen=True, kw_only=True)
class FloorScores:
    """The scores of something that does not know what the model knows, on the same images."""

    name: str
    per_image: np.ndarray
    """float64 ``[n]``; NaN where undefined."""
    interval: Interval
    """Over the images where the model's score is defined."""
    difference: Interval
    """Model minus floor, paired by image."""


@dataclass(frozen=True, kw_only=True)
class CeilingScores:
    """A score against a named ceiling: what people reach."""

    name: str
    value: float
    """Mean over the images that have a score, or the published constant."""
    source: str
    """How it was measured (halves, draws, people, blur), or where it was published."""
    measured: bool
    """On the maps at hand; False for a published constant, which is a reference and no bound."""
    interval: Interval | None
    """Of the ceiling itself, if measured."""
    per_image: np.ndarray | None = field(repr=False)
    """float64 ``[n]``: the ceiling of each image, if measured; NaN where undefined."""
    over_ceiling: Interval
    """Mean score divided by the mean ceiling."""
    over_own_ceiling: Interval | None
    """Mean of each image's score divided by its own ceiling, if measured."""
    floor_name: str
    floor_corrected: Interval
    """``(score - floor) / (ceiling - floor)`` of the means; NaN where the floor reaches the
    ceiling."""


@dataclass(frozen=True, kw_only=True)
class SetScores:
    """A score of a whole set of images, such as representational similarity."""

    name: str
    meaning: str
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class MetricScores:
    """One metric over all images, with its floors."""

    name: str
    meaning: str
    chance: float | None
    per_image: np.ndarray
    """float64 ``[n]``; NaN where undefined."""
    interval: Interval
    floors: tuple[FloorScores, ...]
    ceilings: tuple[CeilingScores, ...] = ()
    """Measured ones first, published constants last."""
    undefined: Mapping[str, str] = field(default_factory=dict)
    """Image name -> why it has no score by this metric. These images are in no mean of it."""

    def floor(self, name: str) -> FloorScores:
        """Return the floor of that name."""
        for floor in self.floors:
            if floor.name == name:
                return floor
        raise KeyError(f"expected one of {[floor.name for floor in self.floors]}, got '{name}'")

    @property
    def best_floor(self) -> FloorScores | None:
        """The floor with the highest mean; None where no mean is defined."""
        defined = [floor for floor in self.floors if math.isfinite(floor.interval.mean)]
        return max(defined, key=lambda floor: floor.interval.mean, default=None)


@dataclass(frozen=True, kw_only=True)
class Results:
    """Scores of an encoder's saliency against target maps, with what is needed to draw them."""

    recipe: Mapping[str, Any]
    """The saliency recipe as plain data; ``recipe["name"]`` is part of the score's name."""
    settings: Mapping[str, Any]
    """Size, crop, batch, seed, resamples, level."""
    maps: HumanMaps = field(repr=False)
    """What was scored against, as read."""
    metrics: tuple[MetricScores, ...]
    """The first is the main one."""
    undefined: Mapping[str, str]
    """Image name -> why it has no score by the main metric. These images are in no mean of it."""
    missing_floors: Mapping[str, str]
    """Floor -> why it is not there."""
    ceiling_note: str
    images: np.ndarray = field(repr=False)
    """uint8 ``[n, size, size, 3]`` as the model saw them."""
    target_maps: np.ndarray = field(repr=False)
    """float32 ``[n, size, size]``: the human maps or masks at that size."""
    saliency: np.ndarray = field(repr=False)
    """float32 ``[n, size, size]``; NaN for images without a map."""
    floor_maps: Mapping[str, np.ndarray] = field(repr=False)
    """Floor -> float32 ``[n, size, size]``, for the floors that are maps of the same image."""
    set_scores: tuple[SetScores, ...] = ()
    """Scores that exist for the set of images only."""
    without_ceiling: Mapping[str, str] = field(default_factory=dict)
    """Image name -> why people could not be compared on it, where trials are known."""

    @property
    def main(self) -> MetricScores:
        """The main metric."""
        return self.metrics[0]

    @property
    def name(self) -> str:
        """The full name of the main score: metric, recipe, maps, number of images, size."""
        return (
            f"{self.main.name} [{self.recipe['name']}] on {self.maps.kind}, "
            f"n = {self.main.interval.count}, {self.settings['size']} px"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``results.json`` as plain data; see `write_results`."""
        return plain_data(
            {
                "format": FORMAT,
                "version": VERSION,
                "name": self.name,
                "recipe": self.recipe,
                "settings": self.settings,
                "maps": {
                    "kind": self.maps.kind,
                    "are_human": self.maps.are_human,
                    "source": self.maps.source,
                    "licence": self.maps.licence,
                    "count": len(self.maps),
                },
                "metrics": [_metric_entry(metric) for metric in self.metrics],
                "set_scores": [vars(each) for each in self.set_scores],
                "ceiling_note": self.ceiling_note,
                "missing_floors": self.missing_floors,
                "undefined": {"count": len(self.undefined), "images": self.undefined},
                "without_ceiling": {
                    "count": len(self.without_ceiling),
                    "images": self.without_ceiling,
                },
                "per_image": self._image_entries(),
            }
        )

    def _image_entries(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "label": self.maps.labels[i],
                "scores": {metric.name: metric.per_image[i] for metric in self.metrics},
                "floors": {
                    metric.name: {floor.name: floor.per_image[i] for floor in metric.floors}
                    for metric in self.metrics
                },
                "ceilings": {
                    metric.name: {
                        ceiling.name: ceiling.per_image[i]
                        for ceiling in metric.ceilings
                        if ceiling.per_image is not None
                    }
                    for metric in self.metrics
                },
            }
            for i, name in enumerate(self.maps.names)
        ]


def write_results(results: Results, path: str | Path) -> Path:
    """Write ``results.json`` in one step and return its path.

    The file appears whole or not at all. Undefined numbers are ``null``. Schema, version 2::

        format, version, name          name: metric, recipe, maps, number of images, size
        recipe {name, target, method, channels, frames, blur, clip_frames}
        settings {size, crop_share, whole_image, interpolation, antialias, batch, seed, resamples,
                  level, partners, ceilings {draws, halves, subjects, partners, single_subjects,
                  seed}}
        maps {kind, are_human, source, licence, count}
        metrics [{name, meaning, chance, score: I, undefined {count, images {name: reason}},
                  floors [{name, score: I, difference: I, undefined}],
                  ceilings [{name, value, source, measured, interval: I, over_ceiling: I,
                             over_own_ceiling: I, floor_name, floor_corrected: I}]}]
        set_scores [{name, meaning, interval: I}]
        ceiling_note, missing_floors {floor: reason}
        undefined {count, images {name: reason}}            of the main metric
        without_ceiling {count, images {name: reason}}
        per_image [{name, label, scores {metric: number}, floors {metric: {floor: number}},
                    ceilings {metric: {ceiling: number}}}]

    where ``I`` is ``{mean, low, high, count, level}``, ``count`` being the images that counted,
    and a floor's ``undefined`` counts the images on which the floor itself has no value. ``I`` is
    ``null`` where there is no such number, as for the interval of a published constant.

    Version 1 had a plain number as ``floor_corrected``, and no ``measured``, ``interval``,
    ``over_own_ceiling``, ``set_scores``, ``without_ceiling`` or per-image ceilings.
    """
    path = Path(path)
    text = json.dumps(results.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _metric_entry(metric: MetricScores) -> dict[str, Any]:
    return {
        "name": metric.name,
        "meaning": metric.meaning,
        "chance": metric.chance,
        "score": metric.interval,
        "undefined": {"count": len(metric.undefined), "images": metric.undefined},
        "floors": [
            {
                "name": floor.name,
                "score": floor.interval,
                "difference": floor.difference,
                "undefined": int(np.isnan(floor.per_image).sum()),
            }
            for floor in metric.floors
        ],
        "ceilings": [
            {key: value for key, value in vars(ceiling).items() if key != "per_image"}
            for ceiling in metric.ceilings
        ],
    }
