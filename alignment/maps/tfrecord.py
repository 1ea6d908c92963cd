"""TFRecord files without TensorFlow: framing and checksums.

A record is its length (8 bytes, little-endian), the masked CRC-32C of those, the payload, and the
masked CRC-32C of that.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .crc32c import masked_crc32c

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")


@dataclass(frozen=True, kw_only=True)
class DamagedRecord:
    """A record that cannot be read."""

    index: int
    reason: str
    ends_file: bool
    """True where the following records cannot be found either."""


def read_records(path: Path) -> Iterator[bytes]:
    """Yield the payloads of a file, checked.

    Raises:
        ValueError: a record is cut off or its checksum does not fit; names file and record.
    """
    for record in scan_records(path):
        if isinstance(record, DamagedRecord):
            raise ValueError(f"{path}: {record.reason}")
        yield record


def scan_records(path: Path) -> Iterator[bytes | DamagedRecord]:
    """Yield payloads, and what is damaged in its place; a lost frame ends the file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        index = 0
        while file.tell() < size:
            record = _read(file, size, index)
            yield record
            if isinstance(record, DamagedRecord) and record.ends_file:
                return
            index += 1


def write_records(path: Path, payloads: Iterable[bytes]) -> int:
    """Write payloads to a file and return their number."""
    count = 0
    with path.open("wb") as file:
        for payload in payloads:
            file.write(framed(payload))
            count += 1
    return count


def framed(payload: bytes) -> bytes:
    """Return a payload with its length and checksums."""
    length = struct.pack("<Q", len(payload))
    header = _HEADER.pack(len(payload), masked_crc32c(length))
    return header + payload + _FOOTER.pack(masked_crc32c(payload))


def _read(file: BinaryIO, size: int, index: int) -> bytes | DamagedRecord:
    left = size - file.tell()
    if left < _HEADER.size:
        return _cut_off(index, f"{left} of {_HEADER.size} bytes of its header")
    header = file.read(_HEADER.size)
    length, stored = _HEADER.unpack(header)
    if masked_crc32c(header[:8]) != stored:
        return DamagedRecord(
            index=index,
            reason=f"wrong checksum of the length of record {index}, after which no record can be "
            "found; the file is damaged, compressed, or no TFRecord file",
            ends_file=True,
        )
    left = size - file.tell()
    if left < length + _FOOTER.size:
        return _cut_off(index, f"{left} of {length + _FOOTER.size} bytes of its content")
    payload = file.read(length)
    (stored,) = _FOOTER.unpack(file.read(_FOOTER.size))
    if masked_crc32c(payload) != stored:
        return DamagedRecord(
            index=index,
            reason=f"wrong checksum of record {index}: its content was changed or damaged",
            ends_file=False,
        )
    return payload


def _cut_off(index: int, found: str) -> DamagedRecord:
    return DamagedRecord(
        index=index,
        reason=f"record {index} is cut off, found {found}; the file is truncated, get it again",
        ends_file=True,
    )
