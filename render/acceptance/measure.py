"""All that is measured in one clip: samples by name, which are pooled over clips."""

import math

import numpy as np

from ...scenes.scene import Scene
from ..motion.motion import Motion
from ..navigation.surfaces import first_hits
from ..volume import RenderOptions
from . import disparity, doing, envelope, gait, holding, looking
from .saccades import Saccades, find_saccades, fixations, landing_errors_deg
from .signals import LEAST_SPEED_M_S, Signals, signals_of

Samples = dict[str, np.ndarray]
"""Name to rows ``[k, ...]``; rows of all clips are pooled."""

SAMPLED_S = 1 / 30
"""Statistics over time take instants this far apart."""
NEAR_M = 0.05


def measure_clip(
    motion: Motion,
    scene: Scene,
    *,
    floor_height: float,
    views: int = 2,
    renderer: RenderOptions | None = None,
) -> Samples:
    """Return what one clip shows.

    Args:
        motion: how the observer moved.
        scene: where; for what the lines of sight meet.
        floor_height: height of the floor in the world, in metres.
        views: moments at which disparities are rendered; 0 for none.
        renderer: how; exactly on the CPU by default.
    """
    signals = signals_of(motion)
    saccades = find_saccades(signals.gaze, signals.step_s)
    held = fixations(saccades)
    middles = np.array([(part.start + part.stop) // 2 for part in held], dtype=int)
    hits = _fixated(signals, scene, middles)
    return {
        **_body(signals, floor_height),
        **_eyes(signals, saccades, held),
        **_space(signals, middles, hits, floor_height),
        "disparity": _disparity(motion, scene, (middles, hits), views, renderer or RenderOptions()),
    }


def _body(signals: Signals, floor_height: float) -> Samples:
    every = max(1, round(SAMPLED_S / signals.step_s))
    moving = signals.path_speed > LEAST_SPEED_M_S
    straight = moving & (np.degrees(np.abs(signals.path_turn)) < gait.STRAIGHT_DEG_S)
    head_deg_s = np.degrees(np.linalg.norm(signals.turn, axis=1))
    bouts, bout_s = doing.bouts_s(signals)
    per = {"steps": doing.steps(signals), "falls": doing.falls(signals, floor_height)}
    counts = {f"{name}_per_s": _rate(n, signals) for name, n in {**per, "bouts": bouts}.items()}
    return {
        **counts,
        "walks": np.array(gait.straight_walks(signals, LEAST_SPEED_M_S)).reshape(-1, 8),
        "turns": np.array(gait.turns(signals)).reshape(-1, 4),
        "straight_speed": signals.path_speed[straight][::every],
        "speed": signals.path_speed[::every],
        "head_deg_s": head_deg_s[::every],
        "head_most": np.array([[head_deg_s.max(), envelope.acceleration_g(signals).max()]]),
        "spectrum": envelope.turn_spectrum(signals)[None],
        "bout_s": bout_s,
        "activity": doing.activity_shares(signals)[None],
        "path_offset": np.degrees(np.abs(signals.path_offset[moving]))[::every],
        "height": signals.head[::every, 2] - floor_height,
        "carried": _carried(signals)[None],
    }


def _rate(count: int, signals: Signals) -> np.ndarray:
    return np.array([[count, signals.seconds]], dtype=np.float64)


def _carried(signals: Signals) -> np.ndarray:
    """Return turning in yaw and pitch (deg/s), speed, and heading from gaze at the start (deg)."""
    change = np.degrees(signals.angles[-1] - signals.angles[0]) / signals.seconds
    travel = (signals.head[-1] - signals.head[0]) / signals.seconds
    start = np.degrees(_yaw_pitch(signals.head[2] - signals.head[0]) - signals.angles[0, :2])
    start[0] = (start[0] + 180) % 360 - 180
    path = np.linalg.norm(np.diff(signals.head, axis=0), axis=1).sum() / signals.seconds
    still = np.linalg.norm(travel) == 0 and path == 0
    return np.array([change[0], change[1], path, *(np.full(2, np.nan) if still else start)])


def _yaw_pitch(vector: np.ndarray) -> np.ndarray:
    return np.array(
        [math.atan2(vector[1], vector[0]), math.atan2(vector[2], math.hypot(*vector[:2]))]
    )


def _eyes(signals: Signals, saccades: Saccades, held: list[slice]) -> Samples:
    every = max(1, round(SAMPLED_S / signals.step_s))
    error = landing_errors_deg(signals, saccades)
    columns = (
        saccades.amplitude_deg,
        saccades.peak_deg_s,
        saccades.duration_s,
        saccades.peak_share,
        error,
        np.degrees(np.abs(signals.path_turn[saccades.first])),
    )
    blinks, closed_s = looking.closures(signals)
    slip = holding.slip_deg_s(signals, held)
    return {
        "saccades": np.stack(columns, axis=1)[saccades.whole],
        "saccades_per_s": _rate(len(saccades.first), signals),
        "fixation_s": np.array([(p.stop - 1 - p.start) * signals.step_s for p in held]),
        "eccentricity": looking.eccentricity_deg(signals)[::every],
        "eccentricity_most": looking.eccentricity_deg(signals).max(keepdims=True),
        "gaze_from_heading": looking.gaze_from_heading_deg(signals)[::every],
        "slip": slip[::every],
        "followed": holding.followed(signals, held),
        "compensation": holding.compensation(signals, held)[None],
        "blinks_per_s": _rate(blinks, signals),
        "closed_s": closed_s,
    }


def _fixated(signals: Signals, scene: Scene, at: np.ndarray) -> np.ndarray:
    """Return the points ``[k, 3]`` that the line of sight meets at instants ``[k]``; NaN of none.

    Found by density along the line of sight, not taken from the target of the generator.
    """
    if not len(at):
        return np.zeros((0, 3))
    far = float(np.linalg.norm(np.ptp(np.asarray(scene.card.bounds), axis=0)))
    start, gaze = signals.eyes[at].mean(axis=1), signals.gaze[at]
    return start + gaze * first_hits(scene, start, gaze, near=NEAR_M, far=far)[:, None]


def _space(signals: Signals, at: np.ndarray, hits: np.ndarray, floor_height: float) -> Samples:
    seen = np.isfinite(hits).all(axis=1)
    at, hits = at[seen], hits[seen]
    eyes = signals.eyes[at]
    distance = np.linalg.norm(hits - eyes.mean(axis=1), axis=1)
    ground = looking.on_ground(hits, floor_height)
    pair = eyes if eyes.shape[1] == 2 else np.repeat(eyes[:, :1], 2, axis=1)
    demand = np.degrees(looking.vergence_demand_rad(pair, hits))
    return {
        "fixated": np.stack([distance, ground, signals.is_moving[at]], axis=1),
        "vergence": np.stack([np.degrees(signals.vergence_rad[at]), demand], axis=1),
    }


def _disparity(
    motion: Motion,
    scene: Scene,
    fixated: tuple[np.ndarray, np.ndarray],
    views: int,
    renderer: RenderOptions,
) -> np.ndarray:
    """Return azimuth, elevation and disparity ``[k, 3]`` of what both eyes see, in degrees."""
    at, points = fixated
    seen = np.flatnonzero(np.isfinite(points).all(axis=1))
    if motion.course.eyes != 2 or not views or not len(seen):
        return np.zeros((0, 3))
    chosen = seen[np.unique(np.linspace(0, len(seen) - 1, views).round().astype(int))]
    rows = []
    for index in chosen:
        poses = motion.course.world_from_eye[:, at[index]]
        world, field = disparity.views_of(scene, poses, renderer)
        for eye in range(2):
            crossed = disparity.disparity_deg_crossed_positive(
                world[eye], poses[:, :3, 3], points[index]
            )
            rows.append(np.concatenate([field, crossed[:, None]], axis=1)[np.isfinite(crossed)])
    return np.concatenate(rows)
