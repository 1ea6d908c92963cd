"""Readers of nerfstudio's ``transforms.json`` and Blender's ``transforms_train.json`` folders."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .capture import Capture, CaptureKind, Split, View
from .extras import read_extras
from .frames import Frames, read_frames
from .photographs import check_sizes, photograph_path, view_name

NERFSTUDIO_FILE = "transforms.json"
BLENDER_TRAIN_FILE = "transforms_train.json"
_BLENDER_HELD_OUT_FILES = ("transforms_val.json", "transforms_test.json")


def read_nerfstudio(root: Path) -> Capture:
    """Return the capture that ``root/transforms.json`` describes.

    ``train_filenames`` with ``val_filenames`` and ``test_filenames`` give its split.
    """
    path = root / NERFSTUDIO_FILE
    frames = read_frames(path)
    split = _listed_split(root, frames.meta, {view.name for view in frames.views}, path)
    return build_capture(root, "nerfstudio", [frames], split, where=path)


def read_blender(root: Path) -> Capture:
    """Return the capture that ``root/transforms_{train,val,test}.json`` describe."""
    path = root / BLENDER_TRAIN_FILE
    train = read_frames(path)
    others = [read_frames(root / n) for n in _BLENDER_HELD_OUT_FILES if (root / n).is_file()]
    held_out = tuple(view.name for frames in others for view in frames.views)
    names = tuple(view.name for view in train.views)
    split = Split(train=names, held_out=held_out) if held_out else None
    return build_capture(root, "blender", [train, *others], split, where=path)


def build_capture(
    root: Path, kind: CaptureKind, parts: Iterable[Frames], split: Split | None, *, where: Path
) -> Capture:
    """Return a checked capture made of one or more lists of views.

    Raises:
        FileNotFoundError: none of the listed photographs exists.
        ValueError: a photograph is listed twice, or is not as large as its camera says.
    """
    parts = list(parts)
    views = sorted((view for part in parts for view in part.views), key=lambda view: view.name)
    missing = tuple(name for part in parts for name in part.missing)
    if not views:
        raise FileNotFoundError(
            f"none of the {len(missing)} photographs listed in {where} exists; the first is "
            f"{root / missing[0]}"
        )
    _check_unique(views, where)
    check_sizes(views, where=str(where))
    return Capture(
        root=root,
        kind=kind,
        views=tuple(views),
        split=split,
        extras=read_extras(root),
        missing=missing,
    )


def _check_unique(views: list[View], where: Path) -> None:
    for first, second in zip(views, views[1:], strict=False):
        if first.name == second.name:
            raise ValueError(f"{where} lists the photograph {first.name} twice")


def _listed_split(
    root: Path, meta: Mapping[str, Any], existing: set[str], where: Path
) -> Split | None:
    if "train_filenames" not in meta:
        return None
    lists = {}
    for key in ("train_filenames", "val_filenames", "test_filenames"):
        entries = meta.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(e, str) for e in entries):
            raise ValueError(f"{where}: expected {key} to be a list of file names")
        paths = [photograph_path(root, entry, where=f"{key} of {where}") for entry in entries]
        names = dict.fromkeys(view_name(root, path) for path in paths)
        lists[key] = tuple(name for name in names if name in existing)
    held_out = dict.fromkeys((*lists["val_filenames"], *lists["test_filenames"]))
    both = sorted(set(held_out) & set(lists["train_filenames"]))
    if both:
        raise ValueError(f"{where} lists {both[0]} both for training and as held out")
    return Split(train=lists["train_filenames"], held_out=tuple(held_out))
