"""What 12- and 16-bit codes of depth cost and lose; a part of `codecs.py`."""

import math
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from merkwelt.streams import ClipDataset
from merkwelt.streams.depth import (
    FARTHEST,
    NEAREST,
    RELATIVE_ERROR,
    codes_to_depth,
    depth_to_codes,
)
from merkwelt.streams.lerobot.coding import encode_codes12
from merkwelt.streams.lerobot.depth12 import depth_of_every_code_m, depth_to_codes12
from merkwelt.streams.video import encode_codes
from torch import Tensor

TWELVE = 4095


@dataclass(frozen=True, kw_only=True)
class DepthCode:
    """A way to store depth ``[time, height, width]``."""

    name: str
    encode: Callable[[Tensor], bytes]
    read_back: Callable[[Tensor], np.ndarray]
    """Depth after storing; what is stored of codes is without loss."""


def depth_rows(clips: ClipDataset, rate_hz: float) -> list[dict[str, Any]]:
    """Return a row for each way to store the depth of clips.

    What a data set holds went through its own codes, so it is spread again over their steps.
    """
    depths = [clips.sample(int(clip)).depth for clip in clips.clip_ids]
    draw = torch.Generator().manual_seed(0)
    eyes = [
        eye * (1 + RELATIVE_ERROR * (2 * torch.rand(eye.shape, generator=draw) - 1))
        for depth in depths
        if depth is not None
        for eye in depth
    ]
    return [_row(code, eyes, len(depths)) for code in _codes(rate_hz)]


def _row(code: DepthCode, eyes: Sequence[Tensor], clips: int) -> dict[str, Any]:
    errors, size, spent_s = [], 0, 0.0
    for eye in eyes:
        started = time.perf_counter()
        size += len(code.encode(eye))
        spent_s += time.perf_counter() - started
        depth = eye.double().numpy()
        known = np.isfinite(depth) & (depth > 0)
        errors.append(np.abs(code.read_back(eye)[known] / depth[known] - 1))
    error = np.concatenate(errors)
    return {
        "code": code.name,
        "bytes_per_clip": size / clips,
        "encode_ms_per_clip": 1000 * spent_s / clips,
        "mean_relative_error": float(error.mean()),
        "largest_relative_error": float(error.max()),
    }


def _codes(rate_hz: float) -> list[DepthCode]:
    span = math.log(FARTHEST / NEAREST)

    def twelve(depth: Tensor) -> np.ndarray:
        clamped = np.clip(depth.double().numpy(), NEAREST, FARTHEST)
        return np.rint(np.log(clamped / NEAREST) / span * TWELVE).astype(np.uint16)

    return [
        DepthCode(
            name="float32, deflated",
            encode=lambda depth: zlib.compress(depth.numpy().tobytes(), 6),
            read_back=lambda depth: depth.double().numpy(),
        ),
        DepthCode(
            name="16 bits log, FFV1 (stored)",
            encode=lambda depth: encode_codes(
                depth_to_codes(depth).numpy().astype(np.uint16), frame_rate_hz=rate_hz
            ),
            read_back=lambda depth: codes_to_depth(depth_to_codes(depth)).double().numpy(),
        ),
        DepthCode(
            name="12 bits log, FFV1, same range",
            encode=lambda depth: encode_codes(twelve(depth), frame_rate_hz=rate_hz),
            read_back=lambda depth: NEAREST * np.exp(twelve(depth) / TWELVE * span),
        ),
        DepthCode(
            name="12 bits log, HEVC, 0.01-100 m (LeRobot export)",
            encode=lambda depth: encode_codes12(
                depth_to_codes12(depth), frame_rate_hz=int(rate_hz)
            ),
            read_back=lambda depth: depth_of_every_code_m()[depth_to_codes12(depth)],
        ),
    ]
