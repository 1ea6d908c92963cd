"""Which stored form of human maps or trials a file or folder holds, told by looking into it."""

from pathlib import Path
from typing import Literal

from .clickme2_dump import NEEDED as DUMP_MEMBERS
from .fixations import FIXATION_COLUMNS, MOUSE_MEMBERS
from .npz_members import member_names

Form = Literal[
    "tfrecords",
    "portable npz",
    "pairs npz",
    "dump npz",
    "mouse npz",
    "npz files",
    "pth files",
    "npy maps",
    "hdf5",
    "clicks csv",
    "fixations csv",
    "mat files",
]
TRIAL_FORMS: tuple[Form, ...] = (
    "dump npz",
    "mouse npz",
    "clicks csv",
    "fixations csv",
    "mat files",
)
"""What single people did; maps are made of it."""
KNOWN = (
    "TFRecord shards, an .npz file, folders or zips of .npz, folders of .pth, .npy or .mat, "
    "processed .h5, or .csv of clicks or fixations"
)
_IMAGE_FOLDERS = ("images", "stimuli")


def form_of(path: Path) -> Form:
    """Return the form of what is at ``path``.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: it is none of the known forms.
    """
    if not path.exists():
        raise FileNotFoundError(f"expected human maps at {path}, but nothing is there")
    form = _folder_form(path) if path.is_dir() else _file_form(path)
    if form is None:
        found = "a folder" if path.is_dir() else f"a file that ends in '{path.suffix}'"
        raise ValueError(f"expected human maps ({KNOWN}), got {found} that holds none: {path}")
    return form


def pictures_beside(path: Path, images: Path | None) -> Path | None:
    """Return the folder of pictures: as given, or ``images`` or ``stimuli`` beside the file."""
    if images is not None:
        return images
    found = [path.parent / name for name in _IMAGE_FOLDERS if (path.parent / name).is_dir()]
    return found[0] if found else None


def _folder_form(path: Path) -> Form | None:
    """Return the form of a folder by the first kind of file that is anywhere in it."""
    kinds: tuple[tuple[str, Form], ...] = (
        ("*.tfrecord*", "tfrecords"),
        ("*.npz", "npz files"),
        ("*.pth", "pth files"),
        ("*.npy", "npy maps"),
        ("*.mat", "mat files"),
    )
    return next((form for pattern, form in kinds if any(path.rglob(pattern))), None)


def _file_form(path: Path) -> Form | None:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _npz_form(path)
    if suffix == ".csv":
        return _csv_form(path)
    by_suffix: dict[str, Form] = {
        ".tfrecord": "tfrecords",
        ".tfrecords": "tfrecords",
        ".zip": "npz files",
        ".pth": "pth files",
        ".h5": "hdf5",
        ".hdf5": "hdf5",
    }
    return by_suffix.get(suffix)


def _npz_form(path: Path) -> Form:
    present = member_names(path)
    if {"format", "members", "are_human"} & present:
        return "portable npz"
    if set(DUMP_MEMBERS) <= present:
        return "dump npz"
    return "mouse npz" if set(MOUSE_MEMBERS) <= present else "pairs npz"


def _csv_form(path: Path) -> Form:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        columns = {word.strip().strip('"') for word in file.readline().split(",")}
    return "fixations csv" if set(FIXATION_COLUMNS) <= columns else "clicks csv"
