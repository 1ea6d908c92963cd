"""Where the files of a data set are read from: a folder, or anything that fsspec opens.

Nothing is held open between reads of a folder; a remote store keeps one connection a process. Both
can be pickled and may be used after a fork: what was opened is never shared between processes.
"""

import os
import re
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any, Protocol

_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+(::|://)")
_SQUEEZED_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:/[^/]")
"""What is left of a URL that went through ``pathlib.Path``; drives of Windows have one letter."""


class Store(Protocol):
    """Files by their names below one place; names have ``/`` between their parts."""

    @property
    def location(self) -> str:
        """The place, as messages name it."""
        ...

    def where(self, name: str) -> str:
        """Return a file's full path or address, for messages."""
        ...

    def read(self, name: str) -> bytes:
        """Return a whole file.

        Raises:
            FileNotFoundError: there is no such file.
            RuntimeError: a remote store failed; says how.
        """
        ...

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop - 1`` of a file; fewer if it ends before.

        Raises:
            FileNotFoundError: there is no such file.
            RuntimeError: a remote store failed, or its server does not serve parts of files.
        """
        ...


def open_store(location: "Path | str | Store", options: Mapping[str, Any] | None = None) -> Store:
    """Return the store of a folder's path or of a URL such as ``s3://bucket/set``.

    Args:
        location: a path, any URL that fsspec knows (``s3://``, ``gs://``, ``https://``,
            ``memory://``, ``file://``, chains with ``::``), or a store, which is returned.
        options: what fsspec's file system is opened with: credentials, endpoint, ...

    Raises:
        ImportError: the package that speaks the protocol is not installed; names it.
        ValueError: there is no such protocol, or options were given for a folder.
        RuntimeError: the store cannot be opened.
    """
    if not isinstance(location, (str, Path)):
        return location
    if is_url(location):
        store = RemoteStore(str(location), options or {})
        folder = store.as_folder()
        return store if folder is None else FolderStore(folder)
    if options:
        raise ValueError(f"expected no storage options for the folder {location}, got some")
    return FolderStore(Path(location))


def is_url(location: Path | str) -> bool:
    """Return whether a location is a URL, and no path.

    Raises:
        ValueError: it is a URL that was made a path, which makes one slash of two.
    """
    if isinstance(location, str):
        return _URL.match(location) is not None
    if _was_url(location):
        raise ValueError(
            f"expected a path or a URL as text, got a path made of a URL, '{location}'; hand over "
            "the URL as a str"
        )
    return False


def local_folder(location: Path | str, *, verb: str) -> Path:
    """Return the folder of a location on this machine.

    Raises:
        ValueError: it is a URL of anything else; says that ``verb`` needs a folder.
    """
    squeezed = isinstance(location, Path) and _was_url(location)
    store = None if squeezed else open_store(location)
    if not isinstance(store, FolderStore):
        raise ValueError(
            f"{verb} needs a folder on this machine, got {location}; copy the data set to one"
        )
    return store.folder


def _was_url(path: Path) -> bool:
    return _SQUEEZED_URL.match(str(path)) is not None and not path.exists()


class FolderStore:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that need not exist."""
        self.folder = folder

    @property
    def location(self) -> str:
        """The folder's path."""
        return str(self.folder)

    def where(self, name: str) -> str:
        """Return a file's path."""
        return str(self.folder / name)

    def read(self, name: str) -> bytes:
        """Return a whole file."""
        return (self.folder / name).read_bytes()

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        """Return a part of a file."""
        with (self.folder / name).open("rb", buffering=0) as file:
            file.seek(start)
            return _all_of(file, stop - start)


class RemoteStore:
    """A prefix in an object store, on a server or in memory, through fsspec."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        """Open the store; nothing is read."""
        self.url = re.sub(r"(?<=[^:/])/+$", "", url)
        self.options = dict(options)
        self._opened: tuple[int, Any, str] | None = None
        self._file_system()

    @property
    def location(self) -> str:
        """The URL."""
        return self.url

    def where(self, name: str) -> str:
        """Return a file's address."""
        return f"{self.url}/{name}"

    def read(self, name: str) -> bytes:
        """Return a whole object."""
        return self._cat(name)

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        """Return a part of an object, in one request for that part."""
        data = self._cat(name, start, stop)
        if len(data) > stop - start:
            raise RuntimeError(
                f"{self.where(name)}: asked for {stop - start} bytes, got {len(data)}: the server "
                "does not serve parts of files; copy the data set to a folder, or use a server "
                "that knows range requests"
            )
        return data

    def as_folder(self) -> Path | None:
        """Return the folder of a ``file://`` URL; None if it is none."""
        from fsspec.implementations.local import LocalFileSystem

        system, path = self._file_system()
        return Path(path or "/") if isinstance(system, LocalFileSystem) else None

    def _cat(self, name: str, start: int | None = None, stop: int | None = None) -> bytes:
        system, path = self._file_system()
        try:
            return system.cat_file(f"{path}/{name}", start=start, end=stop)
        except FileNotFoundError:
            raise
        except Exception as error:  # Each protocol's package has errors of its own.
            part = "" if start is None else f"bytes {start} to {stop} of "
            said = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise RuntimeError(f"cannot read {part}{self.where(name)}: {said}") from error

    def _file_system(self) -> tuple[Any, str]:
        """Return fsspec's file system and the path in it, opened anew in every process."""
        if self._opened is None or self._opened[0] != os.getpid():
            # Loops and connections of remote file systems do not survive a fork.
            self._opened = (os.getpid(), *_opened(self.url, self.options))
        return self._opened[1:]

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to open the store."""
        return {**self.__dict__, "_opened": None}


def _opened(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    import fsspec

    try:
        system, path = fsspec.url_to_fs(url, **options)
    except ImportError as error:  # It names the package.
        raise ImportError(f"cannot open {url}: {error}; use pip in this environment") from error
    except ValueError as error:
        raise ValueError(f"cannot open {url}: {error}") from error
    except Exception as error:  # Each protocol's package has errors of its own.
        raise RuntimeError(f"cannot open {url}: {type(error).__name__}: {error}") from error
    return system, path.rstrip("/")


def _all_of(file: FileIO, size: int) -> bytes:
    """Return up to ``size`` bytes: one read gives at most 2 GiB, and less after a signal."""
    data = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data
