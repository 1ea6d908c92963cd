"""How still the eyes hold a picture, and how well they answer turns and travel of the head."""

import math

import numpy as np

from .signals import Signals

SETTLED_S = 0.025
"""This much after a saccade and before the next one is left out of what counts as holding."""
PURSUED_S = 0.15
"""After this much of a fixation, pursuit is at work (latency 0.1-0.15 s)."""
LAGS_S = np.arange(0.0, 0.0405, 0.0025)
TRAVEL_LAGS_S = (0.0, 0.05, 0.1, 0.15)
"""Travel is followed late, and by more than one mechanism: it may act at each of these lags."""
FAR_M = 1.5
"""Targets nearer than this say little about the answer to turns of the head."""
COLUMNS = 1 + len(TRAVEL_LAGS_S) + 2
"""Turn, travel at each lag, the eye's velocity, and one."""


def held(part: slice, step_s: float, after_s: float = SETTLED_S) -> slice:
    """Return the inner part of a fixation: from ``after_s`` on, short of the next saccade."""
    start = part.start + math.ceil(after_s / step_s)
    return slice(start, max(part.stop - math.ceil(SETTLED_S / step_s), start))


def slip_deg_s(signals: Signals, parts: list[slice]) -> np.ndarray:
    """Return how fast ``[k]`` the target's image moves over the retina while it is held.

    Angular velocity of the direction to the target in the axes of the eye, about the line of
    sight's own tilt left out: the component across the line of sight.
    """
    direction = target_directions(signals)
    rate = np.gradient(direction, signals.step_s, axis=0)
    gaze_rate = np.gradient(signals.gaze, signals.step_s, axis=0)
    slip = np.degrees(np.linalg.norm(rate - gaze_rate, axis=1))
    return _joined([slip[held(part, signals.step_s)] for part in parts])


def target_directions(signals: Signals) -> np.ndarray:
    """Return unit directions ``[n, 3]`` from midway between the eyes to the target."""
    offset = signals.target - signals.eyes.mean(axis=1)
    return offset / np.linalg.norm(offset, axis=1, keepdims=True)


def compensation(signals: Signals, parts: list[slice]) -> np.ndarray:
    """Return sums of products ``[lag, c, c]`` from which ``answer`` solves for the VOR.

    Over both axes (horizontal and vertical of the head) of all held instants. Columns: the eye
    velocity in the head that would undo the turn of the head ``lag`` ago; that which would follow
    the target past which the body travels, at each of ``TRAVEL_LAGS_S``; the eye's velocity in the
    head; one. A clip's sums add to another's.
    """
    distance = np.linalg.norm(signals.target - signals.eyes.mean(axis=1), axis=1)
    flags = np.zeros(len(distance), dtype=bool)
    for part in parts:
        if distance[part.start] >= FAR_M:
            flags[held(part, signals.step_s, SETTLED_S + float(LAGS_S[-1]))] = True
    y = np.gradient(signals.gaze_in_head, signals.step_s, axis=0)[flags, :2].reshape(-1)
    travel = [_travel(signals, lag_s)[flags, :2].reshape(-1) for lag_s in TRAVEL_LAGS_S]
    sums = np.zeros((len(LAGS_S), COLUMNS, COLUMNS))
    for lag, lag_s in enumerate(LAGS_S):
        turn = _against_turn(signals, float(lag_s))[flags, :2].reshape(-1)
        rows = np.stack([turn, *travel, y, np.ones_like(y)])
        sums[lag] = rows @ rows.T
    return sums


def answer(sums: np.ndarray) -> tuple[float, float]:
    """Return gain and lag (s) of the eye's answer to turns of the head, from ``[lag, c, c]`` sums.

    Least squares on turn and travel together, because bob and nod of a walk go hand in hand. The
    lag leaves least unexplained (a parabola through three lags). NaN if the head does not turn.
    """
    known = COLUMNS - 2
    gram, right, power = sums[:, :known, :known], sums[:, :known, known], sums[:, known, known]
    if not np.all(gram[:, 0, 0] > 0):
        return math.nan, math.nan
    weights = np.stack(
        [np.linalg.lstsq(g, b, rcond=1e-9)[0] for g, b in zip(gram, right, strict=True)]
    )
    error = power - np.sum(weights * right, axis=1)
    best = int(error.argmin())
    lag = float(LAGS_S[best])
    if 0 < best < len(error) - 1:
        before, here, after = error[best - 1 : best + 2]
        shift = (before - after) / (2 * max(before - 2 * here + after, 1e-15))
        lag += float(np.clip(shift, -0.5, 0.5) * (LAGS_S[1] - LAGS_S[0]))
    return float(weights[best, 0]), lag


def _against_turn(signals: Signals, lag_s: float) -> np.ndarray:
    """Return the eye velocities ``[n, 3]`` in the head that undo its turn of ``lag_s`` ago."""
    turn = np.einsum("nji,nj->ni", signals.axes, signals.turn)
    return -np.cross(_ago(turn, signals.step_s, lag_s), signals.gaze_in_head)


def _travel(signals: Signals, lag_s: float) -> np.ndarray:
    """Return the eye velocities ``[n, 3]`` in the head that follow the present target.

    As the head travelled past it ``lag_s`` ago.
    """
    place = signals.eyes.mean(axis=1)
    velocity = _ago(np.gradient(place, signals.step_s, axis=0), signals.step_s, lag_s)
    offset = signals.target - _ago(place, signals.step_s, lag_s)
    distance = np.linalg.norm(offset, axis=1, keepdims=True)
    direction = offset / distance
    passing = velocity - direction * np.sum(velocity * direction, axis=1, keepdims=True)
    return np.einsum("nji,nj->ni", signals.axes, -passing / distance)


def _ago(values: np.ndarray, step_s: float, lag_s: float) -> np.ndarray:
    time_s = step_s * np.arange(len(values))
    return np.stack([np.interp(time_s - lag_s, time_s, column) for column in values.T], axis=1)


def followed(signals: Signals, parts: list[slice]) -> np.ndarray:
    """Return, for each fixation that is long enough, ``[k, 3]``: followed, asked for, how fast.

    Over its part in which pursuit is at work: the turn of the line of sight in space along that
    of the target times the latter, and the latter squared, in deg^2, whose sums' ratio is a gain;
    and the speed of the target in deg/s.
    """
    target = target_directions(signals)
    rows = []
    for part in parts:
        late = held(part, signals.step_s, PURSUED_S)
        if late.stop - late.start < 2:
            continue
        asked = np.degrees(target[late.stop - 1] - target[late.start])
        done = np.degrees(signals.gaze[late.stop - 1] - signals.gaze[late.start])
        speed = float(np.linalg.norm(asked)) / ((late.stop - 1 - late.start) * signals.step_s)
        rows.append((done @ asked, asked @ asked, speed))
    return np.array(rows).reshape(-1, 3)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0)
