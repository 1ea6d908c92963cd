"""A reader of flatbuffers that trusts nothing in the file.

A flatbuffer is a tree of tables in one block of bytes. A table starts with the distance back to its
vtable, which holds the distance of each field from the table's start, or 0 where a field has its
default. Everything else is offsets forward. Each read here is checked against the file's length, so
a damaged or hostile file is an error and never a read elsewhere, and nothing in it is executed.

Format: https://flatbuffers.dev/internals (little endian).
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np


class DamagedFile(ValueError):
    """A flatbuffer whose offsets lead out of the file."""


@dataclass(frozen=True)
class Table:
    """One table: its fields are read by the number that the schema gives them."""

    data: bytes
    start: int

    def number(self, field: int, kind: str, default: int = 0) -> Any:  # noqa: ANN401
        """Return a number of struct format ``kind`` ('b', 'i', 'I', ...), or the default."""
        place = self._place(field)
        return default if place is None else _unpack(self.data, place, kind)

    def table(self, field: int) -> "Table | None":
        """Return the table in a field, or None where there is none."""
        place = self._place(field)
        return None if place is None else Table(self.data, _follow(self.data, place))

    def tables(self, field: int) -> "list[Table]":
        """Return the vector of tables in a field; none is an empty one."""
        first, count = self._vector(field, 4)
        return [Table(self.data, _follow(self.data, first + 4 * i)) for i in range(count)]

    def array(self, field: int, dtype: str) -> np.ndarray:
        """Return the vector of numbers in a field as a copy; none is an empty one."""
        kind = np.dtype(dtype).newbyteorder("<")
        first, count = self._vector(field, kind.itemsize)
        read = np.frombuffer(self.data, dtype=kind, count=count, offset=first)
        return read.astype(np.dtype(dtype))

    def text(self, field: int) -> str:
        """Return the string in a field; what is no UTF-8 is replaced."""
        return self.array(field, "u1").tobytes().decode("utf-8", errors="replace")

    def _place(self, field: int) -> int | None:
        vtable = self.start - _unpack(self.data, self.start, "i")
        size = _unpack(self.data, vtable, "H")
        entry = 4 + 2 * field
        if entry + 2 > size:
            return None
        distance = _unpack(self.data, vtable + entry, "H")
        return self.start + distance if distance else None

    def _vector(self, field: int, item_size: int) -> tuple[int, int]:
        """Return where a vector's items start and how many there are."""
        place = self._place(field)
        if place is None:
            return 0, 0
        start = _follow(self.data, place)
        count = _unpack(self.data, start, "I")
        if start + 4 + count * item_size > len(self.data):
            raise DamagedFile(
                f"a list of {count} items at byte {start} leads beyond the end of the file at "
                f"{len(self.data)} bytes"
            )
        return start + 4, count


def root_table(data: bytes, identifier: bytes) -> Table:
    """Return the root of a flatbuffer with a file identifier of four letters.

    Raises:
        DamagedFile: another kind of file, or one that is cut.
    """
    if len(data) < 8 or data[4:8] != identifier:
        raise DamagedFile(
            f"expected the letters {identifier.decode()} at byte 4, got {data[4:8]!r}"
        )
    return Table(data, _follow(data, 0))


def _follow(data: bytes, place: int) -> int:
    return place + int(_unpack(data, place, "I"))


def _unpack(data: bytes, place: int, kind: str) -> Any:  # noqa: ANN401
    size = struct.calcsize("<" + kind)
    if place < 0 or place + size > len(data):
        raise DamagedFile(f"an offset leads to byte {place} of {len(data)}")
    return struct.unpack_from("<" + kind, data, place)[0]
