"""Shards: tar files in WebDataset layout, the same bytes for the same clips."""

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from .clip_members import checksum, clip_name
from .store import Store

HEADER_BYTES = 512
"""A member's header in a USTAR archive, whose names are short enough to need no more."""


class Extent(NamedTuple):
    """Where a member's bytes lie in a shard, and their CRC-32."""

    offset: int
    size: int
    crc32: int


class ShardWriter:
    """Writes one shard; leaves nothing behind when its block ends in an error."""

    def __init__(self, path: Path) -> None:
        """Open a new file at ``path``."""
        self.path = path
        self.sha256 = ""
        self.bytes = 0
        self._file = _HashedFile(path.open("xb"))
        # Writing needs tell and write only, whatever the type says.
        target: Any = self._file
        self._tar = tarfile.TarFile(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT)

    def add(self, clip: int, members: Mapping[str, bytes]) -> dict[str, Extent]:
        """Write a clip's members and return where each of them lies."""
        extents = {}
        for name, data in members.items():
            # A TarInfo of its own knows no time, user or group: all are 0 or empty.
            info = tarfile.TarInfo(f"{clip_name(clip)}.{name}")
            info.size = len(data)
            extents[name] = Extent(self._tar.offset + HEADER_BYTES, len(data), checksum(data))
            self._tar.addfile(info, io.BytesIO(data))
        return extents

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file and bring it to the disk, or remove it after an error."""
        try:
            if error is None:
                self._tar.close()
                self._file.sync()
        except BaseException:
            self._discard()
            raise
        if error is not None:
            self._discard()
            return
        self._file.close()
        self.sha256, self.bytes = self._file.sha256, self._file.tell()

    def _discard(self) -> None:
        try:
            self._file.close()
        finally:
            self.path.unlink(missing_ok=True)


class _HashedFile:
    """A file that is only ever appended to, and the hash of what went into it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._offset = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._digest.update(data)
        self._offset += len(data)
        return len(data)

    def tell(self) -> int:
        return self._offset

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def read_members(store: Store, shard: str, extents: Mapping[str, Extent]) -> dict[str, bytes]:
    """Return members by name, in one read of the stretch of the shard that holds them.

    Raises:
        FileNotFoundError: there is no such shard.
        RuntimeError: a member's bytes are not the ones that were written; names it. Or a remote
            store failed.
    """
    first = min(extent.offset for extent in extents.values())
    stop = max(extent.offset + extent.size for extent in extents.values())
    stretch = memoryview(store.read_range(shard, first, stop))
    members = {}
    for name, (offset, size, crc32) in extents.items():
        data = bytes(stretch[offset - first : offset - first + size])
        if len(data) < size or checksum(data) != crc32:
            raise RuntimeError(
                f"{store.where(shard)}: {name} at byte {offset} is damaged; run 'merkwelt "
                "verify', then the same 'merkwelt render' again, which renders damaged shards anew"
            )
        members[name] = data
    return members


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
