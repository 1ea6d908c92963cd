"""A clip as the named byte strings that a shard holds of it, and back."""

import io
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..render.clip import Clip
from ..render.motion.trajectory import Trajectory
from ..render.words.description import Description
from .depth import FARTHEST, NEAREST
from .plan import Plan
from .signal_members import SIGNALS, encode_signals
from .truth_members import (
    EYES,
    TRUTH_MEMBERS,
    TRUTH_STREAMS,
    decode_truth_eyes,
    encode_truth,
    streams_of,
    truth_meta,
)
from .video import decode_depth, decode_videos, encode_depth, encode_video

FORMAT_VERSION = 1
DESCRIPTION = "description"
VIDEO = tuple(f"{eye}.mkv" for eye in EYES)
DEPTH = tuple(f"depth_{eye}.mkv" for eye in EYES)
TRAJECTORY, META = "trajectory.npz", "meta.json"
USUAL_MEMBERS = (*VIDEO, *DEPTH, TRAJECTORY, META)
MEMBERS = (*USUAL_MEMBERS, SIGNALS, *TRUTH_MEMBERS)
"""Every member that a clip can have, in the order in which they lie in a shard."""
STREAMS: dict[str, tuple[str, ...]] = {
    "video": VIDEO,
    "depth": DEPTH,
    "trajectory": (TRAJECTORY,),
    "meta": (META,),
    "signals": (SIGNALS,),
    **TRUTH_STREAMS,
}
"""What can be asked for when reading, and the members that hold it."""


def clip_name(clip: int) -> str:
    """Return a clip's name in shards: its id with leading zeros."""
    return f"{clip:09d}"


def encode_clip(clip: Clip, plan: Plan) -> dict[str, bytes]:
    """Return the members of a clip by name; equal clips give equal bytes.

    Raises:
        ValueError: the clip is not the shape that it says, or has more than two eyes.
    """
    eyes, rate = clip.video.shape[0], plan.frame_rate_hz
    if clip.video.ndim != 5 or eyes > len(EYES):
        raise ValueError(
            "expected video [eye, time, channel, height, width] of one or two eyes, got "
            f"{tuple(clip.video.shape)}"
        )
    expected = (*clip.video.shape[:2], *clip.video.shape[3:])
    if clip.depth is not None and tuple(clip.depth.shape) != expected:
        raise ValueError(f"expected depth {expected}, got {tuple(clip.depth.shape)}")
    members = {
        name: encode_video(video, frame_rate_hz=rate, profile=plan.storage.profile)
        for name, video in zip(VIDEO, clip.video.cpu(), strict=False)
    }
    if clip.depth is not None:
        for name, depth in zip(DEPTH, clip.depth.cpu(), strict=False):
            members[name] = encode_depth(depth, frame_rate_hz=rate)
    buffer = io.BytesIO()
    # savez dates every array 1980-01-01, so equal trajectories give equal bytes.
    np.savez_compressed(buffer, **clip.trajectory.to_arrays())  # type: ignore[arg-type]
    members[TRAJECTORY] = buffer.getvalue()
    # Sorted, because a plan that was read from its file may list its settings in another order.
    meta = json.dumps(_meta(clip, plan), indent=1, sort_keys=True, allow_nan=False)
    members[META] = (meta + "\n").encode()
    if clip.signals is not None:
        members[SIGNALS] = encode_signals(clip.signals)
    return members | encode_truth(clip.truth, expected, frame_rate_hz=rate)


def promised_members(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the members that every clip of a plan's settings must have: those of the left eye."""
    streams = ["video", "trajectory", "meta", *streams_of(settings.get("truth", ()))]
    if settings.get("depth", True):
        streams.append("depth")
    if settings.get("signals", False):
        streams.append("signals")
    return tuple(STREAMS[stream][0] for stream in streams)


def decode_eyes(
    members: Mapping[str, bytes],
    stream: str,
    wanted: Sequence[int] | None = None,
    *,
    into: Tensor | None = None,
) -> Tensor:
    """Return ``video`` ``[eye, time, 3, h, w]``, ``depth`` or ground truth ``[eye, time, ...]``.

    ``wanted`` are the ascending numbers of the frames to return; None for all. Video is written
    ``into`` a tensor if that has its shape.
    """
    if stream in TRUTH_STREAMS:
        return decode_truth_eyes(members, stream, wanted)
    there = [members[name] for name in STREAMS[stream] if name in members]
    if stream == "video":
        return decode_videos(there, wanted, into=into)
    return torch.stack([decode_depth(data, wanted) for data in there])


def decode_trajectory(members: Mapping[str, bytes]) -> Trajectory:
    """Return the trajectory of a clip; nothing in it can run code."""
    with np.load(io.BytesIO(members[TRAJECTORY]), allow_pickle=False) as arrays:
        return Trajectory.from_arrays(dict(arrays))


def decode_meta(members: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what is written about a clip: scene, caption, seed, settings."""
    return json.loads(members[META])


def decode_description(meta: Mapping[str, Any]) -> Description | None:
    """Return the description in a clip's meta; None in data sets from before there were any."""
    if DESCRIPTION not in meta:
        return None
    return Description.from_dict(meta[DESCRIPTION], where=f"meta.json of clip {meta['key']}")


def checksum(data: bytes) -> int:
    """Return the CRC-32 by which a damaged member is known."""
    return zlib.crc32(data)


def _meta(clip: Clip, plan: Plan) -> dict[str, Any]:
    eyes, frames, _, height, width = clip.video.shape
    scene = plan.scene_of(clip.key.clip)
    return {
        "format": FORMAT_VERSION,
        "key": clip_name(clip.key.clip),
        "clip": clip.key.clip,
        "dataset_seed": clip.key.dataset_seed,
        "scene": scene.name,
        "scene_sha256": scene.sha256,
        "plan": plan.id,
        "caption": clip.caption,
        "attempts": clip.attempts,
        "eyes": eyes,
        "frames": frames,
        "height": height,
        "width": width,
        "frame_rate_hz": plan.frame_rate_hz,
        "profile": plan.storage.profile,
        "depth_codes": None if clip.depth is None else _DEPTH_CODES,
        "settings": dict(plan.settings),
        **({} if clip.description is None else {DESCRIPTION: clip.description.to_dict()}),
        **truth_meta(clip.truth),
    }


_DEPTH_CODES = {
    "meaning": "z-depth in world units: 0 unknown, 65535 infinite, else "
    "nearest * (farthest / nearest) ** ((code - 1) / 65533)",
    "nearest": NEAREST,
    "farthest": FARTHEST,
}
