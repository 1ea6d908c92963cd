"""Arithmetic on tiles of 64 numbers, the shape that compilers turn into vector instructions.

A tile holds one quantity of 64 samples; a network's layer takes ``[input, 64]`` to
``[output, 64]``. Arrays are flat, because the compiler then sees that rows do not overlap.
"""

# Kernels take flat argument lists by nature of the compiler.
# ruff: noqa: PLR0913, ANN001, ANN201
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
from numba import njit

TILE = 64
QUAD = 4
"""Layers are padded to multiples of four inputs and outputs; padded weights are zero."""
NON_NEGATIVE = 0x7FFFFFFF
"""An index masked by this is seen to be no index from the end, which would forbid vectors."""
FAST = {"contract", "reassoc", "nsz", "arcp"}

ZERO = np.float32(0)
HALF = np.float32(0.5)
ONE = np.float32(1)
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH = np.float32(0.693359375)
LN2_LOW = np.float32(-2.12194440e-4)
LEAST_EXPONENT = np.float32(-87)
MOST_EXPONENT = np.float32(88)
# exp(r) = 1 + r + r^2 q(r) on |r| <= ln(2) / 2, coefficients 1/k! fitted to single precision
# (Moshier 1989, Cephes, expf).
EXP_5 = np.float32(1.9875691500e-4)
EXP_4 = np.float32(1.3981999507e-3)
EXP_3 = np.float32(8.3334519073e-3)
EXP_2 = np.float32(4.1665795894e-2)
EXP_1 = np.float32(1.6666665459e-1)
EXP_0 = np.float32(5.0000001201e-1)


@njit(cache=True, fastmath=FAST, inline="always")
def exp(x):
    """Return e^x of a float32 to 2e-7, without a call, so that loops over it become vectors."""
    x = min(max(x, LEAST_EXPONENT), MOST_EXPONENT)
    power = np.floor(x * LOG2_E + HALF)
    r = x - power * LN2_HIGH - power * LN2_LOW
    q = EXP_5
    q = q * r + EXP_4
    q = q * r + EXP_3
    q = q * r + EXP_2
    q = q * r + EXP_1
    q = q * r + EXP_0
    q = q * r * r + r + ONE
    return q * np.int32((np.int32(power) + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(cache=True, fastmath=FAST)
def layer(x, inputs, weight, bias, outputs, out):
    """Write ``out [output, 64] = bias + weight.T @ x [input, 64]``.

    ``weight`` is flat ``[input, output]``; both counts are multiples of four. Sixteen products a
    step keep the arithmetic ahead of the memory.
    """
    for j in range(0, outputs, QUAD):
        to = (j * TILE) & NON_NEGATIVE
        b0, b1, b2, b3 = bias[j], bias[j + 1], bias[j + 2], bias[j + 3]
        for i in range(TILE):
            out[to + i] = b0
            out[to + TILE + i] = b1
            out[to + 2 * TILE + i] = b2
            out[to + 3 * TILE + i] = b3
        for k in range(0, inputs, QUAD):
            at = k * outputs + j
            p0, p1, p2, p3 = weight[at], weight[at + 1], weight[at + 2], weight[at + 3]
            at += outputs
            q0, q1, q2, q3 = weight[at], weight[at + 1], weight[at + 2], weight[at + 3]
            at += outputs
            r0, r1, r2, r3 = weight[at], weight[at + 1], weight[at + 2], weight[at + 3]
            at += outputs
            s0, s1, s2, s3 = weight[at], weight[at + 1], weight[at + 2], weight[at + 3]
            of = (k * TILE) & NON_NEGATIVE
            for i in range(TILE):
                a, b = x[of + i], x[of + TILE + i]
                c, d = x[of + 2 * TILE + i], x[of + 3 * TILE + i]
                out[to + i] += a * p0 + b * q0 + c * r0 + d * s0
                out[to + TILE + i] += a * p1 + b * q1 + c * r1 + d * s1
                out[to + 2 * TILE + i] += a * p2 + b * q2 + c * r2 + d * s2
                out[to + 3 * TILE + i] += a * p3 + b * q3 + c * r3 + d * s3


@njit(cache=True, fastmath=FAST)
def rectify(x, rows):
    """Replace negative numbers by zero."""
    for i in range((rows * TILE) & NON_NEGATIVE):
        x[i] = max(x[i], ZERO)


@njit(cache=True, fastmath=FAST)
def transmit(raw, width, scale):
    """Replace 64 interval widths by the shares of light that pass them.

    The density is ``scale * exp(raw)`` (Mildenhall et al. 2020, equation 3).
    """
    for i in range(TILE):
        width[i] = exp(-scale * exp(raw[i]) * width[i])
