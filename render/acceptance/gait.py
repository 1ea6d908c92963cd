"""How the head moves while its body walks straight on, and in turns."""

import math
from typing import NamedTuple

import numpy as np

from .signals import Signals, runs, smoothed

STRAIGHT_DEG_S = 40.0
"""A path that turns more slowly than this is nearly straight."""
WINDOW_S = (1.5, 4.0)
"""Shortest and longest stretch of straight walking that is measured at once."""
MOST_BEND_DEG = 30.0
"""All headings within a stretch of straight walking lie within this."""
FREQUENCIES_HZ = np.arange(0.6, 4.5, 0.01)
LEAST_EXPLAINED = 0.8
"""Share of a window's variance of height that one frequency must explain to be its step."""
TURN_DEG_S = 30.0
LEAST_TURN_DEG = 30.0
BEFORE_TURN_S = 0.5


class Walk(NamedTuple):
    """A stretch of nearly straight walking; amplitudes are half of peak to peak."""

    speed_m_s: float
    step_hz: float
    vertical_m: float
    lateral_m: float
    """At half of the step frequency, across the path."""
    pitch_rad: float
    yaw_rad: float
    """At half of the step frequency."""
    roll_rad: float
    phase_rad: float
    """Phase of the pitch (up is positive) after that of the height."""


class Turn(NamedTuple):
    """One turn of the path."""

    turned_rad: float
    """While it turns faster than ``TURN_DEG_S``."""
    rate_rad_s: float
    """Fastest turning."""
    lead_rad: float
    """Most that the head's yaw is ahead of the path, in the turn's own direction."""
    roll_rad: float
    """Most that the head tilts into the turn."""


def straight_walks(signals: Signals, least_speed_m_s: float) -> list[Walk]:
    """Return the stretches of nearly straight walking, faster than a speed, with clear steps."""
    turning = np.degrees(np.abs(signals.path_turn))
    straight = (signals.path_speed > least_speed_m_s) & (turning < STRAIGHT_DEG_S)
    bend = math.radians(MOST_BEND_DEG)
    parts = _windows(straight, signals.step_s)
    parts = [part for part in parts if np.ptp(signals.path_heading[part]) < bend]
    walks = [_walk(signals, part) for part in parts]
    return [walk for walk in walks if walk is not None]


def _windows(flags: np.ndarray, step_s: float) -> list[slice]:
    """Return pieces of equal length of each long enough run."""
    shortest, longest = (round(length / step_s) for length in WINDOW_S)
    pieces = []
    for run in runs(flags):
        length = run.stop - run.start
        if length < shortest:
            continue
        edges = np.linspace(run.start, run.stop, math.ceil(length / longest) + 1).astype(int)
        pieces += [slice(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return pieces


def _walk(signals: Signals, part: slice) -> Walk | None:
    time_s = signals.step_s * np.arange(part.stop - part.start)
    height = signals.head[part, 2]
    step_hz, explained = strongest_frequency(time_s, height)
    if explained < LEAST_EXPLAINED:
        return None
    across, (yaw, pitch, roll) = _across(signals, part), signals.angles[part].T
    yaw = yaw - signals.path_heading[part]
    both = (step_hz / 2, step_hz)
    bob, nod = (harmonics(time_s, signal, both)[1] for signal in (height, pitch))
    sway, shake, tilt = (harmonics(time_s, signal, both)[0] for signal in (across, yaw, roll))
    return Walk(
        speed_m_s=float(signals.path_speed[part].mean()),
        step_hz=step_hz,
        vertical_m=abs(bob),
        lateral_m=abs(sway),
        pitch_rad=abs(nod),
        yaw_rad=abs(shake),
        roll_rad=abs(tilt),
        phase_rad=float(np.angle(nod / bob)) % (2 * math.pi),
    )


def _across(signals: Signals, part: slice) -> np.ndarray:
    """Return how far ``[n]`` the head strays from the way the body heads, to the right, in m."""
    heading = signals.path_heading[part]
    right = np.stack([np.sin(heading), -np.cos(heading)], axis=1)
    velocity = np.gradient(signals.head[:, :2], signals.step_s, axis=0)[part]
    return np.cumsum(np.sum(velocity * right, axis=1)) * signals.step_s


def harmonics(time_s: np.ndarray, signal: np.ndarray, hz: tuple[float, ...]) -> np.ndarray:
    """Return the complex amplitude of each frequency in a signal ``[n]`` with a parabolic trend.

    ``Re(a exp(2 pi i f t))``, by least squares, all frequencies and the trend together.
    """
    design = _design(time_s, hz)
    solution = np.linalg.lstsq(design, signal, rcond=None)[0]
    return solution[3::2] - 1j * solution[4::2]


def strongest_frequency(time_s: np.ndarray, signal: np.ndarray) -> tuple[float, float]:
    """Return the frequency that explains most of a signal ``[n]``, and which share of it.

    The least-squares spectrum about a parabolic trend, at every 0.01 Hz.
    """
    plain = _design(time_s, ())
    rest = signal - plain @ np.linalg.lstsq(plain, signal, rcond=None)[0]
    total = float(rest @ rest)
    if total < 1e-12:
        return float("nan"), 0.0
    orthogonal, _ = np.linalg.qr(plain)
    phase = 2 * math.pi * FREQUENCIES_HZ[:, None, None] * time_s[None, :, None]
    waves = np.concatenate([np.cos(phase), np.sin(phase)], axis=2)
    waves = waves - orthogonal @ (orthogonal.T @ waves)
    projected = np.swapaxes(waves, 1, 2) @ rest
    gram = np.swapaxes(waves, 1, 2) @ waves
    power = np.sum(projected * np.linalg.solve(gram, projected[..., None])[..., 0], axis=1) / total
    best = int(power.argmax())
    return float(FREQUENCIES_HZ[best]), float(power[best])


def _design(time_s: np.ndarray, hz: tuple[float, ...]) -> np.ndarray:
    middle = time_s - time_s.mean()
    scaled = middle / max(float(np.abs(middle).max()), 1e-12)
    columns = [np.ones_like(scaled), scaled, scaled**2]
    for frequency in hz:
        phase = 2 * math.pi * frequency * time_s
        columns += [np.cos(phase), np.sin(phase)]
    return np.stack(columns, axis=1)


def turns(signals: Signals) -> list[Turn]:
    """Return the turns of the path, while it is walked.

    Head and path go through the same smoothing, which takes the sway of gait off.
    """
    heading = smoothed(signals.path_heading, signals.step_s)
    rate = np.gradient(heading, signals.step_s)
    yaw, _, roll = smoothed(signals.angles, signals.step_s).T
    lead = yaw - heading
    lead = lead - 2 * math.pi * np.round(lead / (2 * math.pi))
    fast = signals.is_moving & (np.degrees(np.abs(rate)) > TURN_DEG_S)
    before = round(BEFORE_TURN_S / signals.step_s)
    found = []
    for run in runs(fast):
        turned = float(heading[run.stop - 1] - heading[run.start])
        if abs(math.degrees(turned)) < LEAST_TURN_DEG:
            continue
        side, wide = math.copysign(1.0, turned), slice(max(run.start - before, 0), run.stop)
        found.append(
            Turn(
                turned_rad=abs(turned),
                rate_rad_s=float(np.abs(rate[run]).max()),
                lead_rad=float((side * lead[wide]).max()),
                roll_rad=float((-side * roll[run]).max()),
            )
        )
    return found
