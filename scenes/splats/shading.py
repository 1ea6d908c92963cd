"""The colour of one Gaussian from one side, compiled; the twin of ``Gaussians.colours``."""

# ruff: noqa: PLR0913, ANN001, ANN201
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import math

from numba import njit

from .gaussians import DC, SIGNS

C1 = math.sqrt(3 / (4 * math.pi))
C2 = math.sqrt(15 / (4 * math.pi))
C3A = math.sqrt(35 / (32 * math.pi))
C3B = math.sqrt(105 / (4 * math.pi))
C3C = math.sqrt(21 / (32 * math.pi))
C20 = math.sqrt(5 / (16 * math.pi))
C30 = math.sqrt(7 / (16 * math.pi))


@njit(cache=True)
def harmonic_basis(x, y, z, terms, basis):
    """Write the first ``terms`` (1, 4, 9 or 16) signed harmonics at a unit vector."""
    basis[0] = DC
    if terms > 1:
        basis[1], basis[2], basis[3] = C1 * y, C1 * z, C1 * x
    if terms > 4:
        basis[4], basis[5], basis[7] = C2 * x * y, C2 * y * z, C2 * x * z
        basis[6], basis[8] = C20 * (3 * z * z - 1), C2 / 2 * (x * x - y * y)
    if terms > 9:
        basis[9], basis[15] = C3A * y * (3 * x * x - y * y), C3A * x * (x * x - 3 * y * y)
        basis[10], basis[14] = C3B * x * y * z, C3B / 2 * z * (x * x - y * y)
        basis[11], basis[13] = C3C * y * (5 * z * z - 1), C3C * x * (5 * z * z - 1)
        basis[12] = C30 * z * (5 * z * z - 3)
    for k in range(terms):
        basis[k] *= SIGNS[k]


@njit(cache=True)
def add_colour(weight, harmonics, x, y, z, basis, rgb):
    """Add ``weight`` times the colour of a Gaussian seen along a unit vector to ``rgb [3]``."""
    terms = harmonics.shape[0]
    harmonic_basis(x, y, z, terms, basis)
    for channel in range(3):
        colour = 0.5
        for k in range(terms):
            colour += basis[k] * harmonics[k, channel]
        rgb[channel] += weight * max(colour, 0.0)
