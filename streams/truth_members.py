"""A clip's ground truth as members of a shard, and back.

One FFV1 video of grey codes for each eye and quantity; flow has its x component above its y
component in one picture. The codes are those of `truth_codes` and, for expected depth, of `depth`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..render.truth.quantities import Fate, Quantity, Target, Truth
from . import truth_codes as codes
from .depth import codes_to_depth, depth_to_codes
from .video import decode_codes, encode_codes

EYES = ("left", "right")


@dataclass(frozen=True, kw_only=True)
class _Coding:
    """How one field of `Truth` is stored."""

    quantity: Quantity
    encode: Callable[[Tensor], Tensor]
    """From ``[time, ..., h, w]`` to codes ``[time, h', w]``."""
    decode: Callable[[Tensor], Tensor]
    bits: int
    meaning: str


def _flow_to_codes(flow: Tensor) -> Tensor:
    time, _, height, width = flow.shape
    coded = codes.displacement_to_codes(flow, codes.steps_per_px(max(height, width)))
    return coded.reshape(time, 2 * height, width)


def _codes_to_flow(coded: Tensor) -> Tensor:
    time, double, width = coded.shape
    steps = codes.steps_per_px(max(double // 2, width))
    return codes.codes_to_displacement(coded.reshape(time, 2, double // 2, width), steps)


def _steps(picture: Tensor) -> int:
    return codes.steps_per_px(max(picture.shape[-2:]))


_STEPS = (
    "32768 + pixels * steps, 0 where there is none; steps is the largest power of two that is at "
    "most 32767 / the picture's longer side"
)
_FLOW = f"target minus source, x above y in one picture: {_STEPS}"
_SHARE = "share * 255"
_CODINGS: dict[str, _Coding] = {
    "expected_depth": _Coding(
        quantity="expected_depth",
        encode=depth_to_codes,
        decode=codes_to_depth,
        bits=16,
        meaning="expected z-depth in world units, coded like depth",
    ),
    "opacity": _Coding(
        quantity="opacity",
        encode=codes.share_to_codes,
        decode=codes.codes_to_share,
        bits=8,
        meaning=_SHARE,
    ),
    "confidence": _Coding(
        quantity="confidence",
        encode=codes.share_to_codes,
        decode=codes.codes_to_share,
        bits=8,
        meaning=_SHARE,
    ),
    "flow_forward": _Coding(
        quantity="flow", encode=_flow_to_codes, decode=_codes_to_flow, bits=16, meaning=_FLOW
    ),
    "flow_backward": _Coding(
        quantity="flow", encode=_flow_to_codes, decode=_codes_to_flow, bits=16, meaning=_FLOW
    ),
    "disparity": _Coding(
        quantity="disparity",
        encode=lambda picture: codes.displacement_to_codes(picture, _steps(picture)),
        decode=lambda coded: codes.codes_to_displacement(coded, _steps(coded)),
        bits=16,
        meaning=f"x_left - x_right: {_STEPS}",
    ),
    "masks": _Coding(
        quantity="masks",
        encode=codes.masks_to_codes,
        decode=lambda coded: codes.codes_to_masks(coded, len(Target)),
        bits=8,
        meaning="two bits for each of "
        + ", ".join(target.name.lower() for target in Target)
        + ", lowest first: "
        + ", ".join(f"{fate.value} {fate.name.lower()}" for fate in Fate),
    ),
    "ids": _Coding(
        quantity="ids",
        encode=codes.ids_to_codes,
        decode=codes.codes_to_ids,
        bits=16,
        meaning="1 + place in objects, 0 for everything else",
    ),
}

TRUTH_STREAMS: dict[str, tuple[str, ...]] = {
    name: tuple(f"{name}_{eye}.mkv" for eye in EYES) for name in _CODINGS
}
"""Every field of ``Truth`` and the members that hold it."""
TRUTH_MEMBERS = tuple(member for members in TRUTH_STREAMS.values() for member in members)


def streams_of(quantities: Sequence[str]) -> tuple[str, ...]:
    """Return the fields of ``Truth`` that hold these quantities: flow is held by two."""
    return tuple(name for name, coding in _CODINGS.items() if coding.quantity in quantities)


def encode_truth(truth: Truth, shape: tuple[int, ...], *, frame_rate_hz: float) -> dict[str, bytes]:
    """Return the members that hold a clip's ground truth, by name; equal truth, equal bytes.

    Args:
        truth: what the clip carries.
        shape: eyes, frames, height and width of the clip.
        frame_rate_hz: frames per second.

    Raises:
        ValueError: a quantity does not have the clip's shape.
    """
    members = {}
    for name, tensor in truth.held().items():
        if (*tensor.shape[:2], *tensor.shape[-2:]) != shape:
            raise ValueError(f"expected {name} of a clip {shape}, got {tuple(tensor.shape)}")
        coding = _CODINGS[name]
        kind = np.uint8 if coding.bits == 8 else np.uint16
        for member, values in zip(TRUTH_STREAMS[name], tensor.cpu(), strict=False):
            coded = coding.encode(values).numpy().astype(kind)
            members[member] = encode_codes(coded, frame_rate_hz=frame_rate_hz)
    return members


def decode_truth_eyes(
    members: Mapping[str, bytes], name: str, wanted: Sequence[int] | None = None
) -> Tensor:
    """Return one field of ``Truth``, ``[eye, time, ..., h, w]``, from members that hold it.

    ``wanted`` are the ascending numbers of the frames to return; None for all.
    """
    coding = _CODINGS[name]
    held = [members[member] for member in TRUTH_STREAMS[name] if member in members]
    read = (torch.from_numpy(_signed(decode_codes(data, wanted))) for data in held)
    return torch.stack([coding.decode(coded) for coded in read])


def truth_meta(truth: Truth) -> dict[str, Any]:
    """Return what is written about ground truth beside it; nothing if there is none."""
    held = truth.held()
    if not held:
        return {}
    meta: dict[str, Any] = {"truth_codes": {name: _CODINGS[name].meaning for name in held}}
    if truth.objects:
        meta["objects"] = list(truth.objects)
    return meta


def _signed(coded: np.ndarray) -> np.ndarray:
    """Return 16-bit codes in a type that torch can calculate with."""
    return coded.astype(np.int32) if coded.dtype == np.uint16 else coded
