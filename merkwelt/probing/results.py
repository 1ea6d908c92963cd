"""What was measured of a run, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..alignment.plain_data import plain_data
from ..alignment.scores.bootstrap import Interval

FORMAT = "merkwelt probe results"
_NAME, _CELL = 62, 10
"""Characters of a name and of a number in a terminal."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """What one set of features reaches."""

    features: str
    interval: Interval
    is_floor: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of one task for all sets of features."""

    task: str
    title: str
    group: str
    name: str
    """Such as R2."""
    unit: str
    better: Literal["higher", "lower"]
    split: str
    """What was held out, in words."""
    rows: int
    clips: int
    scores: tuple[Score, ...]
    chance: float | None = None
    chance_name: str = ""

    @property
    def label(self) -> str:
        """Its name with its unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def score(self, features: str) -> Interval:
        """Return what some features reach."""
        return next(each.interval for each in self.scores if each.features == features)


@dataclass(frozen=True, kw_only=True)
class ControlScore:
    """One task under one change of what the eyes are shown."""

    task: str
    measure: str
    unit: str
    condition: str
    same_probe: Interval
    """By the probe that was fitted on pictures as they were recorded."""
    refitted: Interval
    """By a probe that was fitted on pictures changed in the same way."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Speeds:
    """How slow the slowest directions of some features are, on held-out clips."""

    features: str
    eta_hz: np.ndarray
    """``[feature]``, in the order of their slowness on training clips."""
    half_life_s: float
    """Lag at which their autocorrelation within clips falls to a half; NaN if it never does."""
    clip_share: float
    """Share of their variance that is between clips."""
    is_floor: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Similarity:
    """How like the features of the run are to others, layer by layer."""

    other: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cka: np.ndarray
    """Debiased linear CKA ``[row, column]`` on the tested clips."""
    rsa: float
    """Of the pooled vectors: rank correlation of the distances between clips."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeResults:
    """All that was measured."""

    run: str
    step: int
    data: str
    split: str
    facts: Mapping[str, Any]
    """How it was measured: clips, frames, map, grid."""
    measured: tuple[Measured, ...]
    controls: tuple[ControlScore, ...] = ()
    speeds: tuple[Speeds, ...] = ()
    similarities: tuple[Similarity, ...] = ()
    dimensions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Effective rank, participation ratio and number of channels of the pooled vectors."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """What could not be measured, and why."""
    scene_of_clip: tuple[str, ...] = ()
    """Name of each clip's scene; not in the file."""
    middle_of_scene: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Mean place of the eye in each scene, from which places are counted."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; numbers that are not defined are null."""
        return {
            "format": FORMAT,
            "version": 1,
            "run": self.run,
            "step": self.step,
            "data": self.data,
            "split": self.split,
            "how": dict(self.facts),
            "measured": [_measured(each) for each in self.measured],
            "stereo_controls": [_control(each) for each in self.controls],
            "slowness": [_speeds(each) for each in self.speeds],
            "similarity": [_similarity(each) for each in self.similarities],
            "dimensions": {
                name: {key: plain_data(value) for key, value in each.items()}
                for name, each in self.dimensions.items()
            },
            "middle_of_scene": {name: list(xy) for name, xy in self.middle_of_scene.items()},
            "left_out": dict(self.left_out),
        }


def _measured(each: Measured) -> dict[str, Any]:
    return {
        "task": each.task,
        "measure": each.name,
        "unit": each.unit,
        "better": each.better,
        "split": each.split,
        "rows": each.rows,
        "clips": each.clips,
        "chance": each.chance,
        "chance_is": each.chance_name,
        "scores": {
            score.features: _interval(score.interval) | {"is_floor": score.is_floor}
            for score in each.scores
        },
    }


def _control(each: ControlScore) -> dict[str, Any]:
    return {
        "task": each.task,
        "measure": each.measure,
        "unit": each.unit,
        "condition": each.condition,
        "same_probe": _interval(each.same_probe),
        "refitted": _interval(each.refitted),
    }


def _speeds(each: Speeds) -> dict[str, Any]:
    return {
        "features": each.features,
        "eta_hz": [plain_data(value) for value in each.eta_hz],
        "half_life_s": plain_data(each.half_life_s),
        "clip_share": plain_data(each.clip_share),
        "is_floor": each.is_floor,
    }


def _similarity(each: Similarity) -> dict[str, Any]:
    return {
        "other": each.other,
        "rows": list(each.rows),
        "columns": list(each.columns),
        "debiased_linear_cka": [[plain_data(value) for value in row] for row in each.cka],
        "rsa": plain_data(each.rsa),
    }


def _interval(interval: Interval) -> dict[str, Any]:
    ends = {name: plain_data(getattr(interval, name)) for name in ("mean", "low", "high")}
    return {"value": ends.pop("mean"), **ends, "clips": interval.count}


def lines_of(results: ProbeResults, heads: Mapping[str, str]) -> tuple[str, ...]:
    """Return a table for a terminal: a line for each measure, a column for each set of features.

    Args:
        results: what was measured.
        heads: the heads of the columns, by the name of their features.
    """
    top = "  ".join(f"{head[:_CELL]:>{_CELL}s}" for head in heads.values())
    lines = [f"{results.run}, step {results.step}, on {results.data}", results.split]
    lines.append(f"{'':{_NAME}s}  {top}")
    for each in results.measured:
        reached = {score.features: score.interval.mean for score in each.scores}
        cells = "  ".join(
            f"{reached[name]:{_CELL}.3f}" if name in reached else " " * _CELL for name in heads
        )
        said = f"{each.title}, {each.label}"
        lines.append(f"{said[:_NAME]:{_NAME}s}  {cells}".rstrip())
    lines += [f"not measured: {name} ({why})" for name, why in results.left_out.items()]
    return tuple(lines)
