"""Calibration: a few real clips of a plan are made, encoded, timed and thrown away."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .clip_members import encode_clip
from .job import ClipMaker
from .plan import Plan, ShardRange
from .scene_clips import SceneClips
from .shard import HEADER_BYTES

PROBES = 20_000
"""Clips that are looked up to see how often each scene comes."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to time clips, once everything is loaded and compiled."""

    seconds: float = 20.0
    least_clips: int = 3
    """Timed by each worker at least, however long that takes."""
    most_clips: int = 64
    most_scenes: int = 8
    """Of more scenes than these, those with the most clips stand for all."""

    def is_spent(self, clips: int, elapsed_s: float) -> bool:
        """Return whether a worker has timed enough clips."""
        enough = clips >= self.least_clips
        return enough and (clips >= self.most_clips or elapsed_s >= self.seconds)


@dataclass(frozen=True, kw_only=True)
class SceneSample:
    """Clips that stand for all clips of a scene."""

    clips: tuple[int, ...]
    """Ids; any number of them from the first on is spread evenly over all."""
    count: float
    """How many clips of the scene are to be rendered."""


@dataclass(frozen=True, kw_only=True)
class ClipCost:
    """What one clip took."""

    scene: str
    plan_s: float
    """Planning the motion; 0 where the maker of clips does not tell it apart."""
    render_s: float
    encode_s: float
    bytes: int
    """In a shard, with headers and padding; 0 of a skipped clip."""
    pixels: int
    """Of all eyes and frames; 0 of a skipped clip."""
    skipped: bool

    @property
    def seconds(self) -> float:
        """The whole time."""
        return self.plan_s + self.render_s + self.encode_s


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What one worker measured."""

    first_s: Mapping[str, float]
    """Seconds of each scene's first clip, for which it is loaded and kernels are compiled."""
    costs: tuple[ClipCost, ...]


class Peers(Protocol):
    """What workers that measure at the same time tell one another."""

    def start_together(self) -> None:
        """Wait until all have made their first clips."""

    def tell_clip(self) -> None:
        """Say that a clip was made; may raise to stop."""

    def tell_enough(self) -> None:
        """Say that this worker has measured enough."""

    def goes_on(self) -> bool:
        """Return whether any worker has not measured enough."""
        ...


def sample_scenes(plan: Plan, shards: Sequence[ShardRange]) -> dict[str, SceneSample]:
    """Return which clips of the shards stand for each scene, those with the most clips first."""
    sizes = np.array([len(shard.clips) for shard in shards])
    total = int(sizes.sum())
    probes = min(total, PROBES)
    # In int64 this would overflow from 10**14 clips on; no folder holds as many shards.
    places = (2 * np.arange(probes) + 1) * total // (2 * probes)
    shard_of = np.searchsorted(np.cumsum(sizes), places, side="right")
    before = np.cumsum(sizes) - sizes
    by_scene: dict[str, list[int]] = {}
    for place, shard in zip(places.tolist(), shard_of.tolist(), strict=True):
        clip = shards[shard].first + place - int(before[shard])
        by_scene.setdefault(plan.scene_of(clip).name, []).append(clip)
    most = sorted(by_scene, key=lambda name: len(by_scene[name]), reverse=True)
    return {
        name: SceneSample(
            clips=_evenly_from_the_first_on(by_scene[name]),
            count=total * len(by_scene[name]) / probes,
        )
        for name in most
    }


def _evenly_from_the_first_on(clips: Sequence[int]) -> tuple[int, ...]:
    bits = (len(clips) - 1).bit_length()
    # Numbers with their bits reversed (van der Corput's sequence), stretched to the clips.
    reversed_bits = (int(f"{k:0{bits}b}"[::-1], 2) for k in range(2**bits))
    places = dict.fromkeys(place * len(clips) >> bits for place in reversed_bits)
    return tuple(clips[place] for place in places)


def calibrate(
    plan: Plan,
    make_clip: ClipMaker,
    samples: Mapping[str, SceneSample],
    effort: Effort,
    peers: Peers,
) -> Calibration:
    """Make clips of each scene for a while and return what they took.

    The first clip of each scene is timed apart. Then scenes take turns as often as they have
    clips, each at least once, until this worker and all others have measured enough: nobody
    measures while the machine is less busy than it will be.

    Raises:
        ValueError, RuntimeError: a clip failed.
    """
    first_s = {}
    for name, sample in samples.items():
        first_s[name] = clip_cost(plan, make_clip, sample.clips[0]).seconds
        peers.tell_clip()
    peers.start_together()
    started_s = time.perf_counter()
    costs: list[ClipCost] = []
    enough = False
    for clip in in_turn(samples):
        cost = clip_cost(plan, make_clip, clip)
        peers.tell_clip()
        if enough and not peers.goes_on():
            break
        costs.append(cost)
        elapsed_s = time.perf_counter() - started_s
        if not enough and len(costs) >= len(samples) and effort.is_spent(len(costs), elapsed_s):
            enough = True
            peers.tell_enough()
            if not peers.goes_on():
                break
    return Calibration(first_s=first_s, costs=tuple(costs))


def in_turn(samples: Mapping[str, SceneSample]) -> Iterator[int]:
    """Yield clips without end: of every scene once, then of each as often as it has clips."""
    given = dict.fromkeys(samples, 0)
    while True:
        name = min(samples, key=lambda name: given[name] / samples[name].count)
        given[name] += 1
        clips = samples[name].clips
        yield clips[given[name] % len(clips)]


def clip_cost(plan: Plan, make_clip: ClipMaker, clip: int) -> ClipCost:
    """Make a clip, encode it, and return what that took.

    Raises:
        ValueError: what it was to be made from is wrong.
        RuntimeError: it could not be made; names it.
    """
    scene = plan.scene_of(clip).name
    started_s = time.perf_counter()
    try:
        made = make_clip(plan, clip)
        made_s = time.perf_counter()
        members = encode_clip(made, plan)
    except make_clip.skips:
        seconds = time.perf_counter() - started_s
        return ClipCost(
            scene=scene, plan_s=seconds, render_s=0, encode_s=0, bytes=0, pixels=0, skipped=True
        )
    except ValueError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise RuntimeError(f"clip {clip} of scene {scene!r} could not be made: {what}") from error
    encoded_s = time.perf_counter()
    plan_s = min(_planning_s(plan, make_clip, clip), made_s - started_s)
    eyes, frames, _, height, width = made.video.shape
    return ClipCost(
        scene=scene,
        plan_s=plan_s,
        render_s=made_s - started_s - plan_s,
        encode_s=encoded_s - made_s,
        bytes=sum(HEADER_BYTES * (1 + -(-len(data) // HEADER_BYTES)) for data in members.values()),
        pixels=eyes * frames * height * width,
        skipped=False,
    )


def _planning_s(plan: Plan, make_clip: ClipMaker, clip: int) -> float:
    if not isinstance(make_clip, SceneClips):
        return 0.0
    started_s = time.perf_counter()
    make_clip.plan_motion(plan, clip)
    return time.perf_counter() - started_s
