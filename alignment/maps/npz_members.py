"""Members of ``.npz`` archives, plain arrays only."""

import io
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

ARCHIVE_ERRORS = (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError)
"""What Python raises at a damaged archive."""


def member_names(path: Path) -> set[str]:
    """Return the names of the members of an ``.npz`` archive.

    Raises:
        ValueError: it is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except ARCHIVE_ERRORS as error:
        raise _no_archive(str(path), error) from error


def plain_members(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return members of an archive by name.

    Raises:
        ValueError: the archive is damaged, lacks a member, or one holds Python objects.
    """
    wanted = list(names)
    present = member_names(path)
    missing = sorted(set(wanted) - present)
    if missing:
        raise ValueError(
            f"expected members {sorted(wanted)} in {path}, found {sorted(present) or 'none'}: "
            f"{', '.join(missing)} missing"
        )
    return read_plain(path, wanted, str(path))


def read_plain(
    file: Path | io.BytesIO, names: Iterable[str] | None, where: str
) -> dict[str, np.ndarray]:
    """Return members of an open archive or a file by name, all of them for None."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            if not isinstance(stored, np.lib.npyio.NpzFile):
                raise ValueError(f"expected an .npz archive in {where}, found other data")
            wanted = stored.files if names is None else names
            return {name: _member(where, stored, name) for name in wanted}
    except ARCHIVE_ERRORS as error:
        raise _no_archive(where, error) from error


def _member(where: str, stored: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        member = stored[name]
    except ValueError as error:
        raise ValueError(
            f"refused to read member '{name}' of {where}: {error}. Members must be plain arrays; "
            "one that holds Python objects could run code, so write it again with plain dtypes"
        ) from error
    if not isinstance(member, np.ndarray):
        raise ValueError(f"expected an array in member '{name}' of {where}, found other data")
    return member


def _no_archive(where: str, error: Exception) -> ValueError:
    return ValueError(
        f"expected an .npz archive in {where}, but it cannot be read as one ({error}); the file is "
        "damaged, incomplete, or something else"
    )
