"""Images with their human maps, one at a time, and all of them stacked."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal

import numpy as np

from .human_maps import HumanMaps
from .provenance import Provenance
from .subset import resized

Damaged = Literal["refuse", "skip"]
"""What becomes of damaged records: one is an error, or is left out by name."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One image and its human map."""

    name: str
    image: np.ndarray
    """uint8 ``[height, width, 3]``, RGB."""
    heatmap: np.ndarray
    """float32 ``[height, width]``, at least 0. May be constant; scores name such maps."""
    label: str
    """Category in words."""
    class_id: int | None = None
    """ImageNet class, 0 to 999, if it is one."""
    split: str | None = None
    click_count: int | None = None
    """How many clicks are behind the map, if that is told."""
    provenance: Provenance | None = None
    """What the map is, if its own file tells it."""

    def __post_init__(self) -> None:
        """Refuse values that are no pair."""
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(
                f"expected an image uint8 [height, width, 3] in {self.name}, got "
                f"{self.image.dtype} {self.image.shape}"
            )
        if self.heatmap.shape != self.image.shape[:2]:
            raise ValueError(
                f"expected a map of the size of its image in {self.name}, got "
                f"{self.heatmap.shape} for {self.image.shape[:2]}"
            )
        if self.heatmap.dtype != np.float32:
            raise ValueError(f"expected a float32 map in {self.name}, got {self.heatmap.dtype}")
        if not np.isfinite(self.heatmap).all() or (self.heatmap < 0).any():
            raise ValueError(
                f"expected finite map values of at least 0 in {self.name}, found NaN, infinity or "
                "negative values; remove or repair it"
            )
        if self.class_id is not None and not 0 <= self.class_id < 1000:
            raise ValueError(
                f"expected an ImageNet class of 0 to 999 in {self.name}, got {self.class_id}"
            )


MadePairs = Generator[tuple[str, Pair | ValueError], None, None]
"""What was made of each record or file, by name: a pair, or what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class PairStream:
    """Pairs as they come from their files; few are in memory at once."""

    pairs: Iterable[Pair]
    provenance: Provenance
    """What they are where they do not tell it themselves."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Name of what is left out to why; filled while pairs are read."""


def stack_pairs(
    stream: PairStream, *, limit: int | None = None, size_px: int | None = None
) -> HumanMaps:
    """Return pairs in memory together.

    Args:
        stream: the pairs, all of one size unless ``size_px`` is given.
        limit: take the first so many.
        size_px: resize images and maps to squares of this side.

    Raises:
        ValueError: no pairs, pairs of different sizes, or two of one name.
    """
    pairs = list(sized_pairs(islice(stream.pairs, limit), size_px))
    if not pairs:
        raise ValueError(
            f"expected at least one image and map of {stream.provenance.kind}, found none"
            + (f"; {len(stream.left_out)} were left out" if stream.left_out else "")
        )
    _check_together(pairs)
    own = {pair.provenance for pair in pairs}
    told = (own.pop() if len(own) == 1 else None) or stream.provenance
    whole = all(pair.class_id is not None for pair in pairs)
    return HumanMaps(
        images=np.stack([pair.image for pair in pairs]),
        maps=np.stack([pair.heatmap for pair in pairs]),
        names=tuple(pair.name for pair in pairs),
        labels=tuple(pair.label for pair in pairs),
        kind=told.kind,
        are_human=True,
        source=told.source,
        licence=told.licence,
        splits=_splits(pairs),
        classes=tuple(int(pair.class_id or 0) for pair in pairs) if whole else None,
        left_out=dict(stream.left_out),
    )


def pairs_of(maps: HumanMaps) -> Iterator[Pair]:
    """Yield the images and maps of a collection one by one."""
    told = Provenance(kind=maps.kind, source=maps.source, licence=maps.licence)
    people = {} if maps.trials is None else maps.trials.by_image()
    clicks = {name: sum(len(trial.points_px) for trial in own) for name, own in people.items()}
    for i, name in enumerate(maps.names):
        yield Pair(
            name=name,
            image=maps.images[i],
            heatmap=maps.maps[i],
            label=maps.labels[i],
            class_id=maps.classes[i] if maps.classes is not None else None,
            split=(maps.splits[i] or None) if maps.splits is not None else None,
            click_count=clicks.get(name),
            provenance=told,
        )


def sized_pairs(pairs: Iterable[Pair], size_px: int | None) -> Iterator[Pair]:
    """Yield pairs as squares of a size, or as they are for None."""
    for pair in pairs:
        if size_px is None:
            yield pair
        else:
            image, heatmap = resized(pair.image, size_px), resized(pair.heatmap, size_px)
            yield replace(pair, image=image, heatmap=heatmap)


def whole_or_named(
    made: MadePairs, *, damaged: Damaged, left_out: dict[str, str]
) -> Iterator[Pair]:
    """Yield the pairs among what was read; errors are raised or are noted in ``left_out``."""
    with closing(made):  # and so its file, whatever happens
        for name, pair in made:
            if isinstance(pair, Pair):
                yield pair
            elif damaged == "refuse":
                raise pair
            else:
                left_out[name] = str(pair)


def _check_together(pairs: list[Pair]) -> None:
    first = pairs[0]
    for pair in pairs:
        if pair.heatmap.shape != first.heatmap.shape:
            raise ValueError(
                f"expected images of one size, got {first.heatmap.shape} in {first.name} and "
                f"{pair.heatmap.shape} in {pair.name}; give size_px (--size) to resize all"
            )
    double = [name for name, count in Counter(pair.name for pair in pairs).items() if count > 1]
    if double:
        raise ValueError(f"expected different names, found {double[0]} more than once")


def _splits(pairs: list[Pair]) -> tuple[str, ...] | None:
    if all(pair.split is None for pair in pairs):
        return None
    return tuple(pair.split or "" for pair in pairs)
