"""nerfacto's last pass as a Triton kernel: densities, colours and what each ray sees."""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false

import triton
import triton.language as tl

from .triton_layers import encoded_layer, layer, weight_block
from .triton_sampling import (
    compositing_weights,
    distance_from_spacing,
    interval,
    optical_depth,
    place,
)

HARMONICS = tl.constexpr(16)
OUTPUTS = tl.constexpr(6)
COLUMNS = tl.constexpr(16)
"""Outputs of the networks' last layers, padded to what tensor cores make."""
LAST_SAMPLE = tl.constexpr(1)
WHITE = tl.constexpr(2)
TINY = tl.constexpr(1e-10)


@triton.jit
def harmonics(x, y, z):
    """Return ``[ray, 16]`` values of ``scenes.spherical_harmonics`` at directions ``[ray, 1]``."""
    column = tl.arange(0, HARMONICS)[None, :]
    xx, yy, zz = x * x, y * y, z * z
    out = tl.where(column == 0, 0.28209479177387814, 0.4886025119029199 * y)
    out = tl.where(column == 2, 0.4886025119029199 * z, out)
    out = tl.where(column == 3, 0.4886025119029199 * x, out)
    out = tl.where(column == 4, 1.0925484305920792 * x * y, out)
    out = tl.where(column == 5, 1.0925484305920792 * y * z, out)
    out = tl.where(column == 6, 0.31539156525252005 * (3.0 * zz - 1.0), out)
    out = tl.where(column == 7, 1.0925484305920792 * x * z, out)
    out = tl.where(column == 8, 0.5462742152960396 * (xx - yy), out)
    out = tl.where(column == 9, 0.5900435899266435 * y * (3.0 * xx - yy), out)
    out = tl.where(column == 10, 2.890611442640554 * x * y * z, out)
    out = tl.where(column == 11, 0.4570457994644658 * y * (5.0 * zz - 1.0), out)
    out = tl.where(column == 12, 0.3731763325901154 * z * (5.0 * zz - 3.0), out)
    out = tl.where(column == 13, 0.4570457994644658 * x * (5.0 * zz - 1.0), out)
    out = tl.where(column == 14, 1.445305721320277 * z * (xx - yy), out)
    return tl.where(column == 15, 0.5900435899266435 * x * (xx - 3.0 * yy), out)


@triton.jit
def _seen_from(directions, rays, RAYS: tl.constexpr, ROOM: tl.constexpr):
    """Return ``[RAYS * ROOM, 16]`` harmonics of each sample's ray at ``(direction + 1) / 2``."""
    ray = (tl.program_id(0).to(tl.int64) * RAYS + tl.arange(0, RAYS))[:, None]
    x = (tl.load(directions + ray * 3, mask=ray < rays, other=0.0) + 1.0) * 0.5
    y = (tl.load(directions + ray * 3 + 1, mask=ray < rays, other=0.0) + 1.0) * 0.5
    z = (tl.load(directions + ray * 3 + 2, mask=ray < rays, other=0.0) + 1.0) * 0.5
    of_ray = harmonics(x, y, z)[:, None, :]
    of_sample = tl.broadcast_to(of_ray, (RAYS, ROOM, HARMONICS))
    return tl.reshape(of_sample, (RAYS * ROOM, HARMONICS))


@triton.jit
def _colours(
    seen, geometry, weight_0, geometry_weight, bias_0, weight_1, bias_1, weight_2, bias_2,
    DEEP_0: tl.constexpr, DEEP_1: tl.constexpr, GEOMETRY: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Return ``[sample, 16]`` whose first three columns are colours in [0, 1].

    The first layer's weight comes in two parts, so that harmonics and geometry need not be put
    side by side; that of the geometry's first column, the density, is zero.
    """
    x = layer(geometry, geometry_weight, bias_0, GEOMETRY, DEEP_0, KIND)
    factor = weight_block(weight_0, HARMONICS, DEEP_0, KIND)
    x = tl.maximum(tl.dot(seen.to(KIND), factor, x, input_precision="ieee"), 0.0)
    x = tl.maximum(layer(x, weight_1, bias_1, DEEP_0, DEEP_1, KIND), 0.0)
    return tl.sigmoid(layer(x, weight_2, bias_2, DEEP_1, COLUMNS, KIND))


@triton.jit
def composite(
    optical, rgb, middle,
    BACKGROUND: tl.constexpr, SAMPLES: tl.constexpr, ROOM: tl.constexpr, RAYS: tl.constexpr,
):  # fmt: skip
    """Return ``[RAYS, 16]``: colour, expected and median distance, opacity, and nothing.

    ``optical`` and ``middle`` are ``[RAYS, ROOM]``, ``rgb`` is ``[RAYS * ROOM, 16]``.
    """
    sample = tl.arange(0, ROOM)[None, :]
    weights, cumulated = compositing_weights(optical)
    opacity = tl.sum(weights, axis=1)
    expected = tl.sum(weights * middle, axis=1) / (opacity + TINY)
    first = tl.sum(tl.where(sample == 0, middle, 0.0), axis=1)
    last = tl.sum(tl.where(sample == SAMPLES - 1, middle, 0.0), axis=1)
    expected = tl.minimum(tl.maximum(expected, first), last)
    # The interval behind which half of the light is left, the last one if more is left there.
    dim = (tl.exp(-cumulated) > 0.5) & (sample < SAMPLES - 1)
    reached = tl.sum(dim.to(tl.int32), axis=1)
    median = tl.sum(tl.where(sample == reached[:, None], middle, 0.0), axis=1)
    left = 1.0 - opacity
    if BACKGROUND == LAST_SAMPLE:
        weights += tl.where(sample == SAMPLES - 1, left[:, None], 0.0)
    weighted = tl.reshape(weights, (RAYS * ROOM,))[:, None] * rgb
    colour = tl.sum(tl.reshape(weighted, (RAYS, ROOM, COLUMNS)), axis=1)
    if BACKGROUND == WHITE:
        colour += left[:, None]
    column = tl.arange(0, COLUMNS)[None, :]
    out = tl.where(column == 3, expected[:, None], tl.minimum(tl.maximum(colour, 0.0), 1.0))
    out = tl.where(column == 4, median[:, None], out)
    return tl.where(column == 5, tl.minimum(tl.maximum(opacity, 0.0), 1.0)[:, None], out)


@triton.jit(do_not_specialize=["rays", "size"])
def shade_kernel(
    origins, directions, rays, edges_before, cdf_before, out, table, resolutions, size,
    base_weight_0, base_bias_0, base_weight_1, base_bias_1,
    head_weight_0, head_geometry_weight, head_bias_0,
    head_weight_1, head_bias_1, head_weight_2, head_bias_2, scale,
    BEFORE: tl.constexpr, STEPS: tl.constexpr, SAMPLES: tl.constexpr, ROOM: tl.constexpr,
    RAYS: tl.constexpr, LEVELS: tl.constexpr, HIDDEN: tl.constexpr, GEOMETRY: tl.constexpr,
    DEEP_0: tl.constexpr, DEEP_1: tl.constexpr, BACKGROUND: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Write ``out [ray, 6]``: colour, expected and median distance, opacity; in field units."""
    flat = tl.arange(0, RAYS * ROOM)
    sample = flat % ROOM
    ray = tl.program_id(0).to(tl.int64) * RAYS + flat // ROOM
    wanted = (ray < rays) & (sample < SAMPLES)
    low, high = interval(edges_before, cdf_before, ray, sample, wanted, BEFORE, STEPS, SAMPLES)
    near, far = distance_from_spacing(low), distance_from_spacing(high)
    middle = (near + far) * 0.5
    x, y, z, inside = place(origins, directions, ray, middle, wanted)
    # Samples out of reach are looked up in the cube's corner, as by the reference: one of them
    # may be the background.
    hidden = encoded_layer(
        table, resolutions, size, x, y, z, wanted, base_weight_0, base_bias_0,
        LEVELS, RAYS * ROOM, HIDDEN, KIND,
    )  # fmt: skip
    geometry = layer(hidden, base_weight_1, base_bias_1, HIDDEN, GEOMETRY, KIND)
    is_density = tl.arange(0, GEOMETRY)[None, :] == 0
    raw = tl.sum(tl.where(is_density, geometry, 0.0), axis=1)
    optical = optical_depth(raw, scale, far - near, wanted & inside)
    rgb = _colours(
        _seen_from(directions, rays, RAYS, ROOM), geometry, head_weight_0, head_geometry_weight,
        head_bias_0, head_weight_1, head_bias_1, head_weight_2, head_bias_2,
        DEEP_0, DEEP_1, GEOMETRY, KIND,
    )  # fmt: skip
    seen = composite(
        tl.reshape(optical, (RAYS, ROOM)), rgb, tl.reshape(middle, (RAYS, ROOM)),
        BACKGROUND, SAMPLES, ROOM, RAYS,
    )  # fmt: skip
    column = tl.arange(0, COLUMNS)[None, :]
    to = (tl.program_id(0).to(tl.int64) * RAYS + tl.arange(0, RAYS))[:, None]
    tl.store(out + to * OUTPUTS + column, seen, mask=(to < rays) & (column < OUTPUTS))
