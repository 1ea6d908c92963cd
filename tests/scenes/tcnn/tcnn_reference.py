"""nerfacto by tiny-cuda-nn's formulas, one number at a time, straight from the flat vectors.

Müller et al. 2022, section 3. Written apart from the product: plain loops, its own offsets.
"""

import math

import numpy as np
import torch

GROUP = 16


def up(value, multiple):
    return (value + multiple - 1) // multiple * multiple


def level_shapes(levels, base, top, log2_size):
    """(scale, resolution, entries) of each level."""
    growth = np.float32(np.exp((np.log(top) - np.log(base)) / (levels - 1)))
    shapes = []
    for level in range(levels):
        scale = float(np.float32(2.0) ** np.float32(level * np.log2(growth)) * base - 1)
        resolution = math.ceil(scale) + 1
        shapes.append((scale, resolution, min(up(resolution**3, 8), 2**log2_size)))
    return shapes


def encode(point, flat, levels, base, top, log2_size, features=2):
    """Features of one point in [0, 1]^3 and how many numbers of ``flat`` the grid takes."""
    out, start = [], 0
    for scale, resolution, entries in level_shapes(levels, base, top, log2_size):
        at = [scale * float(c) + 0.5 for c in point]
        low = [math.floor(c) for c in at]
        total = [0.0] * features
        for dx in (0, 1):
            for dy in (0, 1):
                for dz in (0, 1):
                    x, y, z = low[0] + dx, low[1] + dy, low[2] + dz
                    if resolution**3 <= entries:
                        row = (x + y * resolution + z * resolution * resolution) % entries
                    else:
                        mixed = x ^ (y * 2654435761 % 2**32) ^ (z * 805459861 % 2**32)
                        row = mixed % entries
                    share = 1.0
                    for c, below, d in zip(at, low, (dx, dy, dz), strict=True):
                        share *= (c - below) if d else 1 - (c - below)
                    for f in range(features):
                        total[f] += share * float(flat[start + row * features + f])
        out += total
        start += entries * features
    return out, start


def network_size(inputs, width, hidden, outputs):
    return width * up(inputs, GROUP) + (hidden - 1) * width * width + up(outputs, GROUP) * width


def network(values, flat, width, hidden, outputs, padding):
    """Outputs of a network without biases, its matrices row by row one after the other."""
    x = list(values) + [padding] * (up(len(values), GROUP) - len(values))
    start = 0
    for layer in range(hidden + 1):
        rows = width if layer < hidden else up(outputs, GROUP)
        y = []
        for row in range(rows):
            total = 0.0
            for column, value in enumerate(x):
                total += float(flat[start + row * len(x) + column]) * value
            y.append(max(total, 0.0) if layer < hidden else total)
        start += rows * len(x)
        x = y
    return x[:outputs]


def harmonics(d):
    """The first sixteen real spherical harmonics with the Condon-Shortley sign, by their names."""
    from scipy.special import sph_harm_y

    theta, phi = math.acos(max(-1.0, min(1.0, d[2]))), math.atan2(d[1], d[0])
    out = []
    for degree in range(4):
        for order in range(-degree, degree + 1):
            y = sph_harm_y(degree, abs(order), theta, phi)
            out.append(y.real if order == 0 else math.sqrt(2) * (y.real if order > 0 else y.imag))
    return out


def unit_cube(point):
    largest = max(abs(float(c)) for c in point)
    shrink = 1.0 if largest < 1 else (2 - 1 / largest) / largest
    return [(float(c) * shrink + 2) / 4 for c in point]


def numbers(count, seed, scale):
    return scale * torch.randn(count, generator=torch.Generator().manual_seed(seed))


def grid_size(shape):
    return 2 * sum(entries for _, _, entries in level_shapes(**shape))
