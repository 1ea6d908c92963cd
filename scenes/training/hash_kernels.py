"""Compiled kernels of the multiresolution hash encoding, as nerfstudio's torch version defines it.

Every level is hashed: the eight corners of a cell are the floor and ceiling of ``x * scaling``, a
corner's entry is ``x ^ y * 2654435761 ^ z * 805459861 mod T`` (Mueller et al. 2022, equation 4),
and two features are interpolated trilinearly. Arrays are float32; ``T`` is a power of two. Corners
are counted in binary: bit 0, 1 and 2 choose the ceiling along x, y and z.

Each kernel compiles at its first call in a process, in a few seconds.
"""

import numba
import numpy as np

FEATURES = 2
"""Features per table entry that the kernels take."""

_PRIME_Y = np.int64(2654435761)
_PRIME_Z = np.int64(805459861)
_ONE = np.float32(1.0)
_FAST = {"contract", "nsz", "arcp"}


@numba.njit(inline="always")
def _corners(positions, sample, scaling, size):  # noqa: ANN001, ANN202
    """Return the eight table entries around a sample and its three offsets within the cell."""
    x = positions[sample, 0] * scaling
    y = positions[sample, 1] * scaling
    z = positions[sample, 2] * scaling
    floor_x, floor_y, floor_z = np.floor(x), np.floor(y), np.floor(z)
    x0, x1 = np.int64(floor_x), np.int64(np.ceil(x))
    y0, y1 = np.int64(floor_y) * _PRIME_Y, np.int64(np.ceil(y)) * _PRIME_Y
    z0, z1 = np.int64(floor_z) * _PRIME_Z, np.int64(np.ceil(z)) * _PRIME_Z
    mask = np.int64(size - 1)
    entries = (
        (x0 ^ y0 ^ z0) & mask,
        (x1 ^ y0 ^ z0) & mask,
        (x0 ^ y1 ^ z0) & mask,
        (x1 ^ y1 ^ z0) & mask,
        (x0 ^ y0 ^ z1) & mask,
        (x1 ^ y0 ^ z1) & mask,
        (x0 ^ y1 ^ z1) & mask,
        (x1 ^ y1 ^ z1) & mask,
    )
    return entries, x - floor_x, y - floor_y, z - floor_z


@numba.njit(inline="always")
def _weights(u, v, w):  # noqa: ANN001, ANN202
    """Return the trilinear weights of the eight corners."""
    s, t, r = _ONE - u, _ONE - v, _ONE - w
    st, ut, sv, uv = s * t, u * t, s * v, u * v
    return st * r, ut * r, sv * r, uv * r, st * w, ut * w, sv * w, uv * w


@numba.njit(fastmath=_FAST, nogil=True)
def _encode_sample(positions, sample, scalings, table, size, encoded):  # noqa: ANN001, ANN202, PLR0913
    for level in range(scalings.shape[0]):
        entries, u, v, w = _corners(positions, sample, scalings[level], size)
        weights = _weights(u, v, w)
        start = level * size
        first, second = np.float32(0.0), np.float32(0.0)
        for corner in range(8):
            entry = start + entries[corner]
            first += weights[corner] * table[entry, 0]
            second += weights[corner] * table[entry, 1]
        encoded[sample, 2 * level] = first
        encoded[sample, 2 * level + 1] = second


@numba.njit(parallel=True, nogil=True)
def encode(positions, scalings, table, size, encoded):  # noqa: ANN001, ANN201
    """Write the features ``[n, 2 * levels]`` of positions ``[n, 3]``, in parallel over samples."""
    for sample in numba.prange(positions.shape[0]):
        _encode_sample(positions, sample, scalings, table, size, encoded)


@numba.njit(fastmath=_FAST, nogil=True)
def _add_level(positions, scaling, level, gradient, size, table_gradient):  # noqa: ANN001, ANN202, PLR0913
    start = level * size
    for sample in range(positions.shape[0]):
        entries, u, v, w = _corners(positions, sample, scaling, size)
        weights = _weights(u, v, w)
        first, second = gradient[sample, 2 * level], gradient[sample, 2 * level + 1]
        for corner in range(8):
            entry = start + entries[corner]
            table_gradient[entry, 0] += weights[corner] * first
            table_gradient[entry, 1] += weights[corner] * second


@numba.njit(parallel=True, nogil=True)
def add_table_gradient(positions, scalings, gradient, size, table_gradient):  # noqa: ANN001, ANN201
    """Add the gradient of the table, in parallel over levels.

    Levels own disjoint parts of the table, so nothing races, and sums run in the same order
    whatever the number of threads.
    """
    for level in numba.prange(scalings.shape[0]):
        _add_level(positions, scalings[level], level, gradient, size, table_gradient)


@numba.njit(fastmath=_FAST, nogil=True)
def _pull_sample(positions, sample, scalings, table, size, gradient, out):  # noqa: ANN001, ANN202, PLR0913
    for level in range(scalings.shape[0]):
        entries, u, v, w = _corners(positions, sample, scalings[level], size)
        first, second = gradient[sample, 2 * level], gradient[sample, 2 * level + 1]
        for corner in range(8):
            entry = level * size + entries[corner]
            pull = (table[entry, 0] * first + table[entry, 1] * second) * scalings[level]
            along_x = u if corner & 1 else _ONE - u
            along_y = v if corner & 2 else _ONE - v
            along_z = w if corner & 4 else _ONE - w
            out[sample, 0] += pull * along_y * along_z * (_ONE if corner & 1 else -_ONE)
            out[sample, 1] += pull * along_x * along_z * (_ONE if corner & 2 else -_ONE)
            out[sample, 2] += pull * along_x * along_y * (_ONE if corner & 4 else -_ONE)


@numba.njit(parallel=True, nogil=True)
def add_position_gradient(positions, scalings, table, size, gradient, out):  # noqa: ANN001, ANN201
    """Add the gradient of the positions ``[n, 3]``, in parallel over samples."""
    for sample in numba.prange(positions.shape[0]):
        _pull_sample(positions, sample, scalings, table, size, gradient, out)
