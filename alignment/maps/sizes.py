"""Where the sizes of images come from: the pictures themselves, or a file that tells them."""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from .pickles import load_sizes
from .pictures import picture_size_px
from .trials import Trial

SizeOf = Callable[[str], tuple[int, int]]
"""Name of an image to its width and height in pixels."""


def size_source(images: Path | None, sizes: Path | None) -> SizeOf:
    """Return where sizes come from: a file of sizes if there is one, else the pictures.

    Raises:
        ValueError: neither is given.
    """
    if sizes is not None:
        known = load_sizes(sizes)
        return lambda name: _known(known, name, sizes)
    if images is None:
        raise ValueError(
            "trials are in pixels of their images, whose sizes are needed: give the folder of the "
            "pictures (images, --images)"
        )
    if not images.is_dir():
        raise FileNotFoundError(f"expected a folder of pictures at {images}, found none")
    return lambda name: picture_size_px(images, name)


def sizes_of(trials: Iterable[Trial], size_of: SizeOf) -> dict[str, tuple[int, int]]:
    """Return the size of every image that has trials."""
    return {name: size_of(name) for name in dict.fromkeys(trial.image for trial in trials)}


def _known(known: dict[str, tuple[int, int]], name: str, sizes: Path) -> tuple[int, int]:
    parts = PurePosixPath(name).parts
    for start in range(len(parts)):
        found = known.get("/".join(parts[start:]))
        if found is not None:
            return found
    raise FileNotFoundError(
        f"expected the size of {name} in {sizes}, which has {len(known)} others"
    )
