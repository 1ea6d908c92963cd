"""A shuffle without a buffer: a keyed bijection of 0..size-1 that is evaluated one index at a time.

A balanced Feistel network permutes the smallest even-bit domain that holds the indices (Luby and
Rackoff 1988); values that fall outside are sent through again until they fall inside
("cycle walking", Black and Rogaway 2002), which keeps it a bijection.
"""

import hashlib

import numpy as np

ROUNDS = 8


def permute(indices: np.ndarray, *, size: int, key: str) -> np.ndarray:
    """Return where a keyed shuffle of ``0 .. size - 1`` puts each index, int64.

    The same key and size give the same shuffle on every machine.

    Example:
        >>> sorted(permute(np.arange(5), size=5, key="epoch 0").tolist())
        [0, 1, 2, 3, 4]
    """
    indices = np.asarray(indices)
    if size < 1:
        raise ValueError(f"expected something to shuffle, got size {size}")
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise ValueError(
            f"expected indices from 0 to {size - 1}, got {indices.min()} to {indices.max()}"
        )
    half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
    digest = hashlib.sha256(f"feistel/{size}/{key}".encode()).digest()
    seeds = np.frombuffer(digest, dtype="<u4").astype(np.uint64)
    values = _feistel(indices.astype(np.uint64).ravel(), half_bits, seeds)
    outside = np.flatnonzero(values >= size)
    while outside.size:
        values[outside] = _feistel(values[outside], half_bits, seeds)
        outside = outside[values[outside] >= size]
    return values.astype(np.int64).reshape(indices.shape)


def _feistel(values: np.ndarray, half_bits: int, seeds: np.ndarray) -> np.ndarray:
    shift, mask = np.uint64(half_bits), np.uint64((1 << half_bits) - 1)
    left, right = values >> shift, values & mask
    for round_index in range(ROUNDS):
        # The seed's own bits choose the round function, its upper half the constant it adds.
        mixed = _mix(right + (seeds[round_index] << np.uint64(32)) + np.uint64(round_index))
        left, right = right, left ^ (mixed & mask)
    return (left << shift) | right


def _mix(values: np.ndarray) -> np.ndarray:
    """Return values scrambled by SplitMix64's finaliser (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
