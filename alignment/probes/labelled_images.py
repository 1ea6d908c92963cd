"""Labelled still images to train a probe on, from wherever they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..maps.human_maps import HumanMaps
from ..prepare import Preparation, prepare_by

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledImages:
    """Images that are read when they are asked for, each with a class."""

    name: str
    """What they are, in words that a report prints."""
    names: tuple[str, ...]
    """Of each image."""
    labels: tuple[str, ...]
    """Class of each image."""
    groups: tuple[str, ...]
    """What each image shows: pictures of one object are held out together."""
    read: Callable[[int, Preparation], Float[Tensor, "3 size size"]]
    """Return an image in [0, 1], as a model wants it."""

    def __post_init__(self) -> None:
        """Refuse lists that do not belong together."""
        sizes = {len(self.names), len(self.labels), len(self.groups)}
        if len(sizes) > 1 or not self.names:
            raise ValueError(
                f"expected a name, a label and a group for each of some images, got "
                f"{len(self.names)}, {len(self.labels)} and {len(self.groups)}"
            )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes, sorted."""
        return tuple(sorted(set(self.labels)))

    @property
    def numbers(self) -> np.ndarray:
        """The place of each image's class in ``classes``, int64."""
        place = {name: number for number, name in enumerate(self.classes)}
        return np.array([place[label] for label in self.labels], dtype=np.int64)

    def batch(
        self, indices: Sequence[int], preparation: Preparation
    ) -> Float[Tensor, "image 3 size size"]:
        """Return several images."""
        return torch.stack([self.read(index, preparation) for index in indices])


def image_folder(folder: Path | str) -> LabelledImages:
    """Return the images of an ImageNet-style folder: ``folder/class/image.jpg``.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: fewer than two folders with images in it.
        RuntimeError: when it is read, an image is damaged; names it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(f"expected a folder of images by class, found no folder {root}")
    paths = sorted(
        path
        for part in root.iterdir()
        if part.is_dir()
        for path in part.rglob("*")
        if path.suffix.lower() in ENDINGS and path.is_file()
    )
    labels = tuple(path.relative_to(root).parts[0] for path in paths)
    if len(set(labels)) < 2:
        raise ValueError(
            f"expected a folder of two or more classes with images ({', '.join(ENDINGS)}) in "
            f"{root}, as root/class/image.jpg, found {len(set(labels))}"
        )
    names = tuple(str(path.relative_to(root)) for path in paths)

    def read(index: int, preparation: Preparation) -> Tensor:
        pixels = cv2.imread(str(paths[index]), cv2.IMREAD_COLOR)
        if pixels is None:
            raise RuntimeError(f"{paths[index]} is no image that can be read; replace or remove it")
        return _prepared(pixels[..., ::-1].copy(), preparation)

    return LabelledImages(
        name=f"{len(paths)} images of {len(set(labels))} classes in {root.name}",
        names=names,
        labels=labels,
        groups=names,
        read=read,
    )


def images_of_maps(maps: HumanMaps, split: str | None = None) -> LabelledImages:
    """Return the images of a set of human maps with their categories.

    Args:
        maps: such as the training split of ClickMe, or the CO3D images of ClickMe 2.0.
        split: take only this one, by the name that the study gives it.

    Raises:
        ValueError: no such split; lists the ones there are.
    """
    kept = list(range(len(maps)))
    if split is not None:
        known = maps.splits or ()
        kept = [index for index in kept if index < len(known) and known[index] == split]
        if not kept:
            raise ValueError(
                f"expected a split out of {sorted(set(known))} of {maps.kind}, got {split!r}"
            )
    names = tuple(maps.names[index] for index in kept)

    def read(index: int, preparation: Preparation) -> Tensor:
        return _prepared(maps.images[kept[index]], preparation)

    return LabelledImages(
        name=f"{len(kept)} images of {maps.kind}" + (f", split {split}" if split else ""),
        names=names,
        labels=tuple(maps.labels[index] for index in kept),
        groups=tuple(shown_object(name) for name in names),
        read=read,
    )


def shown_object(name: str) -> str:
    """Return what an image shows, by the name of its file: CO3D's ends with the view's number.

    Example:
        >>> shown_object("tv_396_49581_97726_00011"), shown_object("kite_3_5_7_renders_00049")
        ('tv_396_49581_97726', 'kite_3_5_7')
        >>> shown_object("osie/1001.jpg")
        'osie/1001.jpg'
    """
    parts = name.rsplit(".", 1)[0].split("_")
    if len(parts) < 5 or not all(part.isdigit() for part in parts[1:4]):
        return name
    return "_".join(parts[:4])


def _prepared(pixels: np.ndarray, preparation: Preparation) -> Tensor:
    height, width = pixels.shape[:2]
    alone = HumanMaps(
        images=pixels[None],
        maps=np.zeros((1, height, width), np.float32),
        names=("one",),
        labels=("",),
        kind="",
        are_human=False,
        source="",
        licence="",
    )
    return prepare_by(alone, preparation).images[0]
