"""Where a body was: what it passed on which side, what it was near to and went towards."""

import math

import numpy as np

from ...scenes.card import SceneCard
from ...scenes.scene import Scene
from ..motion.motion import Motion
from ..navigation.surfaces import first_hits
from .description import Nearby, Passed, PlaceFacts, Thing
from .measure import bearing_deg, direction_of, metres, noun_of, plan_distance, rounded, things_of

PASSING_M, NEAR_M = 1.5, 1.0
AHEAD_DEG, BEHIND_DEG = 75.0, 105.0
TOWARDS_DEG = 12.0
FACING_DEG = 30.0
"""Who has turned farther away from something no longer goes towards it."""
STEPS_AHEAD = 32
APPROACH = 0.2
"""What is gone towards must have come nearer by this share of the reach of passing."""
TANGENT_S = 0.25
"""The direction of the way is taken over this time to both sides, in which steps cancel."""
SIGHT_MARGIN_M = 0.1
PLACES = frozenset(
    ("room", "kitchen", "bathroom", "bedroom", "hall", "hallway", "corridor", "office", "lobby")
    + ("street", "garden", "park", "house", "apartment", "flat", "studio", "attic", "basement")
    + ("garage", "shop", "store", "library", "classroom", "forest", "yard")
)


def place_facts(scene: Scene, motion: Motion) -> PlaceFacts:
    """Return where the body of a clip was.

    Only what is in sight counts, and stands by itself rather than on something larger.
    """
    words = noun_of(scene.card.name)
    surroundings = _Surroundings(scene, motion)
    every = [
        (at, thing)
        for at, thing in enumerate(things_of(scene.card))
        if not _is_on_larger(scene.card, at)
    ]
    passed = [found for at, thing in every if (found := surroundings.passed(at, thing))]
    gone = {found.thing.name for found in passed}
    near = [found for at, thing in every if (found := surroundings.near(at, thing))]
    towards = [
        found
        for at, thing in every
        if thing.name not in gone and (found := surroundings.towards(at, thing))
    ]
    return PlaceFacts(
        scene=words,
        kind="place" if words.split()[-1] in PLACES else "scene",
        passed=tuple(sorted(passed, key=surroundings.size, reverse=True)),
        near=tuple(sorted(near, key=surroundings.size, reverse=True)),
        towards=max(towards, key=surroundings.size, default=None),
    )


def _is_on_larger(card: SceneCard, at: int) -> bool:
    """Return whether an object stands in or on another: who passes the table passes its pot."""
    box = card.objects[at].box
    size = np.prod(box.size_m)
    centre = np.asarray(box.centre_m)
    return any(
        np.prod(other.box.size_m) > size and plan_distance(other.box, centre) == 0
        for other in card.objects
    )


class _Surroundings:
    """The listed objects around a way."""

    def __init__(self, scene: Scene, motion: Motion) -> None:
        self.scene, self.motion = scene, motion
        self.head = motion.course.world_from_head[:, :3, 3]
        self.is_metric = scene.card.is_metric
        low, high = np.asarray(scene.card.bounds)
        # Without a scale, a fifth of the scene is as far as arms and eyes reach in a room.
        self.reach = PASSING_M if self.is_metric else 0.2 * float(np.hypot(*(high - low)[:2]))
        self.diagonal = float(np.linalg.norm(high - low))

    def size(self, found: Nearby | Passed) -> float:
        """Return the longest edge of an object's box."""
        boxes = {listed.name: listed.box for listed in self.scene.card.objects}
        return max(boxes[found.thing.name].size_m)

    def passed(self, at: int, thing: Thing) -> Passed | None:
        box = self.scene.card.objects[at].box
        offset = (np.asarray(box.centre_m) - self.head)[:, :2]
        closest = int(np.linalg.norm(offset, axis=1).argmin())
        distance = float(plan_distance(box, self.head[closest]))
        if closest in (0, len(offset) - 1) or not 0 < distance <= self.reach:
            return None
        along = self._tangent(closest)
        if along is None or self._is_overhead(at, closest):
            return None
        bearing = bearing_deg(offset, math.atan2(along[1], along[0]))
        if abs(bearing[0]) > AHEAD_DEG or abs(bearing[-1]) < BEHIND_DEG:
            return None
        if not self._in_sight(at, closest):
            return None
        return Passed(
            thing=thing,
            side="left" if bearing[closest] > 0 else "right",
            distance_m=metres(distance, is_metric=self.is_metric),
            time_s=rounded(self.motion.course.time_s[closest]),
        )

    def near(self, at: int, thing: Thing) -> Nearby | None:
        distances = plan_distance(self.scene.card.objects[at].box, self.head)
        closest = int(distances.argmin())
        if distances.mean() > NEAR_M / PASSING_M * self.reach or self._is_overhead(at, closest):
            return None
        return self._nearby(at, thing, closest) if self._in_sight(at, closest) else None

    def towards(self, at: int, thing: Thing) -> Nearby | None:
        box = self.scene.card.objects[at].box
        first, last = (float(plan_distance(box, self.head[end])) for end in (0, -1))
        along = self._tangent(len(self.head) - 1)
        if along is None or first - last < APPROACH * self.reach or last == 0:
            return None
        reach = np.linspace(last, last + max(box.size_m), STEPS_AHEAD)
        ahead = self.head[-1] + reach[:, None] * np.append(along, 0.0)
        offset = (np.asarray(box.centre_m) - self.head[-1])[:2]
        aside = abs(float(bearing_deg(offset, math.atan2(along[1], along[0]))))
        if aside > TOWARDS_DEG and plan_distance(box, ahead).min() > 0:
            return None
        end = len(self.head) - 1
        if self._is_overhead(at, end) or not self._in_sight(at, end):
            return None
        found = self._nearby(at, thing, end)
        return found if abs(found.direction_deg) <= FACING_DEG else None

    def _nearby(self, at: int, thing: Thing, instant: int) -> Nearby:
        box = self.scene.card.objects[at].box
        offset = np.asarray(box.centre_m) - self.head[instant]
        angle = rounded(float(bearing_deg(offset, self.motion.heading_rad[instant])))
        distance = float(plan_distance(box, self.head[instant]))
        return Nearby(
            thing=thing,
            distance_m=metres(distance, is_metric=self.is_metric),
            direction=direction_of(angle),
            direction_deg=angle,
        )

    def _tangent(self, instant: int) -> np.ndarray | None:
        """Return the direction of the way in plan, or None where the body stays."""
        around = round(TANGENT_S / max(self.motion.step_s, 1e-9))
        before, after = max(0, instant - around), min(len(self.head) - 1, instant + around)
        step = (self.head[after] - self.head[before])[:2]
        length = float(np.linalg.norm(step))
        return step / length if length > 0.01 * self.reach else None

    def _is_overhead(self, at: int, instant: int) -> bool:
        box = self.scene.card.objects[at].box
        return box.centre_m[2] - box.size_m[2] / 2 >= self.head[instant, 2]

    def _in_sight(self, at: int, instant: int) -> bool:
        """Return whether a line from the head to the object meets nothing else."""
        box = self.scene.card.objects[at].box
        points = np.concatenate([[box.centre_m], (box.corners_m() + box.centre_m) / 2])
        offset = points - self.head[instant]
        distance = np.linalg.norm(offset, axis=1)
        origins = np.broadcast_to(self.head[instant], offset.shape)
        directions = offset / np.maximum(distance, 1e-9)[:, None]
        near, far = 1e-3 * self.diagonal, float(distance.max()) * 1.05
        hit = first_hits(self.scene, origins, directions, near=near, far=far)
        met = origins + np.nan_to_num(hit)[:, None] * directions
        margin = SIGHT_MARGIN_M if self.is_metric else 0.01 * self.diagonal
        free = np.isnan(hit) | (hit >= distance)
        return bool((free | box.contains(met, margin_m=margin)).any())
