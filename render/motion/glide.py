"""Gliding at constant rates, as the camera of Mineault et al. 2021 does."""

import math
from dataclasses import dataclass

import numpy as np

from ..navigation.ground import Ground, NoPath
from ..observer.card import GlideCard, Observer
from ..rigid import direction_from_angles
from .bouts import steady_course
from .path import BodyPath, draw

GLIDES_TRIED = 64
LEAST_HEIGHT_M = 0.3
STEEPEST_RAD = math.radians(80.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Glide:
    """One glide: where the eye is, and where it looks."""

    position: np.ndarray
    """``[n, 3]``."""
    yaw_rad: np.ndarray
    pitch_rad: np.ndarray
    heading_rad: float
    speed_m_s: float


def glide(
    ground: Ground, observer: Observer, rng: np.random.Generator, time_s: np.ndarray
) -> BodyPath:
    """Return a glide at times ``[n]`` from a random free place in a random direction.

    Those that would leave the free space are drawn again, which in small rooms favours slow ones.

    Raises:
        NoPath: none of 64 glides stays in free space.
    """
    assert observer.glide is not None
    for _ in range(GLIDES_TRIED):
        drawn = _draw_glide(ground, observer.glide, rng, time_s)
        if _is_free(ground, observer, drawn):
            return BodyPath(
                position=drawn.position,
                heading_rad=np.full(len(time_s), drawn.heading_rad),
                head_yaw_rad=drawn.yaw_rad,
                head_pitch_rad=drawn.pitch_rad,
                speed=np.full(len(time_s), drawn.speed_m_s),
                course=steady_course("carried", len(time_s)),
            )
    raise NoPath(f"no path: none of {GLIDES_TRIED} straight ways stays clear of matter")


def _draw_glide(
    ground: Ground, card: GlideCard, rng: np.random.Generator, time_s: np.ndarray
) -> Glide:
    cells = np.argwhere(ground.reachable)
    place = ground.centre_of(cells[draw(rng, ground.coverage[tuple(cells.T)])])
    start = np.append(place, ground.floor_height_m + card.height_m.sample(rng))
    yaw, pitch = rng.uniform(-math.pi, math.pi), card.pitch_rad.sample(rng)
    heading = yaw + card.heading_yaw_rad.sample(rng)
    climb = pitch + card.heading_pitch_rad.sample(rng)
    speed = card.speed_m_s.sample(rng)
    turn, tilt = (math.radians(q.sample(rng)) for q in (card.yaw_deg_s, card.pitch_deg_s))
    # The motion's angle to the gaze is constant, so both turn together.
    ways = direction_from_angles(heading + turn * time_s, climb + tilt * time_s)
    step_s = np.diff(time_s, prepend=0.0)[:, None]
    return Glide(
        position=start + speed * np.cumsum(ways * step_s, axis=0),
        yaw_rad=yaw + turn * time_s,
        pitch_rad=pitch + tilt * time_s,
        heading_rad=heading,
        speed_m_s=speed,
    )


def _is_free(ground: Ground, observer: Observer, drawn: Glide) -> bool:
    height = drawn.position[:, 2] - ground.floor_height_m
    top = observer.body.eye_height_m.high or observer.body.eye_height_m.value
    return bool(
        np.all(ground.clearance_at(drawn.position[:, :2]) >= observer.body.radius_m.value)
        and height.min() >= LEAST_HEIGHT_M
        and height.max() <= top
        and np.abs(drawn.pitch_rad).max() <= STEEPEST_RAD
    )
