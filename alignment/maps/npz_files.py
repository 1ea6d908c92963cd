"""ClickMe 1.0 as one ``.npz`` for each image, in a folder or a zip."""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath

import numpy as np

from .image_paths import flattened, split_folder
from .npz_members import ARCHIVE_ERRORS, read_plain
from .pair_files import labelled_pair, split_named
from .pairs import Damaged, MadePairs, Pair, PairStream, whole_or_named
from .provenance import CLICKME_1, Provenance
from .writing import new_folder

_TOLD = ("kind", "source", "licence")


def open_npz_files(path: Path, *, damaged: Damaged = "refuse") -> PairStream:
    """Return pairs of a folder or zip of ``.npz`` files, each with image, heatmap and label.

    ``image`` ``[height, width, 3]`` is uint8, or floats in 0..1 or 0..255, which are rounded;
    ``heatmap`` is ``[height, width]``. ``label`` is an ImageNet class or a category in words.
    """
    left_out: dict[str, str] = {}
    made = _npz_in_zip(path) if path.is_file() else _npz_in_folder(path)
    return PairStream(
        pairs=whole_or_named(made, damaged=damaged, left_out=left_out),
        provenance=CLICKME_1,
        left_out=left_out,
    )


def write_npz_files(pairs: Iterable[Pair], target: Path) -> int:
    """Write pairs as one ``.npz`` each to a new folder, by split, and return their number.

    Raises:
        FileExistsError: there is something at ``target``.
        ValueError: two names become the same file.
    """
    count = 0
    with new_folder(target) as folder:
        for pair in pairs:
            parent = folder / split_folder(pair.split) if pair.split else folder
            file = parent / f"{flattened(pair.name)}.npz"
            if file.exists():
                raise ValueError(f"expected names of files of their own, {pair.name} has another's")
            parent.mkdir(exist_ok=True)
            np.savez_compressed(file, **_members(pair))  # type: ignore[arg-type]
            count += 1
    return count


def _npz_in_folder(path: Path) -> MadePairs:
    for file in sorted(path.rglob("*.npz")):
        parent = file.parent.relative_to(path).as_posix()
        yield file.name, _npz_pair(file, str(file), file.stem, split_named(parent, path.name))


def _npz_in_zip(path: Path) -> MadePairs:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                if member.endswith(".npz"):
                    where = PurePosixPath(member)
                    split = split_named(where.parent.as_posix(), path.stem)
                    yield member, _member_pair(archive, member, f"{path}, {member}", split)
    except zipfile.BadZipFile as error:
        raise ValueError(f"expected a zip archive in {path}, but: {error}") from error


def _member_pair(
    archive: zipfile.ZipFile, member: str, where: str, split: str | None
) -> Pair | ValueError:
    try:
        content = io.BytesIO(archive.read(member))
    except ARCHIVE_ERRORS as error:
        return ValueError(f"{where}: {error}")
    return _npz_pair(content, where, PurePosixPath(member).stem, split)


def _npz_pair(
    file: Path | io.BytesIO, where: str, name: str, split: str | None
) -> Pair | ValueError:
    try:
        found = read_plain(file, None, where)
        missing = [key for key in ("image", "heatmap", "label") if key not in found]
        if missing:
            raise ValueError(f"expected members image, heatmap and label, found {sorted(found)}")
        label = found["label"]
        pair = labelled_pair(
            found["image"],
            np.squeeze(found["heatmap"]),
            str(label) if label.dtype.kind == "U" else label,
            name=str(found.get("name", name)),
            split=str(found["split"]) if "split" in found else split,
        )
        told = {key: str(found[key]) for key in _TOLD if key in found}
        return replace(
            pair,
            label=str(found.get("category", pair.label)),
            provenance=Provenance(**told) if len(told) == len(_TOLD) else None,
        )
    except ValueError as error:
        return ValueError(f"{where}: {error}")


def _members(pair: Pair) -> dict[str, np.ndarray]:
    """Return image, heatmap and label as published, and beside them what else is known."""
    members = {
        "image": pair.image,
        "heatmap": pair.heatmap,
        "label": np.array(pair.label if pair.class_id is None else pair.class_id),
        "name": np.array(pair.name),
        "category": np.array(pair.label),
    }
    if pair.split is not None:
        members["split"] = np.array(pair.split)
    if pair.provenance is not None:
        members |= {key: np.array(words) for key, words in asdict(pair.provenance).items()}
    return members
