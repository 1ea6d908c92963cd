"""One file for each image: tensors of Pseudo_ClickMe, and ``.npy`` maps beside pictures."""

import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from .image_paths import category_of, split_of
from .pairs import Damaged, MadePairs, Pair, PairStream, whole_or_named
from .pictures import find_flattened, read_picture
from .provenance import CLICKME_2_PROCESSED, PSEUDO_CLICKME

_SPLIT = re.compile(r"(?:^|[_-])(train|val|test)$")


def open_pth_files(path: Path, *, damaged: Damaged = "refuse") -> PairStream:
    """Return pairs of a folder of ``.pth`` files (or one), as of Pseudo_ClickMe.

    Each is a dictionary: ``image`` uint8 ``[3, h, w]``, ``heatmap`` uint8 ``[1, h, w]``, ``label``
    int. Read with ``weights_only=True``, so that nothing in them can run.
    """
    files = [path] if path.is_file() else sorted(path.rglob("*.pth"))
    left_out: dict[str, str] = {}
    return PairStream(
        pairs=whole_or_named(_pth(files, path), damaged=damaged, left_out=left_out),
        provenance=PSEUDO_CLICKME,
        left_out=left_out,
    )


def open_npy_maps(path: Path, images: Path, *, damaged: Damaged = "refuse") -> PairStream:
    """Return pairs of a folder of ``.npy`` maps, ``[height, width]`` or ``[subject, h, w]``.

    Files are named by the path of their image with ``_`` for ``/``; people are averaged. Maps
    are taken to be of whole images, which are brought to their size.
    """
    left_out: dict[str, str] = {}
    return PairStream(
        pairs=whole_or_named(_npy(path, images), damaged=damaged, left_out=left_out),
        provenance=CLICKME_2_PROCESSED,
        left_out=left_out,
    )


def plain_image(values: np.ndarray) -> np.ndarray:
    """Return a picture ``[height, width, 3]`` as uint8; floats are in 0..1 or 0..255."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "uif" or values.size == 0:
        raise ValueError(f"expected a picture of numbers, got {values.dtype} {values.shape}")
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= 255:
        raise ValueError(f"expected picture values in 0..255, got {low:g} to {high:g}")
    scale = 255 if values.dtype.kind == "f" and high <= 1 else 1
    return np.round(values * scale).astype(np.uint8)


def labelled_pair(
    image: np.ndarray, heatmap: np.ndarray, label: object, *, name: str, split: str | None
) -> Pair:
    """Return a pair whose label is an ImageNet class or a category in words."""
    if heatmap.dtype.kind not in "uif":
        raise ValueError(f"expected numbers as map values in {name}, got {heatmap.dtype}")
    words = isinstance(label, str)
    class_id = None if isinstance(label, str) else int(np.asarray(label).item())
    return Pair(
        name=name,
        image=plain_image(image),
        heatmap=np.asarray(heatmap, np.float32),
        label=str(label) if words else f"ImageNet class {class_id}",
        class_id=class_id,
        split=split,
    )


def split_named(parent: str, collection: str) -> str | None:
    """Return the split that a folder's name ends in, or that of the whole collection."""
    for text in (parent, collection.partition(".")[0]):
        match = _SPLIT.search(text)
        if match is not None:
            return match[1]
    return None


def _pth(files: list[Path], root: Path) -> MadePairs:
    import torch

    for file in files:
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
            arrays = {key: np.asarray(content[key]) for key in ("image", "heatmap", "label")}
            split = split_named(file.parent.name, root.name)
            picture = np.ascontiguousarray(arrays["image"].transpose(1, 2, 0))
            pair = labelled_pair(
                picture, arrays["heatmap"][0], arrays["label"], name=file.stem, split=split
            )
            yield file.name, replace(pair, provenance=PSEUDO_CLICKME)
        except (ValueError, KeyError, TypeError, IndexError, EOFError) as error:
            yield file.name, _no_pth(file, error)
        except (pickle.UnpicklingError, RuntimeError) as error:
            yield file.name, _no_pth(file, str(error).split("\n")[0])


def _no_pth(file: Path, error: object) -> ValueError:
    return ValueError(
        f"expected a dictionary with tensors image [3, h, w], heatmap [1, h, w] and a label in "
        f"{file}, read without running code, but: {error}"
    )


def _npy(path: Path, images: Path) -> MadePairs:
    for file in sorted(path.rglob("*.npy")):
        try:
            heatmap = np.load(file, allow_pickle=False)
            picture = find_flattened(images, file.stem)
            name = picture.relative_to(images.resolve()).as_posix()
            pair = map_pair(heatmap, read_picture(picture), name)
            yield file.name, replace(pair, provenance=CLICKME_2_PROCESSED)
        except (ValueError, EOFError) as error:
            yield file.name, ValueError(f"{file}: {error}")


def map_pair(heatmap: np.ndarray, image: np.ndarray, name: str) -> Pair:
    """Return a pair of a map, averaged over people if need be, and its picture at its size."""
    import cv2

    mean = heatmap.mean(axis=0) if heatmap.ndim == 3 else heatmap
    if mean.ndim != 2 or mean.dtype.kind not in "uif" or mean.size == 0:
        raise ValueError(
            f"expected a map [height, width] or [subject, height, width], got {heatmap.dtype} "
            f"{heatmap.shape}"
        )
    size = (mean.shape[1], mean.shape[0])
    how = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
    return Pair(
        name=name,
        image=image
        if image.shape[:2] == mean.shape
        else cv2.resize(image, size, interpolation=how),
        heatmap=mean.astype(np.float32),
        label=category_of(name),
        split=split_of(name),
    )
