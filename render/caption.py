"""One line in words about a clip, from what is known to be true of it."""

import math
import re

import numpy as np

from ..scenes.card import SceneCard, SceneObject
from .motion.trajectory import Trajectory
from .rigid import angles_from_direction, wrap_angle

STANDING_M_S = 0.05
TURNING_RAD = math.radians(20.0)
OBJECT_MARGIN_M = 0.1


def caption_of(card: SceneCard, trajectory: Trajectory) -> str:
    """Return a sentence about motion and gaze, such as ``walking 1.1 m/s, turning left, ...``.

    The thing looked at is the listed object that is looked at in most frames, with its distance
    from the head in the middle one of those frames.
    """
    return ", ".join([_motion(card, trajectory), *_looking(card, trajectory)])


def _motion(card: SceneCard, trajectory: Trajectory) -> str:
    position = trajectory.world_from_head[:, :3, 3]
    duration_s = float(trajectory.time_s[-1] - trajectory.time_s[0])
    way = float(np.linalg.norm(np.diff(position, axis=0), axis=1).sum())
    extent = float(np.linalg.norm(np.ptp(np.asarray(card.bounds), axis=0)))
    speed = way / duration_s if duration_s > 0 else 0.0
    if speed <= (STANDING_M_S if card.is_metric else 1e-3 * extent):
        return "standing still"
    verb = "walking" if np.ptp(trajectory.gait_phase_rad) > 0 and speed > 0.3 else "moving"
    pace = f"{verb} {speed:.1f} m/s" if card.is_metric else verb
    return f"{pace}, {_turn(position)}"


def _turn(position: np.ndarray) -> str:
    yaw, _ = angles_from_direction(np.diff(position, axis=0))
    third = max(1, len(yaw) // 3)
    start, end = (np.angle(np.exp(1j * part).mean()) for part in (yaw[:third], yaw[-third:]))
    turn = float(wrap_angle(end - start))
    if abs(turn) < TURNING_RAD:
        return "straight on"
    return "turning left" if turn > 0 else "turning right"


def _looking(card: SceneCard, trajectory: Trajectory) -> list[str]:
    target = trajectory.gaze_target
    looked = np.array(
        [thing.box.contains(target, margin_m=OBJECT_MARGIN_M) for thing in card.objects]
    ).reshape(len(card.objects), len(target))
    distance = np.linalg.norm(target - trajectory.world_from_head[:, :3, 3], axis=1)
    if looked.any():
        thing = int(looked.sum(axis=1).argmax())
        frames = np.flatnonzero(looked[thing])
        what, at = f"the {_name(card.objects[thing])}", float(distance[frames[len(frames) // 2]])
    else:
        what, at = "surfaces", float(np.median(distance))
    return [f"looking at {what} at {at:.1f} m" if card.is_metric else f"looking at {what}"]


def _name(thing: SceneObject) -> str:
    """Return an object's own name in words: ``grand_piano_2`` is a grand piano."""
    return re.sub(r"[ _-]*\d+$", "", thing.name).replace("_", " ") or thing.name
