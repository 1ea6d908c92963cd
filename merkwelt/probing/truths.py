"""What is true at each time step of the features: motion, place, depth, disparity."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from ..training.clips import pairs_within_fixations
from ..training.self_motion import cyclopean_eye, self_motion
from .features import Where
from .seen_clips import SeenClips

SLOWEST_M_S = 0.1
"""Below it a heading is not defined well, as in training."""
LEAST_COVER = 0.5
"""Share of a map's cell that must have a known depth or disparity."""


def last_frames(where: Where) -> np.ndarray:
    """Return the last frame of each step, which is the one whose truth a step is compared with."""
    return np.arange(where.steps) * where.frames_per_step + where.frames_per_step - 1


def motion(clips: SeenClips, where: Where) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how the eye has just moved at each step.

    Returns:
        Translations in lengths a second and rotation vectors in radians a second, each ``[clip,
        step, 3]``, in the axes of the eye before the move: x right, y down, z forward; and bool
        ``[clip, step]``, whether both frames belong to one fixation. The first frame follows none.
    """
    last = last_frames(where)
    shape = (len(clips), where.steps, 3)
    moves, turns, known = np.zeros(shape), np.zeros(shape), np.zeros(shape[:2], bool)
    there = last >= 1
    before = last[there] - 1
    for place, sample in enumerate(clips.samples):
        way = sample.trajectory
        if way is None:
            continue
        translation, rotation = self_motion(way.world_from_eye)
        moves[place, there] = translation.numpy()[before] * clips.frame_rate_hz
        turns[place, there] = rotation.numpy()[before] * clips.frame_rate_hz
        known[place, there] = pairs_within_fixations(way).numpy()[before]
    return moves, turns, known


def poses(clips: SeenClips, where: Where) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the eye is and looks at each step.

    Returns:
        Places ``[clip, step, 2]`` on the floor, x and y in the world; the gaze's direction seen
        from above as unit vectors ``[clip, step, 2]``; and bool ``[clip, step]``, whether eyes are
        open.
    """
    last = last_frames(where)
    places = np.zeros((len(clips), where.steps, 2))
    gazes, known = np.zeros_like(places), np.zeros(places.shape[:2], bool)
    for index, sample in enumerate(clips.samples):
        way = sample.trajectory
        if way is None:
            continue
        axes, place = cyclopean_eye(way.world_from_eye)
        places[index] = place[last, :2]
        level = axes[last][:, :2, 2]
        length = np.linalg.norm(level, axis=1, keepdims=True)
        gazes[index] = level / np.maximum(length, 1e-12)
        # Straight up or down there is no heading.
        known[index] = ~way.blink[last] & (length[:, 0] > math.sin(math.radians(5)))
    return places, gazes, known


def cell_means(
    clips: SeenClips, where: Where, quantity: str
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a quantity of the left eye at the places of a map, or None if a clip lacks it.

    Args:
        clips: with the truth.
        where: the map.
        quantity: ``depth``, of which the mean logarithm is taken, or ``disparity`` in pixels.

    Returns:
        ``[clip, step, row, column]``, and where at least half of a cell is known.
    """
    values, known = [], []
    last = torch.from_numpy(last_frames(where))
    for sample in clips.samples:
        found = sample.depth if quantity == "depth" else sample.truth.disparity
        if found is None:
            return None
        picture = found[0][last].double()
        good = picture.isfinite()
        if quantity == "depth":
            good &= picture > 0
            picture = picture.clamp_min(1e-6).log()
        size = (where.rows, where.columns)
        cover = F.adaptive_avg_pool2d(good.double()[:, None], size)[:, 0]
        total = F.adaptive_avg_pool2d(
            torch.where(good, picture, torch.zeros(())).double()[:, None], size
        )[:, 0]
        values.append((total / cover.clamp_min(1e-9)).numpy())
        known.append((cover >= LEAST_COVER).numpy())
    return np.stack(values), np.stack(known)


def fixated(clips: SeenClips, where: Where) -> np.ndarray | None:
    """Return the noun of what is looked at, ``[clip, step]``, "" for what is not listed.

    None if no clip has a description.
    """
    if all(sample.description is None for sample in clips.samples):
        return None
    nouns = np.full((len(clips), where.steps), "", dtype=object)
    last = last_frames(where)
    for index, sample in enumerate(clips.samples):
        for look in sample.description.looks if sample.description else ():
            if look.thing is not None:
                nouns[index, np.isin(last, look.frames)] = look.thing.noun
    return nouns


def visible(clips: SeenClips, where: Where, *, least_share: float) -> dict[str, np.ndarray]:
    """Return for each noun whether it is seen, float ``[clip, step]``: 1, 0, or NaN if not known.

    From object ids, where the data set has them: then it is seen if it has at least a share of the
    left picture. Otherwise from the description, which looks at some frames.
    """
    shape = (len(clips), where.steps)
    last = last_frames(where)
    seen: dict[str, np.ndarray] = {}
    known = np.zeros(shape, bool)
    for index, sample in enumerate(clips.samples):
        ids = sample.truth.ids
        if ids is not None:
            known[index] = True
            for number, name in enumerate(sample.truth.objects):
                share = (ids[0][last] == number).double().mean(dim=(-2, -1)).numpy()
                noun = noun_of(name)
                seen.setdefault(noun, np.zeros(shape))[index] += share
        elif sample.description is not None:
            looked = {frame for each in sample.description.visible for frame in each.frames}
            known[index] = np.isin(last, sorted(looked))
            for each in sample.description.visible:
                at = seen.setdefault(each.thing.noun, np.zeros(shape))[index]
                at[np.isin(last, each.frames)] = 1.0
    return {
        noun: np.where(known, (share >= least_share).astype(float), np.nan)
        for noun, share in sorted(seen.items())
    }


def noun_of(name: str) -> str:
    """Return an object's name in words, without its number: ``grand_piano_2`` is a grand piano."""
    stem, _, last = name.rpartition("_")
    return (stem if stem and last.isdigit() else name).replace("_", " ")
