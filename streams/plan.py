"""The plan of a data set: everything needed to render any of its clips, under one hash.

A plan describes an endless sequence of clips; how many of them are asked for so far is not part of
its identity, so that a data set grows by asking for more.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version as installed_version
from itertools import pairwise
from typing import Any

from ..render.key import ClipKey
from ..render.observer.card import Observer
from ..render.paths.head_path import HeadPath
from ..render.render_clip import ClipSettings
from ..render.truth.ground_truth import require_truth
from ..scenes.fingerprint import field_fingerprint
from ..scenes.scene import Scene
from .plain import content_id, from_plain, to_plain
from .splits import Split
from .video import PROFILES, Profile

PLAN_VERSION = 1
GOLDEN_STEP = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio: multiples of it are spread evenly modulo 2**64."""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How clips are stored."""

    profile: Profile = "lossless"
    """``lossless``: every pixel as rendered; ``compact``: about an eighth of the bytes."""
    shard_clips: int = 16
    """Clips in one shard, which is what is committed, repaired and handed to a worker as one."""

    def __post_init__(self) -> None:
        """Refuse storage that does not exist."""
        if self.profile not in PROFILES:
            raise ValueError(f"expected a profile out of {list(PROFILES)}, got {self.profile!r}")
        if self.shard_clips < 1:
            raise ValueError(f"expected at least 1 clip in a shard, got {self.shard_clips}")


@dataclass(frozen=True, kw_only=True)
class PlannedScene:
    """A scene that a plan's clips are rendered from."""

    name: str
    sha256: str
    """``Scene.content_hash()``, of the fast form if that is rendered."""
    weight: float = 1.0
    """Share of the clips, relative to the other scenes."""
    licence: str = "unknown"
    """Recorded, and no part of the plan's identity."""
    field_sha256: str | None = None
    """Hash of the field's weights alone, by which splits are told apart; None in plans of before.
    No part of the plan's identity: ``sha256`` says more."""
    metric: bool | None = None
    """Whether its lengths are metres; None in plans of before. Recorded only, like the licence."""


@dataclass(frozen=True, kw_only=True, order=True)
class ShardRange:
    """Adjoining clips that are stored together: ``first`` to ``stop - 1``."""

    first: int
    stop: int

    @property
    def name(self) -> str:
        """Name of its files, without ending."""
        return f"{self.first:09d}-{self.stop:09d}"

    @property
    def clips(self) -> range:
        """Clip ids."""
        return range(self.first, self.stop)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything needed to render any clip of a data set."""

    scenes: tuple[PlannedScene, ...]
    observer: Mapping[str, Any]
    """The observer as plain data."""
    settings: Mapping[str, Any]
    """The clips' settings (frames, size, frame rate, ...) as plain data."""
    clips: int
    """How many clips are asked for so far; no part of the identity."""
    seed: int = 0
    storage: Storage = field(default_factory=Storage)
    code_version: str = ""
    """Version of merkwelt that renders it."""
    grown_from: tuple[int, ...] = ()
    """How many clips were asked for before; shards never cross these."""
    version: int = PLAN_VERSION
    path: HeadPath | None = None
    """The path that carries the observer's head, if any: clip n starts n clips' time after it."""
    split: Split | None = None
    """The split that all of its scenes belong to, if they were chosen by it."""

    def __post_init__(self) -> None:
        """Refuse plans that no data set can follow."""
        names = [scene.name for scene in self.scenes]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"expected one or more scenes of different names, got {names}")
        if any(not 0 < scene.weight < math.inf for scene in self.scenes):
            raise ValueError(f"expected positive weights, got {[s.weight for s in self.scenes]}")
        if self.split is not None:
            self.split.require(self.scenes)
        if self.clips < 1 or self.seed < 0:
            raise ValueError(
                f"expected at least 1 clip and a seed of at least 0, got {self.clips} clips and "
                f"seed {self.seed}"
            )
        if self.version != PLAN_VERSION:
            raise ValueError(
                f"expected plan version {PLAN_VERSION}, found {self.version}; update merkwelt"
            )

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides what any clip is and how it is stored, as plain data."""
        scenes = {s.name: {"sha256": s.sha256, "weight": s.weight} for s in self.scenes}
        chosen = {"path": self.path, "split": self.split}
        given = {name: to_plain(value) for name, value in chosen.items() if value is not None}
        return {
            "scenes": scenes,
            "order_of_scenes": [s.name for s in self.scenes],
            "observer": dict(self.observer),
            "settings": dict(self.settings),
            "seed": self.seed,
            "storage": to_plain(self.storage),
            "code_version": self.code_version,
            "version": self.version,
            **given,
        }

    @cached_property
    def id(self) -> str:
        """SHA-256 of the identity."""
        return content_id(self.identity)

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second of every clip."""
        return float(self.settings["frame_rate_hz"])

    def scene_of(self, clip: int) -> PlannedScene:
        """Return the scene of a clip.

        Scenes take turns by a Weyl sequence on the golden ratio: in proportion to their weights
        over any stretch of clips, and known for each clip without looking at the others.
        """
        share = ((clip + self.seed) * GOLDEN_STEP % 2**64) / 2**64
        rest = share * sum(scene.weight for scene in self.scenes)
        for scene in self.scenes[:-1]:
            rest -= scene.weight
            if rest < 0:
                return scene
        return self.scenes[-1]

    def key(self, clip: int) -> ClipKey:
        """Return the identity of a clip."""
        return ClipKey(dataset_seed=self.seed, scene=self.scene_of(clip).name, clip=clip)

    def shards(self) -> tuple[ShardRange, ...]:
        """Return the shards of the clips asked for so far, in order."""
        size = self.storage.shard_clips
        ends = {*range(0, self.clips, size), self.clips, *self.grown_from}
        return tuple(ShardRange(first=a, stop=b) for a, b in pairwise(sorted(ends)))

    def part(self, part: tuple[int, int] | None) -> tuple[ShardRange, ...]:
        """Return the shards of part i of n, counted from 0; all of them for None.

        Raises:
            ValueError: there is no such part.
        """
        number, parts = part or (0, 1)
        if not 0 <= number < parts:
            raise ValueError(
                f"expected part i of n with i from 0 to n - 1, got {number}/{parts}; parts count "
                "from 0"
            )
        return self.shards()[number::parts]

    def grown(self, clips: int) -> "Plan":
        """Return the same plan with more clips; the shards there are stay as they are."""
        if clips < self.clips:
            raise ValueError(
                f"expected at least the {self.clips} clips that are planned already, got {clips}; "
                f"ask for {self.clips} or more, or choose another folder"
            )
        if clips == self.clips:
            return self
        return replace(self, clips=clips, grown_from=(*self.grown_from, self.clips))

    def to_json(self) -> str:
        """Return the plan, with its id, as indented JSON."""
        data = {"id": self.id, **to_plain(self)}
        for name in ("path", "split"):
            if data[name] is None:
                del data[name]
        return json.dumps(data, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str = "plan.json") -> "Plan":
        """Return the plan that ``to_json`` wrote.

        Raises:
            ValueError: the text is no plan, of a newer version, or was edited; names ``where``.
        """
        try:
            data = json.loads(text)
            named = data.pop("id")
        except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{where} is not a plan: {error}") from error
        plan = from_plain(cls, data, where=where)
        if plan.id != named:
            raise ValueError(
                f"{where} was changed by hand: it is named {named[:12]} and describes "
                f"{plan.id[:12]}; restore it, or render to another folder"
            )
        return plan


def make_plan(  # noqa: PLR0913 - each of them is part of the plan
    scenes: Sequence[Scene],
    observer: Observer,
    settings: ClipSettings,
    *,
    clips: int,
    seed: int = 0,
    storage: Storage | None = None,
    path: HeadPath | None = None,
    weights: Sequence[float] | None = None,
    split: Split | None = None,
) -> Plan:
    """Return the plan of ``clips`` clips of an observer in one or more scenes.

    ``weights`` are the scenes' shares of the clips, in the scenes' order; equal by default.

    Raises:
        ValueError: stereo or signals are asked for in a scene without metric scale, or ground truth
            that a scene or the observer cannot give, or a path too short or not of one scene, or
            another number of weights than of scenes, or a scene that is not of the ``split``.
    """
    weights = [1.0] * len(scenes) if weights is None else [float(weight) for weight in weights]
    if len(weights) != len(scenes):
        raise ValueError(
            f"expected a weight for each of {len(scenes)} scenes, got {len(weights)}: {weights}"
        )
    if path is not None:
        _require_one_clip(path, scenes, settings)
    else:
        settings.factors.require_sense_for(observer)
    eyes = observer.eyes if settings.stereo else 1
    settings.factors.require_sense(stereo=eyes == 2, truth=settings.truth)
    for scene in scenes:
        if settings.stereo:
            scene.card.require_metric("stereo")
        if settings.signals:
            scene.card.require_metric("specific force (--signals)")
        require_truth(settings.truth, scene.card, eyes=eyes)
    fast = settings.renderer.path == "fast"
    planned = tuple(
        PlannedScene(
            name=scene.card.name,
            sha256=scene.content_hash(fast=fast),
            weight=weight,
            licence=scene.card.licence,
            field_sha256=field_fingerprint(scene.field),
            metric=scene.card.is_metric,
        )
        for scene, weight in zip(scenes, weights, strict=True)
    )
    return Plan(
        scenes=planned,
        observer=to_plain(observer),
        settings=to_plain(settings),
        clips=clips,
        seed=seed,
        storage=storage or Storage(),
        code_version=installed_version("merkwelt"),
        path=path,
        split=split,
    )


def _require_one_clip(path: HeadPath, scenes: Sequence[Scene], settings: ClipSettings) -> None:
    """Raise ValueError unless a path lies in one scene and is as long as a clip."""
    if len(scenes) != 1:
        names = [scene.card.name for scene in scenes]
        raise ValueError(f"expected one scene, in which the path lies, got {names}")
    settings.factors.require_sense_on_path(looks_around=path.gaze == "observer")
    frames, rate_hz = settings.frames, settings.frame_rate_hz
    if path.clips(frames=frames, frame_rate_hz=rate_hz) == 0:
        raise ValueError(
            f"the path lasts {path.duration_s:.3f} s, and {frames} frames at {rate_hz} Hz last "
            f"{(frames - 1) / rate_hz:.3f} s; ask for fewer frames, or more of them per second"
        )
