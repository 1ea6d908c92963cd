"""How far the line of sight strays from what is fixated while the head moves.

The vestibulo-ocular reflex turns the eyes against the head with a gain a little below one and some
milliseconds late; pursuit follows the surface that is fixated, whose direction changes as the body
moves on. What both leave over adds up from the landing of one saccade to the next.
"""

import math

import numpy as np

from .. import steady
from ..observer.card import GazeCard
from ..rigid import angles_from_direction, direction_from_angles, turn_between, wrap_angle


def strayed(
    card: GazeCard,
    world_from_head: np.ndarray,
    target: np.ndarray,
    landing: np.ndarray,
    step_s: float,
) -> np.ndarray:
    """Return how far the gaze has strayed at instants ``[n, 2]``: azimuth and elevation in radians.

    Args:
        card: gains and latencies.
        world_from_head: ``[n, 4, 4]``.
        target: ``[n, 3]`` the point that should be looked at.
        landing: ``[n]`` the instant at which the eyes landed on it; nothing strays before.
        step_s: time from one instant to the next.
    """
    position = world_from_head[:, :3, 3]
    seen = np.stack(angles_from_direction(target - position), axis=1)
    unheld = _residual_turn(card, world_from_head[:, :3, :3], seen, step_s)
    late = card.pursuit_latency_s.value / step_s
    # What pursuit follows is what slipped a latency ago, from the present target also before the
    # eyes landed on it: they land with the velocity of what they land on.
    slip = unheld - _rate(position, target, step_s)
    slipped = _delayed(unheld, late) - _rate(_delayed(position, late), target, step_s)
    fastest = math.radians(card.pursuit_limit_deg_s.value)
    rate = slip - card.pursuit_gain.value * np.clip(slipped, -fastest, fastest)
    # Rates are means over the steps that end at their instants.
    total = np.concatenate([np.zeros((1, 2)), np.cumsum(rate[1:], axis=0)])
    since = np.maximum(np.arange(len(landing)), landing)
    return (total[since] - total[landing]) * step_s


def _residual_turn(card: GazeCard, axes: np.ndarray, seen: np.ndarray, step_s: float) -> np.ndarray:
    """Return how fast ``[n, 2]`` the head's turning moves a gaze that the reflex should hold."""
    turn = np.zeros((len(axes), 3))
    if len(axes) > 1:
        turn[1:] = turn_between(axes[:-1], axes[1:]) / step_s
        turn[0] = turn[1]
    left = turn - card.vor_gain.value * _delayed(turn, card.vor_latency_s.value / step_s)
    moved = np.cross(left, direction_from_angles(seen[:, 0], seen[:, 1]))
    yaw_sin, yaw_cos = steady.sin_cos(seen[:, 0])
    pitch_sin, pitch_cos = steady.sin_cos(seen[:, 1])
    aside = moved[:, 1] * yaw_cos - moved[:, 0] * yaw_sin
    outward = moved[:, 0] * yaw_cos + moved[:, 1] * yaw_sin
    up = moved[:, 2] * pitch_cos - outward * pitch_sin
    return np.stack([aside / np.maximum(pitch_cos, 1e-3), up], axis=1)


def _rate(position: np.ndarray, target: np.ndarray, step_s: float) -> np.ndarray:
    """Return how fast ``[n, 2]`` the directions of targets change as the head moves."""
    rate = np.zeros((len(position), 2))
    if len(position) > 1:
        now = angles_from_direction(target[1:] - position[1:])
        before = angles_from_direction(target[1:] - position[:-1])
        rate[1:] = np.stack([wrap_angle(a - b) for a, b in zip(now, before, strict=True)], axis=1)
        rate[0] = rate[1]
    return rate / step_s


def _delayed(values: np.ndarray, samples: float) -> np.ndarray:
    """Return ``[n, k]`` as it was some samples ago, the first value held."""
    at = np.arange(len(values), dtype=np.float64)
    return steady.interpolate(at - samples, at, values)
