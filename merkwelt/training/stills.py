"""Labelled images with human maps that are trained on beside clips."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.prepare import prepare
from ..objectives.objective import Batch, Truth
from .clips import batch_ids, held_out_split

MEASURED_STILLS = 256
"""At most so many stills are measured on, of those trained on and of those held out."""


class StillSource(Protocol):
    """Batches of stills."""

    identity: str
    """Changes when the images, maps or their order change."""

    def batch(self, step: int, device: torch.device) -> Truth:
        """Return ``stills``, ``still_labels`` and ``still_maps`` of a step; depends on it alone."""
        ...

    def training(self, device: torch.device) -> Truth:
        """Return stills that are trained on as they are, uncut, to measure with."""
        ...

    def held_out(self, device: torch.device) -> Truth:
        """Return stills that are never trained on."""
        ...


def beside_clips(batches: list[Batch], stills: Truth | None) -> list[Batch]:
    """Return batches to measure with, of which the first brings the stills to measure with."""
    if stills is None or not batches:
        return batches
    (clips, truth), *others = batches
    return [(clips, {**truth, **stills}), *others]


@dataclass(frozen=True, kw_only=True)
class StillSettings:
    """How stills are made ready for training."""

    size_px: int = 64
    """Height and width that images and maps are brought to."""
    per_step: int = 8
    """Stills in each step."""
    held_out_share: float = 0.2
    """Of the images, never trained on."""
    least_area: float = 0.35
    """Smallest share of an image that a random cut keeps; 1 trains on the centre cut alone."""
    mirror: bool = True
    """Mirror every second still, at random."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.size_px < 1 or self.per_step < 1:
            raise ValueError(f"expected a size of at least 1 px and 1 still per step, got {self}")
        if not 0 < self.held_out_share < 1 or not 0 < self.least_area <= 1:
            raise ValueError(
                f"expected a held-out share in (0, 1) and a least area in (0, 1], got {self}"
            )


class HumanMapStills:
    """Stills out of human maps: which are held out, and what each step sees.

    Everything follows from the seed and the step. Training stills are cut at random and resized,
    image and map together, and mirrored (the recipe of Fel et al. 2022); what is measured on is
    prepared as the alignment score prepares it. A cut in which a map is constant has no map.
    """

    def __init__(
        self,
        maps: HumanMaps,
        settings: StillSettings,
        *,
        seed: int = 0,
        held_out: Sequence[int] | None = None,
        maps_needed: bool = True,
    ) -> None:
        """Hold out a share of the images, or those that are named.

        Args:
            maps: labelled images and their maps.
            settings: how they are made ready.
            seed: of the held-out share, the order and the cuts.
            held_out: numbers of the images to hold out, instead of a share drawn by the seed.
            maps_needed: False takes images of which none has a map, to learn their labels alone.

        Raises:
            ValueError: there are fewer than two images, or not one map that varies; or the images
                to hold out are none, all, or not there.
        """
        if len(maps) < 2:
            raise ValueError(
                f"expected at least 2 images with human maps, one of them held out, got {len(maps)}"
            )
        self.settings = settings
        self.seed = seed
        self.classes = tuple(sorted(set(maps.labels)))
        """Names of the labels, in the order of their numbers."""
        codes = {name: code for code, name in enumerate(self.classes)}
        self._labels = torch.tensor([codes[label] for label in maps.labels])
        self._maps = maps
        self._prepared = prepare(maps, settings.size_px)
        self.training_ids, self.held_out_ids = (
            held_out_split(range(len(maps)), share=settings.held_out_share, seed=seed)
            if held_out is None
            else _chosen_split(len(maps), held_out)
        )
        if maps_needed and not bool(_tokens(self._prepared.maps[self.training_ids]).any()):
            raise ValueError("expected human maps that vary over the image, got constant ones only")
        chosen = "" if held_out is None else f" held out {self.held_out_ids}"
        self.identity = f"{_digest(maps)} {seed} {sorted(asdict(settings).items())}{chosen}"

    def batch(self, step: int, device: torch.device) -> Truth:
        """Return the stills of a step; each is seen once before any is seen again."""
        ids = batch_ids(self.training_ids, self.settings.per_step, seed=self.seed, step=step)
        cut = [self._cut(index, f"{self.seed}/{step}/{i}") for i, index in enumerate(ids)]
        images, maps = (torch.stack(each) for each in zip(*cut, strict=True))
        return _truth(images, maps, self._labels[ids], device)

    def training(self, device: torch.device) -> Truth:
        """Return stills that are trained on as they are, uncut, to measure with."""
        return self._whole(self.training_ids, device)

    def held_out(self, device: torch.device) -> Truth:
        """Return stills that are never trained on."""
        return self._whole(self.held_out_ids, device)

    def _whole(self, ids: list[int], device: torch.device) -> Truth:
        ids = ids[:MEASURED_STILLS]
        return _truth(
            self._prepared.images[ids], self._prepared.maps[ids], self._labels[ids], device
        )

    def _cut(self, index: int, key: str) -> tuple[Tensor, Tensor]:
        """Return an image and its map, cut and mirrored as the key says."""
        draw = _generator(f"still/{key}")
        mirrored = self.settings.mirror and draw.random() < 0.5
        if self.settings.least_area == 1:
            image, human = self._prepared.images[index], self._prepared.maps[index]
        else:
            height, width = self._maps.maps.shape[1:]
            rows, columns = random_cut(height, width, self.settings.least_area, draw)
            size = self.settings.size_px
            pixels = torch.from_numpy(self._maps.images[index, rows, columns].copy())
            image = _resize(pixels.permute(2, 0, 1).float() / 255, size, "bicubic").clamp(0, 1)
            human = torch.from_numpy(self._maps.maps[index, rows, columns].copy())
            human = _resize(human[None].float(), size, "bilinear")[0]
        return (image.flip(-1), human.flip(-1)) if mirrored else (image, human)


def _chosen_split(count: int, held_out: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the images to train on and those held out, by number."""
    chosen = sorted({int(each) for each in held_out})
    if not 0 < len(chosen) < count or chosen[0] < 0 or chosen[-1] >= count:
        raise ValueError(
            f"expected to hold out some of the images 0 to {count - 1}, and not all, got {chosen}"
        )
    return [each for each in range(count) if each not in set(chosen)], chosen


def random_cut(
    height: int, width: int, least_area: float, draw: np.random.Generator
) -> tuple[slice, slice]:
    """Return rows and columns of a random cut of a share of the area.

    The share is even between ``least_area`` and 1, its aspect log-even between 3:4 and 4:3, as
    far as they fit (Szegedy et al. 2015, section 6).
    """
    area = draw.uniform(least_area, 1) * height * width
    aspect = math.exp(draw.uniform(math.log(3 / 4), math.log(4 / 3)))
    rows = min(height, max(1, round(math.sqrt(area / aspect))))
    columns = min(width, max(1, round(math.sqrt(area * aspect))))
    top = int(draw.integers(height - rows + 1))
    left = int(draw.integers(width - columns + 1))
    return slice(top, top + rows), slice(left, left + columns)


def _truth(images: Tensor, maps: Tensor, labels: Tensor, device: torch.device) -> Truth:
    return {
        "stills": images.contiguous().to(device),
        "still_labels": labels.to(device),
        "still_maps": maps.contiguous().to(device),
        "still_tokens": _tokens(maps).to(maps.dtype).to(device),
    }


def _tokens(maps: Tensor) -> Tensor:
    """Return which maps vary: a constant one says nothing of where people looked."""
    return maps.amax(dim=(1, 2)) > maps.amin(dim=(1, 2))


def _resize(picture: Tensor, size: int, mode: str) -> Tensor:
    return F.interpolate(picture[None], size=(size, size), mode=mode, antialias=True)[0]


def _digest(maps: HumanMaps) -> str:
    digest = hashlib.sha256()
    for array in (maps.images, maps.maps):
        digest.update(str((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update("\n".join(maps.labels).encode())
    return digest.hexdigest()[:16]


def _generator(purpose: str) -> np.random.Generator:
    """Return random numbers that depend on the purpose alone."""
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key))
