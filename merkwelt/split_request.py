"""A split in words: which of the scenes that were named a data set is rendered from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from .scenes.fingerprint import field_fingerprint
from .scenes.scene import Scene
from .streams.splits import SPLITS, Split, SplitName, SplitShares, assign_splits


@dataclass(frozen=True, kw_only=True)
class SplitRequest:
    """Which split to render, and how scenes are dealt out."""

    split: SplitName | None = None
    """Render only those of the scenes that belong to this split. The weights of a scene's field
    decide, so that no scene changes its split when others are added."""
    split_shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    """How many of all scenes train, validate and test, on average."""
    split_seed: int = 0
    """Another seed deals all scenes anew."""
    train_scenes: tuple[str, ...] = ()
    """Scenes that train, whatever their hash says."""
    validation_scenes: tuple[str, ...] = ()
    """Scenes that validate, whatever their hash says."""
    test_scenes: tuple[str, ...] = ()
    """Scenes that test, whatever their hash says."""

    def __post_init__(self) -> None:
        """Refuse details of no split."""
        if self.split is None and any(getattr(self, f.name) != f.default for f in fields(self)):
            raise ValueError(
                f"expected --split out of {list(SPLITS)} beside --split-shares, --split-seed or "
                "--train-scenes, --validation-scenes, --test-scenes; name the split to render, or "
                "leave them out"
            )

    def choose(self, scenes: Mapping[str, Scene]) -> "ChosenScenes":
        """Return the scenes of the split out of those given, by the words that named them.

        Raises:
            ValueError: none is left, or a scene is pinned that is not there, or to two splits.
        """
        if self.split is None:
            return ChosenScenes(words=tuple(scenes))
        shares = SplitShares(**dict(zip(SPLITS, self.split_shares, strict=True)))
        hashes = {word: field_fingerprint(scene.field) for word, scene in scenes.items()}
        pins = self._pins(scenes)
        found = assign_splits(hashes, shares, seed=self.split_seed, pins=pins)
        pinned = {hashes[word] for word in pins}
        by_hand = [word for word in scenes if hashes[word] in pinned]
        told = _told(found, by_hand)
        words = tuple(word for word, split in found.items() if split == self.split)
        if not words:
            raise ValueError(
                f"no scene is left for --split {self.split} ({told}); with few scenes the hash may "
                f"leave a split empty: pin a scene to it, such as --{self.split}-scenes "
                f"{next(iter(scenes))}, or name more scenes"
            )
        names = tuple(scenes[word].card.name for word in words if word in by_hand)
        split = Split(name=self.split, shares=shares, seed=self.split_seed, pinned=names)
        return ChosenScenes(words=words, split=split, told=told)

    def _pins(self, scenes: Mapping[str, Scene]) -> dict[str, SplitName]:
        pins: dict[str, SplitName] = {}
        asked = (self.train_scenes, self.validation_scenes, self.test_scenes)
        for split, words in zip(SPLITS, asked, strict=True):
            for word in words:
                named = _word_for(word, scenes)
                if pins.setdefault(named, split) != split:
                    raise ValueError(
                        f"expected each scene in one split, got {word!r} pinned to "
                        f"{pins[named]!r} and {split!r}"
                    )
        return pins


@dataclass(frozen=True, kw_only=True)
class ChosenScenes:
    """The scenes that are left of those given."""

    words: tuple[str, ...]
    split: Split | None = None
    told: str = ""
    """Which scene went where, for people."""


def _word_for(word: str, scenes: Mapping[str, Scene]) -> str:
    """Return the word by which a pinned scene was given: the same, or another with its name."""
    if word in scenes:
        return word
    named = [given for given, scene in scenes.items() if scene.card.name == word]
    if not named:
        raise ValueError(
            f"scene {word!r} is pinned to a split but not given; name it with --scene too, where "
            f"there are {list(scenes)}"
        )
    return named[0]


def _told(found: Mapping[str, SplitName], by_hand: Sequence[str]) -> str:
    def names(split: SplitName) -> str:
        there = [
            f"{word} (pinned)" if word in by_hand else word
            for word, of in found.items()
            if of == split
        ]
        return ", ".join(there) or "none"

    return "; ".join(f"{split}: {names(split)}" for split in SPLITS)
