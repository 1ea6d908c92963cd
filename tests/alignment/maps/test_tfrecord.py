"""TFRecord framing against published check values and a byte-by-byte reference."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from merkwelt.alignment.maps.crc32c import crc32c, masked_crc32c
from merkwelt.alignment.maps.example_proto import make_example, parse_example
from merkwelt.alignment.maps.tfrecord import (
    DamagedRecord,
    framed,
    read_records,
    scan_records,
    write_records,
)

PAYLOADS = [b"", b"a", b"four", b"x" * 1000]


def _reference_crc32c(data: bytes) -> int:
    """Bit by bit, from the definition."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def test_published_check_values():
    assert crc32c(b"123456789") == 0xE3069283
    assert masked_crc32c(b"123456789") == 0xC78AB0E5
    assert masked_crc32c(struct.pack("<Q", 9)) == 0x3971F937


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=700))
def test_checksum_equals_the_definition(data):
    assert crc32c(data) == _reference_crc32c(data)


def test_framing_by_hand():
    expected = struct.pack("<QI", 9, 0x3971F937) + b"123456789" + struct.pack("<I", 0xC78AB0E5)
    assert framed(b"123456789") == expected


def _written(tmp_path):
    path = tmp_path / "some.tfrecords"
    assert write_records(path, PAYLOADS) == len(PAYLOADS)
    return path


def test_records_come_back(tmp_path):
    assert list(read_records(_written(tmp_path))) == PAYLOADS


def test_every_flipped_bit_is_noticed(tmp_path):
    path = tmp_path / "bits.tfrecords"
    whole = framed(b"ab") + framed(b"cd")
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        index = bit // 8 * 2 // len(whole)
        with pytest.raises(ValueError, match=f"record {index}"):
            list(read_records(path))


def test_every_cut_is_noticed_with_the_record(tmp_path):
    path = tmp_path / "cut.tfrecords"
    one = framed(b"ab")
    for length in range(1, 2 * len(one)):
        if length == len(one):
            continue
        path.write_bytes((one + one)[:length])
        index = length // len(one)
        with pytest.raises(ValueError, match=rf"cut\.tfrecords: record {index} is cut off"):
            list(read_records(path))


def test_damaged_content_loses_one_record_and_a_damaged_length_the_rest(tmp_path):
    path = _written(tmp_path)
    content = bytearray(path.read_bytes())
    second = len(framed(PAYLOADS[0]))
    content[second + 12] ^= 1
    path.write_bytes(content)
    found = list(scan_records(path))
    assert [isinstance(record, DamagedRecord) for record in found] == [False, True, False, False]
    content[second + 2] ^= 1
    path.write_bytes(content)
    first, lost = scan_records(path)
    assert first == b""
    assert isinstance(lost, DamagedRecord)
    assert lost.ends_file


FEATURES = st.dictionaries(
    st.text(max_size=5),
    st.one_of(
        st.lists(st.binary(max_size=20), min_size=1, max_size=3),
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3),
        st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=3),
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(FEATURES)
def test_examples_come_back(features):
    expected = {key: tuple(values) for key, values in features.items()}
    assert parse_example(make_example(features)) == expected


def test_packed_and_single_values_by_hand():
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    def example(feature: bytes) -> bytes:
        return field(1, field(1, field(1, b"k") + field(2, feature)))

    assert parse_example(example(field(3, field(1, b"\x05\xac\x02")))) == {"k": (5, 300)}
    assert parse_example(example(field(3, b"\x08\x05\x08\xac\x02"))) == {"k": (5, 300)}
    minus_one = b"\x08" + b"\xff" * 9 + b"\x01"
    assert parse_example(example(field(3, minus_one))) == {"k": (-1,)}
    half = struct.pack("<f", 0.5)
    assert parse_example(example(field(2, field(1, half + half)))) == {"k": (0.5, 0.5)}
    assert parse_example(example(field(2, b"\x0d" + half))) == {"k": (0.5,)}
    assert parse_example(example(b"")) == {"k": ()}


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_other_bytes_give_features_or_a_value_error(data):
    with suppress(ValueError):
        parse_example(data)
