"""What is decoded from features, and how errors of it are told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..alignment.probes.measures import (
    correlation,
    median_angle_deg,
    median_distance,
    r_squared,
    relative_error,
)
from .features import Where
from .seen_clips import SeenClips
from .splitting import Split
from .truths import SLOWEST_M_S, cell_means, motion, poses

Statistic = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number that says how well something is decoded."""

    name: str
    unit: str
    of: Statistic
    """From values and guesses ``[row, target]``."""
    better: Literal["higher", "lower"] = "higher"
    within_folds: bool = False
    """Whether values and guesses are taken from their means over each fold: probes of different
    folds say different means, which are the lower the higher those of the tested clips are."""
    chance: float | None = None
    """What knowing nothing gives by definition."""
    chance_name: str = "knowing nothing"


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Something to be decoded by ridge regression."""

    name: str
    title: str
    group: str
    """Of the report: self-motion, depth, place."""
    at: Literal["frame", "sites"]
    values: np.ndarray
    """``[clip, step, target]``, or ``[clip, step, row, column, target]`` at the places of a map."""
    usable: np.ndarray
    """bool, the same without its last axis."""
    measures: tuple[Measure, ...]
    split: Split


R2 = Measure(name="R2", unit="", of=r_squared, chance=0.0, chance_name="the mean of what is tested")


def regression_tasks(
    clips: SeenClips, where: Where, split: Split, within: Split | None
) -> tuple[list[Task], dict[str, str]]:
    """Return all that can be decoded of these clips, and what cannot, and why.

    Args:
        clips: with their truth.
        where: the map that is read.
        split: how clips are held out.
        within: how they are held out where only one scene at a time makes sense.
    """
    left_out: dict[str, str] = {}
    found = motion_tasks(clips, where, split, left_out)
    if within is None:
        why = "no scene has four clips or more, to hold some out"
        left_out |= {"place": why, "heading": why}
    else:
        found += place_tasks(clips, where, within, left_out)
        without = set(clips.scenes.tolist()) - set(clips.scenes[within.tested].tolist())
        if without:
            few = ", ".join(sorted(without))
            left_out["place and heading"] = f"in {few}, which has fewer than four clips"
    found += depth_tasks(clips, where, split, left_out)
    if not clips.metric.all() and clips.metric.any():
        scenes = sorted(set(clips.scenes[~clips.metric].tolist()))
        left_out["scenes of unknown scale"] = (
            f"{', '.join(scenes)}: speed, depth and place there are no metres"
        )
    return found, left_out


def motion_tasks(
    clips: SeenClips, where: Where, split: Split, left_out: dict[str, str]
) -> list[Task]:
    """Return direction, speed and turns of the eye's own motion, within fixations."""
    moves, turns, known = motion(clips, where)
    if not known.any():
        left_out["self-motion"] = "no two frames in a row belong to one fixation"
        return []
    counted, unit = _lengths(clips)
    speed = np.linalg.norm(moves, axis=-1, keepdims=True)
    moving = known & (speed[..., 0] > SLOWEST_M_S) & counted[:, None]
    degrees = np.degrees(turns)
    direction = moves / np.maximum(speed, 1e-12)
    common = {"group": "self-motion", "at": "frame", "split": split}
    found = [
        Task(
            name="heading_direction",
            title="Direction of heading, seen from the eye",
            values=direction,
            usable=moving,
            measures=(_angle("a random direction"),),
            **common,
        ),
        Task(
            name="speed",
            title="Speed",
            values=speed,
            usable=known & counted[:, None],
            measures=(R2, _absolute(f"{unit}/s")),
            **common,
        ),
        Task(
            name="yaw_rate",
            title="Turning to the right",
            values=degrees[..., 1:2],
            usable=known,
            measures=(R2, _absolute("deg/s")),
            **common,
        ),
        Task(
            name="pitch_rate",
            title="Turning upwards",
            values=degrees[..., 0:1],
            usable=known,
            measures=(R2, _absolute("deg/s")),
            **common,
        ),
    ]
    return [task for task in found if _enough(task, left_out)]


def place_tasks(
    clips: SeenClips, where: Where, within: Split, left_out: dict[str, str]
) -> list[Task]:
    """Return the place on the floor and the heading of the gaze, within each scene."""
    places, gazes, known = poses(clips, where)
    counted, unit = _lengths(clips)
    of_places = replace(within, folds=tuple(f for f in within.folds if counted[f.test].all()))
    for scene, middle in middle_of_scenes(clips, where).items():
        # Of scenes far apart it would be enough to know which one it is.
        places[clips.scenes == scene] -= middle
    median = Measure(name="median error", unit=unit, of=median_distance, better="lower")
    found = [
        Task(
            name="place",
            title="Place on the floor",
            group="place",
            at="frame",
            values=places,
            usable=known & counted[:, None],
            measures=(median, R2),
            split=of_places,
        ),
        Task(
            name="heading",
            title="Heading of the gaze",
            group="place",
            at="frame",
            values=gazes,
            usable=known,
            measures=(_angle("a random heading"),),
            split=within,
        ),
    ]
    return [task for task in found if _enough(task, left_out)]


def middle_of_scenes(clips: SeenClips, where: Where) -> dict[str, tuple[float, float]]:
    """Return the mean place of the eye in each scene, x and y."""
    places, _, _ = poses(clips, where)
    middles = {
        scene: places[clips.scenes == scene].mean(axis=(0, 1))
        for scene in sorted(set(clips.scenes.tolist()))
    }
    return {scene: (float(xy[0]), float(xy[1])) for scene, xy in middles.items()}


def depth_tasks(
    clips: SeenClips, where: Where, split: Split, left_out: dict[str, str]
) -> list[Task]:
    """Return depth and disparity at the places of a map, where the data set has them."""
    found = []
    depth = cell_means(clips, where, "depth")
    if depth is None:
        left_out["depth"] = (
            "the data set has none; merkwelt render stores it unless it is told --no-depth"
        )
    else:
        values, known = depth
        counted, _ = _lengths(clips)
        relative = Measure(
            name="AbsRel",
            unit="",
            of=lambda true, guess: relative_error(np.exp(true), np.exp(guess)),
            better="lower",
        )
        found.append(
            Task(
                name="depth",
                title="Logarithm of depth",
                group="depth",
                at="sites",
                values=values[..., None],
                usable=known & counted[:, None, None, None],
                measures=(R2, relative, _correlation()),
                split=split,
            )
        )
    disparity = cell_means(clips, where, "disparity")
    if disparity is None:
        left_out["disparity"] = (
            "the data set has none; render it with merkwelt render --truth disparity ..."
        )
    else:
        values, known = disparity
        found.append(
            Task(
                name="disparity",
                title="Disparity",
                group="depth",
                at="sites",
                values=values[..., None],
                usable=known,
                measures=(R2, _absolute("px"), _correlation()),
                split=split,
            )
        )
    return [task for task in found if _enough(task, left_out)]


def _lengths(clips: SeenClips) -> tuple[np.ndarray, str]:
    """Return of which clips lengths count, and their unit: metres wherever a scene has them."""
    if clips.metric.any():
        return clips.metric, "m"
    return np.ones(len(clips), bool), "units"


def _absolute(unit: str) -> Measure:
    return Measure(
        name="mean error",
        unit=unit,
        of=lambda true, guess: float(np.abs(true - guess).mean()),
        better="lower",
    )


def _angle(chance_name: str) -> Measure:
    return Measure(
        name="median error",
        unit="deg",
        of=median_angle_deg,
        better="lower",
        chance=90.0,
        chance_name=chance_name,
    )


def _correlation() -> Measure:
    return Measure(name="correlation", unit="", of=correlation, within_folds=True, chance=0.0)


def _enough(task: Task, left_out: dict[str, str]) -> bool:
    """Return whether every fold has rows to fit on and rows to test on; if not, say so."""
    rows = [task.usable[rows].sum() for f in task.split.folds for rows in (f.fit, f.test)]
    if min(rows, default=0) < 2:
        left_out[task.name] = "too few frames in which it is known, to fit on or to test on"
        return False
    return True
