"""Where an observer went and looked: from above, and over time."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..render.motion.trajectory import Trajectory
from ..scenes.card import SceneCard
from .floor_plan import Walkable, draw_plan
from .theme import LIGHT, themed

STANDING_M = 0.05
"""Paths shorter than this are drawn as a place."""
MAX_DOTS = 60
TIME_LABELS = 4


def trajectory_plot(
    trajectory: Trajectory, card: SceneCard, walkable: Walkable | None = None
) -> Figure:
    """Return the walk from above, over the scene's floor plan.

    The head's path with a dot for each frame and times beside it, a line from the head to each
    point that was looked at, the objects' boxes with their names, and a scale bar.
    """
    with themed():
        head = trajectory.world_from_head[:, :2, 3]
        watched = trajectory.gaze_target[:, :2]
        figure, axes = draw_plan(card, walkable, keep_free=np.concatenate([head, watched]))
        limits = axes.get_xlim(), axes.get_ylim()
        _draw_gaze(axes, trajectory, head)
        _draw_path(axes, trajectory, head)
        axes.set_xlim(limits[0])
        axes.set_ylim(limits[1])
    return figure


def _draw_gaze(axes: Axes, trajectory: Trajectory, head: np.ndarray) -> None:
    hue = LIGHT["vermilion"]
    held = ~np.asarray(trajectory.saccade, dtype=bool)
    for fixation in np.unique(trajectory.fixation_id[held]):
        frames = np.flatnonzero((trajectory.fixation_id == fixation) & held)
        middle = frames[len(frames) // 2]
        target = trajectory.gaze_target[middle, :2]
        axes.plot(*np.stack([head[middle], target]).T, color=hue, lw=0.9, alpha=0.65, zorder=4)
        axes.plot(*target, "o", ms=5, mfc="none", mec=hue, mew=1.2, zorder=5)


def _draw_path(axes: Axes, trajectory: Trajectory, head: np.ndarray) -> None:
    hue = LIGHT["blue"]
    length = float(np.linalg.norm(np.diff(head, axis=0), axis=1).sum())
    every = max(1, math.ceil(trajectory.frames / MAX_DOTS))
    axes.plot(*head.T, color=hue, lw=2.2, zorder=7)
    axes.plot(*head[::every].T, "o", ms=2.8, color=hue, ls="", zorder=7)
    axes.plot(*head[0], "o", ms=8, mfc=LIGHT["paper"], mec=hue, mew=1.8, zorder=8)
    if length < STANDING_M:
        _label(axes, head[0], np.array([0.0, 1.0]), "standing")
        return
    _draw_arrow(axes, head, hue)
    for frame in np.unique(np.linspace(0, trajectory.frames - 1, TIME_LABELS).round().astype(int)):
        along = _direction(head, frame)
        aside = np.array([-along[1], along[0]])
        _label(axes, head[frame], aside, f"{trajectory.time_s[frame]:.1f} s")


def _draw_arrow(axes: Axes, head: np.ndarray, hue: str) -> None:
    along = _direction(head, len(head) - 1)
    axes.annotate(
        "",
        xy=tuple(head[-1] + 1e-3 * along),
        xytext=tuple(head[-1]),
        arrowprops={
            "arrowstyle": "-|>,head_width=0.35,head_length=0.6",
            "color": hue,
            "lw": 2,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=8,
    )


def _direction(head: np.ndarray, frame: int) -> np.ndarray:
    """Return the unit direction of walking around a frame."""
    reach = max(1, len(head) // 8)
    step = head[min(frame + reach, len(head) - 1)] - head[max(frame - reach, 0)]
    length = float(np.linalg.norm(step))
    return step / length if length > 0 else np.array([1.0, 0.0])


def _label(axes: Axes, place: np.ndarray, aside: np.ndarray, text: str) -> None:
    axes.annotate(
        text,
        xy=tuple(place),
        xytext=tuple(11 * aside),
        textcoords="offset points",
        ha="left" if aside[0] > 0.3 else "right" if aside[0] < -0.3 else "center",
        va="center",
        size=8.5,
        color=LIGHT["blue"],
        weight="bold",
        zorder=9,
    )


def timeline_plot(trajectory: Trajectory, *, unit: str = "m") -> Figure:
    """Return head height and gaze direction over time, with saccades and blinks shaded.

    Args:
        trajectory: at least one frame.
        unit: unit of the world, ``m`` or ``units``.
    """
    with themed():
        figure = Figure(figsize=(5.4, 3.9), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        time = trajectory.time_s
        above.plot(time, trajectory.world_from_head[:, 2, 3], color=LIGHT["blue"])
        above.set_ylabel(f"head height ({unit})")
        _at_least(above, 0.1)
        for name, angle_rad, hue in _gaze_angles(trajectory):
            below.plot(time, np.degrees(angle_rad), color=LIGHT[hue])
            below.annotate(
                name,
                (1.0, math.degrees(angle_rad[-1])),
                xycoords=below.get_yaxis_transform(),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                color=LIGHT[hue],
                size=8.5,
            )
        below.set_ylabel("gaze (degrees)")
        below.set_xlabel("time (s)")
        for axes in (above, below):
            _shade(axes, time, np.asarray(trajectory.saccade, dtype=bool), LIGHT["gold"])
            _shade(axes, time, np.asarray(trajectory.blink, dtype=bool), LIGHT["muted"])
            axes.margins(x=0.01)
    return figure


def _gaze_angles(trajectory: Trajectory) -> tuple[tuple[str, np.ndarray, str], ...]:
    """Return yaw from the first frame (left positive) and elevation of the eyes' mean direction."""
    forward = trajectory.world_from_eye[:, :, :3, 2].mean(axis=0)
    forward = forward / np.linalg.norm(forward, axis=1, keepdims=True)
    yaw_rad = np.unwrap(np.arctan2(forward[:, 1], forward[:, 0]))
    elevation_rad = np.arcsin(np.clip(forward[:, 2], -1, 1))
    return ("yaw", yaw_rad - yaw_rad[0], "vermilion"), ("elevation", elevation_rad, "green")


def _at_least(axes: Axes, span: float) -> None:
    """Widen the y axis so that small wobbles do not look large."""
    low, high = axes.get_ylim()
    if high - low < span:
        middle = (low + high) / 2
        axes.set_ylim(middle - span / 2, middle + span / 2)


def _shade(axes: Axes, time_s: np.ndarray, flags: np.ndarray, hue: str) -> None:
    half = float(np.median(np.diff(time_s))) / 2 if len(time_s) > 1 else 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    for start, stop in edges.reshape(-1, 2):
        axes.axvspan(
            float(time_s[start]) - half, float(time_s[stop - 1]) + half, color=hue, alpha=0.18, lw=0
        )
