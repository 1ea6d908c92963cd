"""Layers of small networks on tensor cores: half inputs, sums in single precision."""

# ruff: noqa: PLR0913, ANN001, ANN201, ANN202
# pyright: basic, reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false

import triton
import triton.language as tl

from .triton_hash import INPUTS_AT_ONCE, LEVELS_AT_ONCE, hash_features


@triton.jit
def weight_block(weight, INPUTS: tl.constexpr, OUTPUTS: tl.constexpr, KIND: tl.constexpr):
    """Return ``[INPUTS, OUTPUTS]`` weights of a layer as ``KIND``."""
    rows = tl.arange(0, INPUTS)[:, None] * OUTPUTS
    return tl.load(weight + rows + tl.arange(0, OUTPUTS)[None, :]).to(KIND)


@triton.jit
def layer(x, weight, bias, INPUTS: tl.constexpr, OUTPUTS: tl.constexpr, KIND: tl.constexpr):
    """Return ``x [sample, INPUTS] @ weight + bias``, float32 ``[sample, OUTPUTS]``.

    ``KIND`` is the type of the factors: float16 for tensor cores, float32 to check against.
    """
    factor = weight_block(weight, INPUTS, OUTPUTS, KIND)
    out = tl.dot(x.to(KIND), factor, input_precision="ieee")
    return out + tl.load(bias + tl.arange(0, OUTPUTS))[None, :]


@triton.jit
def encoded_layer(
    table, resolutions, size, x, y, z, wanted, weight, bias,
    LEVELS: tl.constexpr, SAMPLES: tl.constexpr, OUTPUTS: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Return the first layer of a network on hash features, rectified, ``[SAMPLES, OUTPUTS]``.

    Eight levels at a time, so that registers hold few rows; ``weight`` has 16 inputs for each.
    """
    out = tl.zeros((SAMPLES, OUTPUTS), dtype=tl.float32)
    for block in tl.static_range((LEVELS + LEVELS_AT_ONCE - 1) // LEVELS_AT_ONCE):
        first = block * LEVELS_AT_ONCE
        found = hash_features(table, resolutions, size, x, y, z, wanted, first, LEVELS, SAMPLES)
        at = weight + block * INPUTS_AT_ONCE * OUTPUTS
        factor = weight_block(at, INPUTS_AT_ONCE, OUTPUTS, KIND)
        out = tl.dot(found.to(KIND), factor, out, input_precision="ieee")
    return tl.maximum(out + tl.load(bias + tl.arange(0, OUTPUTS))[None, :], 0.0)
