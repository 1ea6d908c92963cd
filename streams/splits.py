"""Scene-disjoint splits: which scenes train, and which validate and test.

A scene's split hangs on the weights of its field and on nothing else. It stays what it is when
scenes are added, and when the scene is renamed, moved, scaled, described or optimised.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, get_args

if TYPE_CHECKING:
    from .plan import Plan, PlannedScene

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)


@dataclass(frozen=True, kw_only=True)
class SplitShares:
    """How many of all scenes each split gets, on average; relative to one another."""

    train: float = 0.8
    validation: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        """Refuse shares that cannot be shared out."""
        shares = astuple(self)
        if not all(math.isfinite(share) and share >= 0 for share in shares) or sum(shares) <= 0:
            raise ValueError(
                "expected shares of train, validation and test that are at least 0 and not all 0, "
                f"got {list(shares)}"
            )


@dataclass(frozen=True, kw_only=True)
class Split:
    """The split that a plan's scenes belong to, and how that was decided."""

    name: SplitName
    shares: SplitShares = field(default_factory=SplitShares)
    seed: int = 0
    pinned: tuple[str, ...] = ()
    """Scenes that were put into the split by hand, by name."""

    def __post_init__(self) -> None:
        """Refuse splits that there are not."""
        if self.name not in SPLITS:
            raise ValueError(f"expected a split out of {list(SPLITS)}, got {self.name!r}")

    def require(self, scenes: "Sequence[PlannedScene]") -> None:
        """Raise ValueError if a scene is not of this split; names it."""
        for scene in scenes:
            if scene.name in self.pinned:
                continue
            if scene.field_sha256 is None:
                raise ValueError(
                    f"scene {scene.name!r} has no hash of its field to tell its split by; pin it"
                )
            found = split_of(scene.field_sha256, self.shares, self.seed)
            if found != self.name:
                raise ValueError(
                    f"scene {scene.name!r} is of the split {found!r}, and the plan of "
                    f"{self.name!r}; leave it out, or pin it"
                )


class HasPlan(Protocol):
    """A data set that knows its plan, such as ``ClipDataset``."""

    @property
    def plan(self) -> "Plan":
        """What it was rendered from."""
        ...


def split_of(scene_sha256: str, shares: SplitShares | None = None, seed: int = 0) -> SplitName:
    """Return the split of a scene by a hash of its content.

    Nothing else has a say: other scenes may come and go. Changing the shares moves only scenes
    near the borders between them, changing the seed deals all scenes anew.

    Args:
        scene_sha256: hash of the scene's field (``PlannedScene.field_sha256``).
        shares: of the splits; by default 0.8, 0.1 and 0.1.
        seed: of the dealing.

    Example:
        >>> halves = SplitShares(train=0.5, validation=0, test=0.5)
        >>> [split_of(scene, halves) for scene in ("7f3a", "19c4", "e02b", "a4d1")]
        ['test', 'train', 'train', 'train']
    """
    parts = astuple(shares or SplitShares())
    digest = hashlib.sha256(f"split/{seed}/{scene_sha256}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64 * sum(parts)
    there: list[tuple[SplitName, float]] = [
        (name, part) for name, part in zip(SPLITS, parts, strict=True) if part > 0
    ]
    for name, part in there[:-1]:
        place -= part
        if place < 0:
            return name
    return there[-1][0]


def assign_splits(
    scenes: Mapping[str, str],
    shares: SplitShares | None = None,
    *,
    seed: int = 0,
    pins: Mapping[str, SplitName] | None = None,
) -> dict[str, SplitName]:
    """Return the split of each scene.

    Args:
        scenes: the hash of each scene's field, by the scene's name.
        shares: of the splits, for scenes that are not pinned.
        seed: of the dealing.
        pins: splits of scenes that are put there by hand. What is pinned under one name is
            pinned under all names that the same field has.

    Raises:
        ValueError: a pinned scene is not there, or is pinned to two splits under two names.
    """
    pins = pins or {}
    pinned: dict[str, str] = {}
    for name, split in pins.items():
        if name not in scenes:
            raise ValueError(f"expected to pin one of the scenes {sorted(scenes)}, got {name!r}")
        other = pinned.setdefault(scenes[name], name)
        if pins[other] != split:
            raise ValueError(
                f"scenes {other!r} and {name!r} are the same field under two names, pinned to "
                f"{pins[other]!r} and {split!r}; pin both to one split"
            )
    return {
        name: pins[pinned[sha256]] if sha256 in pinned else split_of(sha256, shares, seed)
        for name, sha256 in scenes.items()
    }


def require_disjoint(a: "Plan | HasPlan", b: "Plan | HasPlan") -> None:
    """Raise ValueError if two plans or data sets have a scene in common; names them.

    Scenes are known by the weights of their fields, whatever their names, scale or fast forms.
    Plans of before those were recorded are compared by what they have: a scene whose field is not
    known counts as common if it has the content, or only the name, of one on the other side.
    """
    here, there = _scenes(a), _scenes(b)
    common = [
        f"{one.name!r}" if one.name == other.name else f"{one.name!r}, there {other.name!r}"
        for one in here
        for other in there
        if _may_be_one(one, other)
    ]
    if common:
        raise ValueError(
            f"expected data sets without a scene in common, found {len(common)}: "
            f"{'; '.join(common)}; render one of them with other scenes, such as with --split"
        )


def _scenes(data: "Plan | HasPlan") -> "tuple[PlannedScene, ...]":
    scenes = getattr(data, "scenes", None)
    return data.plan.scenes if scenes is None else scenes  # type: ignore[union-attr]


def _may_be_one(one: "PlannedScene", other: "PlannedScene") -> bool:
    if one.field_sha256 is not None and other.field_sha256 is not None:
        return one.field_sha256 == other.field_sha256
    return one.sha256 == other.sha256 or one.name == other.name
