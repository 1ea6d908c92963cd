"""CRC-32C (Castagnoli), the checksum of TFRecord files, of many bytes at a time.

The register after a message is linear in the message. So a message is cut into blocks, the
registers of all blocks advance together, and are joined by moving each past the blocks that follow.
"""

from functools import cache

import numpy as np

_POLYNOMIAL = 0x82F63B78
_BLOCK = 256
_SHORT = 64
_FULL = 0xFFFFFFFF
_MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    if len(data) < _SHORT:
        return _one_by_one(data)
    message = np.frombuffer(data, np.uint8).copy()
    # Starting from a register of ones is starting from zero with the first 32 bits inverted,
    # and then zeros in front change nothing.
    message[:4] ^= 0xFF
    blocks = np.pad(message, (-len(message) % _BLOCK, 0)).reshape(-1, _BLOCK)
    registers = _advance(np.zeros(len(blocks), np.uint32), np.ascontiguousarray(blocks.T))
    total, past = 0, _past_a_block()
    for register in registers.tolist():
        total = register ^ (
            past[0][total & 0xFF]
            ^ past[1][total >> 8 & 0xFF]
            ^ past[2][total >> 16 & 0xFF]
            ^ past[3][total >> 24]
        )
    return total ^ _FULL


def masked_crc32c(data: bytes) -> int:
    """Return the CRC-32C as TFRecord stores it: rotated and offset."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _FULL


def _one_by_one(data: bytes) -> int:
    register, table = _FULL, _table()
    for byte in data:
        register = int(table[(register ^ byte) & 0xFF]) ^ register >> 8
    return register ^ _FULL


def _advance(registers: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return registers after one byte of each column, row by row."""
    table = _table()
    for row in columns:
        registers = table[(registers ^ row) & 0xFF] ^ (registers >> 8)
    return registers


@cache
def _table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


@cache
def _past_a_block() -> tuple[list[int], ...]:
    """Return, for each byte of a register, what it becomes after a block of zeros."""
    values = np.arange(256, dtype=np.uint32)
    zeros = np.zeros((_BLOCK, 1), np.uint8)
    return tuple(_advance(values << np.uint32(8 * i), zeros).tolist() for i in range(4))
