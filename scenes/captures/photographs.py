"""Photographs as files: where they may lie and how large they are."""

import posixpath
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from .capture import View

_ENDINGS = (".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG")


def photograph_path(root: Path, listed: str, *, where: str) -> Path:
    """Return the file that a pose file's entry means, whether or not it exists.

    An entry without an ending (as Blender's) means the PNG or JPEG of that name.

    Raises:
        ValueError: the entry leads out of the capture folder.
    """
    inside = PurePosixPath(posixpath.normpath(listed.replace("\\", "/")))
    if inside.is_absolute() or inside.parts[:1] == ("..",):
        raise ValueError(
            f"{where} lists the photograph {listed!r}, which lies outside the capture folder "
            f"{root}; copy it into the folder and list it by a relative path"
        )
    path = root / inside
    if path.is_file():
        return path
    candidates = [path.with_name(path.name + ending) for ending in _ENDINGS]
    return next((candidate for candidate in candidates if candidate.is_file()), path)


def view_name(root: Path, path: Path) -> str:
    """Return the photograph's path relative to the capture, with forward slashes."""
    return PurePosixPath(*path.relative_to(root).parts).as_posix()


def photograph_size(path: Path) -> tuple[int, int]:
    """Return a photograph's width and height without decoding it.

    Raises:
        ValueError: the file is no picture that can be read.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return image.size
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"photograph {path} cannot be read: {error}") from error


def check_sizes(views: Sequence[View], *, where: str) -> None:
    """Raise ValueError unless every photograph is as large as its camera says."""
    for view in views:
        found = photograph_size(view.path)
        if found != (view.width, view.height):
            raise ValueError(
                f"photograph {view.path} is {found[0]}x{found[1]} pixels, but {where} says "
                f"{view.width}x{view.height}; use the photographs that were posed"
            )
