"""``tf.train.Example`` messages without TensorFlow or protobuf.

``Example.features`` (field 1) holds a map (field 1) from key (1) to ``Feature`` (2), which holds
one list of bytes (1), floats (2) or integers (3); their values (field 1) are packed or single.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence

Values = tuple[bytes, ...] | tuple[float, ...] | tuple[int, ...]
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
_BYTES_LIST, _FLOAT_LIST, _INT_LIST = 1, 2, 3


def parse_example(payload: bytes) -> dict[str, Values]:
    """Return the features of a message by name.

    Raises:
        ValueError: this is no such message.
    """
    found: dict[str, Values] = {}
    for features in _submessages(payload, 1):
        for entry in _submessages(features, 1):
            key = b"".join(_submessages(entry, 1)).decode("utf-8")
            values: Values = ()
            for feature in _submessages(entry, 2):
                values = _feature(feature)
            found[key] = values
    return found


def make_example(
    features: Mapping[str, Sequence[bytes] | Sequence[float] | Sequence[int]],
) -> bytes:
    """Return a message with features by name, in sorted order; floats and integers are packed."""
    entries = (
        _field(1, _field(1, key.encode()) + _field(2, _made_feature(features[key])))
        for key in sorted(features)
    )
    return _field(1, b"".join(entries))


def _feature(message: bytes) -> Values:
    for number, wire, content in _fields(message):
        if wire != _BYTES or not isinstance(content, bytes):
            raise ValueError(
                f"expected a list in field {number} of a feature, got wire type {wire}"
            )
        if number == _BYTES_LIST:
            return tuple(_submessages(content, 1))
        if number == _FLOAT_LIST:
            return tuple(_floats(content))
        if number == _INT_LIST:
            return tuple(_integers(content))
    return ()


def _floats(message: bytes) -> Iterator[float]:
    for number, wire, content in _fields(message):
        if number != 1 or wire not in (_BYTES, _FLOAT) or not isinstance(content, bytes):
            raise ValueError("expected floats in a list of floats, found other data")
        if len(content) % 4:
            raise ValueError(f"expected whole floats of 4 bytes, got {len(content)} bytes")
        yield from struct.unpack(f"<{len(content) // 4}f", content)


def _integers(message: bytes) -> Iterator[int]:
    for number, wire, content in _fields(message):
        if number != 1 or wire not in (_VARINT, _BYTES):
            raise ValueError("expected integers in a list of integers, found other data")
        if isinstance(content, int):
            yield _signed(content)
        else:
            at = 0
            while at < len(content):
                value, at = _varint(content, at)
                yield _signed(value)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _submessages(message: bytes, wanted: int) -> Iterator[bytes]:
    for number, wire, content in _fields(message):
        if number != wanted:
            continue
        if wire != _BYTES or not isinstance(content, bytes):
            raise ValueError(f"expected bytes in field {number}, got wire type {wire}")
        yield content


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes | int]]:
    """Yield number, wire type and content of each field."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_DOUBLE, _FLOAT):
            length = 8 if wire == _DOUBLE else 4
        else:
            raise ValueError(f"expected an Example message, found wire type {wire}")
        if at + length > len(message):
            raise ValueError("expected an Example message, but a field in it is cut off")
        yield number, wire, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that starts at a place, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("expected an Example message, but a number in it is cut off")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise ValueError("expected an Example message, found a number of more than 64 bits")


def _made_feature(values: Sequence[bytes] | Sequence[float] | Sequence[int]) -> bytes:
    if all(isinstance(value, bytes) for value in values):
        return _field(_BYTES_LIST, b"".join(_field(1, bytes(value)) for value in values))  # type: ignore[arg-type]
    if any(isinstance(value, float) for value in values):
        packed = struct.pack(f"<{len(values)}f", *values)
        return _field(_FLOAT_LIST, _field(1, packed))
    packed = b"".join(_made_varint(int(value) & 0xFFFFFFFFFFFFFFFF) for value in values)
    return _field(_INT_LIST, _field(1, packed))


def _field(number: int, content: bytes) -> bytes:
    return _made_varint(number << 3 | _BYTES) + _made_varint(len(content)) + content


def _made_varint(value: int) -> bytes:
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
