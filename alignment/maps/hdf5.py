"""Processed ClickMe 2.0 maps in HDF5 (extra ``hdf5``).

``/clickmaps/<path with / as _>/`` holds ``clickmap`` (the map) and ``bin_clickmaps`` (clicks of
each person, counted), with attributes ``shape`` and ``original_path``; ``/click_counts`` the number
of clicks by image; ``/metadata`` has attributes.
Source: serre-lab/human_clickme_data_processing@e6f9a76.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .human_maps import HumanMaps
from .image_paths import flattened
from .making import count_map
from .pair_files import map_pair
from .pairs import Damaged, MadePairs, PairStream, whole_or_named
from .pictures import find_flattened, find_picture, read_picture
from .provenance import CLICKME_2_PROCESSED, Provenance
from .trials import Trial, Trials
from .writing import new_file

_CELL_CENTRE = 0.5


def open_hdf5_maps(path: Path, images: Path, *, damaged: Damaged = "refuse") -> PairStream:
    """Return the maps of a file with their pictures, brought to the size of the maps.

    Raises:
        ImportError: h5py is not installed.
        ValueError: no such file, or a map in it is none.
    """
    left_out: dict[str, str] = {}
    return PairStream(
        pairs=whole_or_named(_pairs(path, images), damaged=damaged, left_out=left_out),
        provenance=CLICKME_2_PROCESSED,
        left_out=left_out,
    )


def read_hdf5_trials(path: Path) -> Trials:
    """Return the clicks of every person in ``bin_clickmaps``, in the middle of their cells.

    People have no names there, only numbers within an image; images are as large as their maps.

    Raises:
        ValueError: there are no clicks of single people in the file.
    """
    trials: list[Trial] = []
    sizes: dict[str, tuple[int, int]] = {}
    with _opened(path) as file:
        for key, group in _groups(file, path):
            if "bin_clickmaps" not in group:
                raise ValueError(
                    f"expected bin_clickmaps of {key} in {path}, but it holds averaged maps alone"
                )
            counts = np.asarray(group["bin_clickmaps"])
            if counts.ndim != 3 or counts.dtype.kind not in "uifb":
                raise ValueError(
                    f"expected bin_clickmaps [person, height, width] of {key} in {path}, got "
                    f"{counts.dtype} {counts.shape}"
                )
            name = _name_of(group, key)
            sizes[name] = (counts.shape[2], counts.shape[1])
            trials += [_trial(name, person, own) for person, own in enumerate(counts)]
    return Trials(trials=tuple(trials), image_sizes_px=sizes)


def write_hdf5(maps: HumanMaps, path: Path) -> int:
    """Write maps to a new file; where their trials are known, also the clicks of each person.

    Pictures are not in this form: whoever reads it needs their folder.

    Raises:
        ImportError: h5py is not installed.
        FileExistsError: there is something at ``path``.
    """
    h5py, recipe = _h5py(), maps.recipe
    people = {} if maps.trials is None else maps.trials.by_image()
    with new_file(path) as temporary, h5py.File(temporary, "w") as file:
        counts = file.create_group("click_counts")
        for name, heatmap in zip(maps.names, maps.maps, strict=True):
            group = file.create_group(f"clickmaps/{flattened(name)}")
            group.create_dataset("clickmap", data=heatmap, compression="gzip")
            group.attrs["shape"] = heatmap.shape
            group.attrs["original_path"] = name
            own = people.get(name, ())
            if own and recipe is not None and maps.trials is not None:
                size = maps.trials.image_sizes_px[name]
                each = np.stack([count_map(trial, size, recipe) for trial in own])
                group.create_dataset("bin_clickmaps", data=each, compression="gzip")
                counts.create_dataset(
                    flattened(name), data=sum(len(trial.points_px) for trial in own)
                )
        metadata = file.create_group("metadata")
        metadata.attrs.update(_metadata(maps))
    return len(maps)


def _metadata(maps: HumanMaps) -> Mapping[str, str | int]:
    return {
        "kind": maps.kind,
        "source": maps.source,
        "licence": maps.licence,
        "n_images": len(maps),
        "recipe": "" if maps.recipe is None else maps.recipe.name,
    }


def _pairs(path: Path, images: Path) -> MadePairs:
    with _opened(path) as file:
        told = _provenance(file)
        for key, group in _groups(file, path):
            try:
                if "clickmap" not in group:
                    raise ValueError(f"expected a clickmap, found {sorted(group)}")
                name = _name_of(group, key)
                flat = "original_path" not in group.attrs
                picture = find_flattened(images, key) if flat else find_picture(images, name)
                pair = map_pair(np.asarray(group["clickmap"]), read_picture(picture), name)
                yield key, replace(pair, provenance=told)
            except ValueError as error:
                yield key, ValueError(f"{path}, {key}: {error}")


def _provenance(file: Any) -> Provenance:  # noqa: ANN401 - h5py is optional
    told = file["metadata"].attrs if "metadata" in file else {}
    if not {"kind", "source", "licence"} <= set(told):
        return CLICKME_2_PROCESSED
    return Provenance(**{key: str(told[key]) for key in ("kind", "source", "licence")})


def _trial(name: str, person: int, counts: np.ndarray) -> Trial:
    rows, columns = np.nonzero(counts)
    times = counts[rows, columns].astype(np.int64)
    points = np.stack([columns, rows], axis=1) + _CELL_CENTRE
    return Trial(image=name, subject=str(person), points_px=np.repeat(points, times, axis=0))


def _name_of(group: Any, key: str) -> str:  # noqa: ANN401 - h5py is optional
    told = group.attrs.get("original_path", key)
    return told.decode("utf-8") if isinstance(told, bytes) else str(told)


def _groups(file: Any, path: Path) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    found = file.get("clickmaps")
    if found is None or not len(found):
        raise ValueError(
            f"expected a group /clickmaps in {path}, found {sorted(file) or 'nothing'}"
        )
    for key in found:
        yield key, found[key]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    h5py = _h5py()
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(
            f"expected an HDF5 file at {path}, but it cannot be read as one ({error}); it is "
            "damaged, incomplete, or something else"
        ) from error
    with file:
        yield file


def _h5py() -> Any:  # noqa: ANN401
    try:
        import h5py
    except ImportError as error:
        raise ImportError("processed HDF5 maps need h5py: pip install 'merkwelt[hdf5]'") from error
    return h5py
