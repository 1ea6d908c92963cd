"""Elementary functions whose every bit is the same on every machine.

``np.sin`` and its like, BLAS and C's fused multiply-adds round differently from one processor to
the next, and a clip's poses must not. Here everything is made of additions, multiplications,
divisions and square roots, which IEEE 754 rounds in one way only, one numpy operation at a time.
Series are those of Taylor after exact reductions of the argument; errors stay below 4e-16 relative
to the larger of the result and one.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

Numbers = np.ndarray | float
_HALF_PI = 1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624879595063154e-21
"""Half of pi as a sum: the first two have 33 bits, so that small multiples of them are exact."""
_LOG_2 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SIN = [(-1) ** k / math.factorial(2 * k + 1) for k in range(10)]
_COS = [(-1) ** k / math.factorial(2 * k) for k in range(10)]
_EXP = [1 / math.factorial(k) for k in range(15)]
_ATAN = [(-1) ** k / (2 * k + 1) for k in range(12)]
_LOG = [2 / (2 * k + 1) for k in range(12)]
MOST_SIGMAS = 4.0
FARTHEST = 7.0
SERIES = 110


def _series(coefficients: Sequence[float], x: np.ndarray) -> np.ndarray:
    total = np.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def sin_cos(angle_rad: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """Return sine and cosine, of angles up to some thousand turns."""
    x = np.asarray(angle_rad, dtype=np.float64)
    turns = np.rint(x / (math.pi / 2))
    r = ((x - turns * _HALF_PI[0]) - turns * _HALF_PI[1]) - turns * _HALF_PI[2]
    s, c = r * _series(_SIN, r * r), _series(_COS, r * r)
    quarter = np.mod(turns, 4.0)
    odd = np.mod(quarter, 2.0) == 1
    sine = np.where(odd, c, s) * np.where(quarter >= 2, -1.0, 1.0)
    cosine = np.where(odd, s, c) * np.where((quarter == 1) | (quarter == 2), -1.0, 1.0)
    return sine, cosine


def sin(angle_rad: Numbers) -> np.ndarray:
    """Return the sine."""
    return sin_cos(angle_rad)[0]


def cos(angle_rad: Numbers) -> np.ndarray:
    """Return the cosine."""
    return sin_cos(angle_rad)[1]


def exp(x: Numbers) -> np.ndarray:
    """Return e to the power of ``x``; 0 far below zero."""
    x = np.maximum(np.asarray(x, dtype=np.float64), -700.0)
    twos = np.rint(x / math.log(2))
    r = (x - twos * _LOG_2[0]) - twos * _LOG_2[1]
    return np.where(x > -700.0, np.ldexp(_series(_EXP, r), twos.astype(np.int64)), 0.0)


def log(x: Numbers) -> np.ndarray:
    """Return the natural logarithm of positive numbers."""
    mantissa, twos = np.frexp(np.asarray(x, dtype=np.float64))
    small = mantissa < math.sqrt(0.5)
    mantissa, twos = np.where(small, 2 * mantissa, mantissa), twos - small
    s = (mantissa - 1) / (mantissa + 1)
    return twos * _LOG_2[0] + (s * _series(_LOG, s * s) + twos * _LOG_2[1])


def power(base: Numbers, exponent: float) -> np.ndarray:
    """Return ``base ** exponent``, and 0 where the base is not positive."""
    base = np.asarray(base, dtype=np.float64)
    above = base > 0
    return np.where(above, exp(exponent * log(np.where(above, base, 1.0))), 0.0)


def atan2(y: Numbers, x: Numbers) -> np.ndarray:
    """Return the angle of points (x, y), in (-pi, pi]; 0 at the origin."""
    y, x = np.broadcast_arrays(np.asarray(y, np.float64), np.asarray(x, np.float64))
    high, wide = np.abs(y), np.abs(x)
    steep = high > wide
    longer = np.where(steep, high, wide)
    t = np.where(steep, wide, high) / np.where(longer > 0, longer, 1.0)
    for _ in range(2):
        t = t / (1 + np.sqrt(1 + t * t))
    angle = 4 * t * _series(_ATAN, t * t)
    angle = np.where(steep, math.pi / 2 - angle, angle)
    angle = np.where(x < 0, math.pi - angle, angle)
    return np.where(y < 0, -angle, angle)


def atan(x: Numbers) -> np.ndarray:
    """Return the arc tangent."""
    return atan2(x, 1.0)


def length(vectors: np.ndarray) -> np.ndarray:
    """Return the Euclidean lengths ``[...]`` of ``[..., n]``."""
    return np.sqrt(dot(vectors, vectors))


def dot(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the inner products ``[...]`` of ``[..., n]``, summed in order."""
    total = left[..., 0] * right[..., 0]
    for k in range(1, left.shape[-1]):
        total = total + left[..., k] * right[..., k]
    return total


def rotate(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return ``[..., m, n]`` times ``[..., n]``."""
    return dot(matrices, vectors[..., None, :])


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the matrix products of ``[..., m, k]`` and ``[..., k, n]``."""
    return dot(left[..., :, None, :], np.swapaxes(right, -1, -2)[..., None, :, :])


def interpolate(at: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return ``y`` ``[n, ...]`` at ``at``, linear between ascending ``x`` and constant beyond."""
    if len(x) == 1:
        return np.repeat(y[:1], len(at), axis=0)
    right = np.clip(np.searchsorted(x, at, side="right"), 1, len(x) - 1)
    left = right - 1
    share = np.clip((at - x[left]) / np.maximum(x[right] - x[left], 1e-300), 0.0, 1.0)
    share = share.reshape(share.shape + (1,) * (y.ndim - 1))
    return y[left] + share * (y[right] - y[left])


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Return ``[n, ...]`` convolved with a Gaussian along the first axis, ends held.

    ``sigma`` is in samples; the Gaussian ends at four of them.
    """
    radius = int(MOST_SIGMAS * sigma + 0.5)
    if radius < 1:
        return values.astype(np.float64)
    offset = np.arange(-radius, radius + 1) / sigma
    weights = exp(-0.5 * offset * offset)
    weights = weights / np.cumsum(weights)[-1]
    ends = [(radius, radius)] + [(0, 0)] * (values.ndim - 1)
    padded = np.pad(values.astype(np.float64), ends, mode="edge")
    total = weights[radius] * values
    for k in range(radius):
        # The two sides are added first: a mirrored course gives the mirrored result.
        far = len(padded) - 2 * radius
        total = total + weights[k] * (
            padded[k : k + far] + padded[2 * radius - k : 2 * radius - k + far]
        )
    return total


def normal(rng: np.random.Generator, size: int | tuple[int, ...]) -> np.ndarray:
    """Return standard normal draws (Box and Muller 1958), two uniform numbers for each."""
    shape = (size,) if isinstance(size, int) else size
    share, turn = rng.random(shape), rng.random(shape)
    return np.sqrt(-2 * log(1 - share)) * cos(2 * math.pi * turn)


def normal_share(x: Numbers) -> np.ndarray:
    """Return the share of a standard normal below ``x``, by Marsaglia's series (2004), to 1e-15."""
    x = np.clip(np.asarray(x, dtype=np.float64), -FARTHEST, FARTHEST)
    term = total = x
    for k in range(3, 2 * SERIES, 2):
        term = term * x * x / k
        total = total + term
    return 0.5 + total * normal_density(x)


def normal_density(x: np.ndarray) -> np.ndarray:
    """Return the density of the standard normal."""
    return exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


@cache
def _normal_table() -> tuple[np.ndarray, np.ndarray]:
    at = np.arange(-FARTHEST, FARTHEST, 1 / 64)
    return at, normal_share(at)


def normal_quantile(share: float) -> float:
    """Return the value below which a ``share`` in (0, 1) of a standard normal falls."""
    if share < 0.5:
        return -normal_quantile(1 - share)
    at, below = _normal_table()
    x = interpolate(np.array([share]), below, at)
    for _ in range(3):
        x = x - (normal_share(x) - share) / normal_density(x)
    return float(x[0])
