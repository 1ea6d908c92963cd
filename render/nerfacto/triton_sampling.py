"""Intervals along rays for Triton kernels: where they lie, and the weights that they have.

The arithmetic of ``scenes/proposal_sampling.py``. A program's samples are flat, ``RAYS`` rays of
``ROOM`` samples each, of which the first ``SAMPLES`` exist.
"""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false

import triton
import triton.language as tl

from .triton_hash import unit_cube

PADDING = tl.constexpr(0.01)
"""Added to every weight before quantiles are taken, ``proposal_sampling.HISTOGRAM_PADDING``."""
MOST_RAW = tl.constexpr(80.0)
"""Keeps densities finite, so that one times an interval of no width is nothing."""
MOST_OPTICAL = tl.constexpr(40.0)
"""Thicker intervals pass e^-40 of the light, which is none; a small limit keeps the sum of all
intervals before one exact when it is taken as a difference."""


@triton.jit
def distance_from_spacing(spacing):
    """Return distances: linear up to 1, in disparity beyond."""
    return tl.where(spacing < 0.5, 2.0 * spacing, 1.0 / (2.0 - 2.0 * tl.maximum(spacing, 0.5)))


@triton.jit
def quantile(edges, cdf, u, wanted, BEFORE: tl.constexpr, STEPS: tl.constexpr):
    """Return the spacing coordinate at which a ray's cumulated weights reach ``u``.

    Args:
        edges: pointers to each sample's ray's edges ``[BEFORE + 1]``.
        cdf: pointers to its cumulated weights at the intervals' ends ``[BEFORE]``.
        u: the share of weight, in [0, 1).
        wanted: samples that exist.
        BEFORE: intervals.
        STEPS: halvings that find one among ``BEFORE``.
    """
    # How many intervals end at or before u; the last one never counts, it takes what is left.
    below = tl.zeros_like(u).to(tl.int32)
    for step in tl.static_range(STEPS):
        further = below + (1 << (STEPS - 1 - step))
        reachable = wanted & (further < BEFORE)
        end = tl.load(cdf + (further - 1), mask=reachable, other=2.0)
        below = tl.where(end <= u, further, below)
    low = tl.load(edges + below, mask=wanted, other=0.0)
    high = tl.load(edges + below + 1, mask=wanted, other=0.0)
    start = tl.load(cdf + below - 1, mask=wanted & (below > 0), other=0.0)
    end = tl.load(cdf + below, mask=wanted, other=1.0)
    share = tl.minimum(tl.maximum((u - start) / (end - start), 0.0), 1.0)
    return low + share * (high - low)


@triton.jit
def interval(
    edges, cdf, ray, sample, wanted,
    BEFORE: tl.constexpr, STEPS: tl.constexpr, SAMPLES: tl.constexpr,
):  # fmt: skip
    """Return the spacing coordinates between which each sample lies.

    In the first pass (``BEFORE`` 0) they are ``edges [SAMPLES + 1]`` for every ray; later even
    quantiles of the pass before, whose edges and cumulated weights are given for every ray.
    """
    if BEFORE == 0:
        low = tl.load(edges + sample, mask=wanted, other=0.0)
        high = tl.load(edges + sample + 1, mask=wanted, other=0.0)
    else:
        of_ray, weights_of_ray = edges + ray * (BEFORE + 1), cdf + ray * BEFORE
        step = 1.0 / (SAMPLES + 1)
        number = sample.to(tl.float32)
        low = quantile(of_ray, weights_of_ray, (number + 0.5) * step, wanted, BEFORE, STEPS)
        high = quantile(of_ray, weights_of_ray, (number + 1.5) * step, wanted, BEFORE, STEPS)
    return low, high


@triton.jit
def place(origins, directions, ray, middle, wanted):
    """Return each sample's position in the unit cube, per axis, and whether it is inside."""
    x = tl.load(origins + ray * 3, mask=wanted, other=0.0)
    y = tl.load(origins + ray * 3 + 1, mask=wanted, other=0.0)
    z = tl.load(origins + ray * 3 + 2, mask=wanted, other=0.0)
    x += middle * tl.load(directions + ray * 3, mask=wanted, other=0.0)
    y += middle * tl.load(directions + ray * 3 + 1, mask=wanted, other=0.0)
    z += middle * tl.load(directions + ray * 3 + 2, mask=wanted, other=0.0)
    return unit_cube(x, y, z)


@triton.jit
def optical_depth(raw, scale, width, absorbs):
    """Return density times width, the density being ``scale * exp(raw)``; 0 where not absorbing."""
    density = scale * tl.exp(tl.minimum(raw, MOST_RAW))
    return tl.where(absorbs, tl.minimum(density * width, MOST_OPTICAL), 0.0)


@triton.jit
def compositing_weights(optical):
    """Return weights ``[ray, sample]`` and what is cumulated, both of optical depths of that shape.

    Mildenhall et al. 2020, equation 3.
    """
    cumulated = tl.cumsum(optical, axis=1)
    return (1.0 - tl.exp(-optical)) * tl.exp(optical - cumulated), cumulated
