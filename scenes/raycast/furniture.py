"""Furniture models from a folder or an archive with a ``catalog.tsv``."""

import csv
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from .obj_file import read_obj
from .surfaces import Mesh

CATALOGUE_FILE = "catalog.tsv"
MAX_ARCHIVE_BYTES = 500_000_000
MAX_ARCHIVE_FILES = 20_000
WHERE_TO_GET_IT = (
    "the models are those of Debian's package 'sweethome3d-furniture' (library BlendSwap-CC-0)"
)
WORLD_FROM_MODEL_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Models have y up and their front at +z; in the world z is up and the front looks along -y."""


@dataclass(frozen=True, kw_only=True)
class Furniture:
    """A folder of models with their sizes."""

    folder: Path
    models: dict[str, tuple[Path, tuple[float, float, float]]]
    """By the model's key (its path without suffix, as ``006_bookcase/bookcase``): the file, and
    width, depth and height in metres."""

    def mesh(self, key: str, *, height_m: float | None = None) -> Mesh:
        """Return a model in metres, standing on z = 0 with its footprint's centre at the origin.

        It has the size of the catalogue, or that of its file scaled evenly to a given height.
        """
        if key not in self.models:
            raise FileNotFoundError(
                f"expected the furniture model '{key}' in {self.folder / CATALOGUE_FILE}, found "
                f"{len(self.models)} others; {WHERE_TO_GET_IT}"
            )
        path, size_m = self.models[key]
        if not path.is_file():
            raise FileNotFoundError(f"the furniture model '{key}' is missing: no file {path}")
        mesh = read_obj(path)
        upright = mesh.transformed(WORLD_FROM_MODEL_AXES, np.zeros(3))
        low, high = upright.bounds_m()
        extent = np.maximum(high - low, 1e-9)
        scale = np.asarray(size_m) / extent
        if height_m is not None:
            scale = np.full(3, height_m / extent[2])
        middle = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
        return upright.transformed(np.diag(scale), -scale * middle)


@contextmanager
def open_furniture(source: Path) -> Iterator[Furniture]:
    """Yield the furniture of a folder with ``catalog.tsv``, or of a tar archive of one."""
    source = Path(source)
    if source.is_dir():
        yield _read_catalogue(source)
    elif source.is_file():
        with TemporaryDirectory(prefix="merkwelt-furniture-") as folder:
            _extract(source, Path(folder))
            yield _read_catalogue(Path(folder))
    else:
        raise FileNotFoundError(
            f"no furniture at {source}; expected a folder with {CATALOGUE_FILE} and models, or a "
            f".tar.xz of one; {WHERE_TO_GET_IT}"
        )


def _extract(archive: Path, folder: Path) -> None:
    """Unpack plain files only, nothing outside the folder, and no more than a set volume."""
    try:
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if member.isfile() or member.isdir()]
            volume = sum(member.size for member in members)
            if volume > MAX_ARCHIVE_BYTES or len(members) > MAX_ARCHIVE_FILES:
                raise ValueError(
                    f"expected at most {MAX_ARCHIVE_BYTES} bytes in {MAX_ARCHIVE_FILES} files of "
                    f"furniture, {archive} holds {volume} bytes in {len(members)}"
                )
            tar.extractall(folder, members=members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(
            f"expected a tar archive of furniture, cannot read {archive}: {error}"
        ) from error


def _read_catalogue(folder: Path) -> Furniture:
    found = sorted(folder.rglob(CATALOGUE_FILE), key=lambda path: len(path.parts))
    if not found:
        raise FileNotFoundError(f"expected {CATALOGUE_FILE} in the furniture at {folder}")
    home = found[0].parent
    models = {}
    with found[0].open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            try:
                size = tuple(float(row[key]) / 100 for key in ("width_cm", "depth_cm", "height_cm"))
                path = home / row["model"]
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"expected columns model, width_cm, depth_cm, height_cm with numbers in "
                    f"{found[0]}, got the row {row}"
                ) from error
            if not path.resolve().is_relative_to(home.resolve()):
                raise ValueError(f"{found[0]} names a model outside its folder: {row['model']}")
            models[str(Path(row["model"]).with_suffix(""))] = (path, size)
    return Furniture(folder=home, models=models)
