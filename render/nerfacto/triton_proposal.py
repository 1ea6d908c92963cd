"""One of nerfacto's proposal passes as a Triton kernel."""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false

import triton
import triton.language as tl

from .triton_layers import encoded_layer
from .triton_sampling import (
    PADDING,
    compositing_weights,
    distance_from_spacing,
    interval,
    optical_depth,
    place,
)


@triton.jit(do_not_specialize=["rays", "size"])
def propose_kernel(
    origins, directions, rays, edges_before, cdf_before, edges, cdf,
    table, resolutions, size, weight, bias, last_weight, last_bias, scale,
    BEFORE: tl.constexpr, STEPS: tl.constexpr, SAMPLES: tl.constexpr, ROOM: tl.constexpr,
    RAYS: tl.constexpr, LEVELS: tl.constexpr, HIDDEN: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Write the pass's edges ``[ray, SAMPLES + 1]`` and cumulated weights ``[ray, SAMPLES]``.

    Edges are spacing coordinates; weights are padded and sum to one, ready for ``quantile``. A
    program takes ``RAYS`` rays of ``ROOM`` samples, a power of two that holds ``SAMPLES``.
    """
    flat = tl.arange(0, RAYS * ROOM)
    sample = flat % ROOM
    ray = tl.program_id(0).to(tl.int64) * RAYS + flat // ROOM
    wanted = (ray < rays) & (sample < SAMPLES)
    low, high = interval(edges_before, cdf_before, ray, sample, wanted, BEFORE, STEPS, SAMPLES)
    to = edges + ray * (SAMPLES + 1) + sample
    tl.store(to, low, mask=wanted)
    tl.store(to + 1, high, mask=wanted & (sample == SAMPLES - 1))
    near, far = distance_from_spacing(low), distance_from_spacing(high)
    x, y, z, inside = place(origins, directions, ray, (near + far) * 0.5, wanted)
    hidden = encoded_layer(
        table, resolutions, size, x, y, z, wanted & inside, weight, bias,
        LEVELS, RAYS * ROOM, HIDDEN, KIND,
    )  # fmt: skip
    # One output is no work for tensor cores, and in single precision it costs nothing.
    last = tl.load(last_weight + tl.arange(0, HIDDEN))[None, :]
    raw = tl.sum(hidden * last, axis=1) + tl.load(last_bias)
    optical = optical_depth(raw, scale, far - near, wanted & inside)
    weights, _ = compositing_weights(tl.reshape(optical, (RAYS, ROOM)))
    padded = tl.where(tl.arange(0, ROOM)[None, :] < SAMPLES, weights + PADDING, 0.0)
    shares = tl.cumsum(padded, axis=1) / tl.sum(padded, axis=1)[:, None]
    tl.store(cdf + ray * SAMPLES + sample, tl.reshape(shares, (RAYS * ROOM,)), mask=wanted)
