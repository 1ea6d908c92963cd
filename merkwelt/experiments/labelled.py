"""Labelled pictures to train a classifier on: a folder by class, or a scene's objects."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.maps.npz import read_portable_npz, write_portable_npz
from ..alignment.prepare import Preparation
from ..alignment.probes.labelled_images import LabelledImages, image_folder
from ..object_views import ObjectViewSettings, object_views
from ..parts import Progress
from ..scenes.scene import Scene

SCENE = "scene:"
KEPT = "pictures.npz"
KEPT_OVER_SEEN = 1.25
"""Pictures are kept a little larger than the network sees them, for random cuts."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What a classifier is trained on."""

    images: str
    """A folder of images by class, or ``scene:NAME``."""
    per_object: int = 12
    """Pictures of each object of a scene."""
    library: Path | None = None
    """Folder of scenes."""
    seed: int = 0
    """Of the places that a scene's objects are looked at from."""

    def __post_init__(self) -> None:
        """Refuse a scene without a name, and a single picture, of which none can be held out."""
        if not self.images.removeprefix(SCENE) or self.per_object < 2:
            raise ValueError(
                f"expected a folder or {SCENE}NAME, and at least 2 pictures of each object, got "
                f"{self.images!r} and {self.per_object}"
            )

    @property
    def name(self) -> str:
        """What they are, as in commands."""
        return self.images if self.images.startswith(SCENE) else Path(self.images).name


def labelled_pictures(
    pictures: Pictures, size_px: int, progress: Progress | None = None
) -> HumanMaps:
    """Return labelled pictures with blank maps: where objects are is not told.

    Raises:
        FileNotFoundError: no such folder or scene.
        ValueError: fewer than two classes.
    """
    kept = round(KEPT_OVER_SEEN * size_px)
    if pictures.images.startswith(SCENE):
        scene = Scene.load(pictures.images.removeprefix(SCENE), library=pictures.library)
        settings = ObjectViewSettings(
            size=kept, per_object=pictures.per_object, tries=2 * pictures.per_object
        )
        found = object_views(scene, seed=pictures.seed, settings=settings, progress=progress)
        found = replace(found, maps=np.zeros_like(found.maps), kind="no maps")
    else:
        found = _of_folder(image_folder(pictures.images), kept)
    if len(set(found.labels)) < 2:
        raise ValueError(
            "expected pictures of two classes or more to tell apart, got "
            f"{sorted(set(found.labels))}"
        )
    return found


def kept_pictures(
    pictures: Pictures, size_px: int, out: Path, progress: Progress | None = None
) -> HumanMaps:
    """Return the same, out of ``out/pictures.npz`` if a scene's objects were photographed before.

    Raises:
        FileNotFoundError: no such folder or scene.
        ValueError: fewer than two classes.
    """
    file = out / KEPT
    if file.is_file():
        return read_portable_npz(file)
    return labelled_pictures(pictures, size_px, progress)


def keep_pictures(shown: HumanMaps, pictures: Pictures, out: Path) -> None:
    """Write what was photographed of a scene, so that it is not photographed again."""
    if pictures.images.startswith(SCENE) and not (out / KEPT).exists():
        write_portable_npz(shown, out / KEPT)


def _of_folder(images: LabelledImages, size_px: int) -> HumanMaps:
    preparation = Preparation(size=size_px, crop_share=1.0)
    pixels = np.stack(
        [
            (images.read(i, preparation).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            for i in range(len(images))
        ]
    )
    return HumanMaps(
        images=pixels,
        maps=np.zeros(pixels.shape[:3], np.float32),
        names=images.names,
        labels=images.labels,
        kind="no maps",
        are_human=False,
        source=images.name,
        licence="as the folder's",
    )
