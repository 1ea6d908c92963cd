"""One clip as an episode: what its members hold, in the terms of a LeRobotDataset."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..clip_members import VIDEO, decode_eyes, decode_meta, decode_trajectory
from ..truth_members import EYES
from .body import action_of, state_of
from .coding import encode_codes12, encode_playable
from .depth12 import MOST, depth_of_every_code_m, depth_to_codes12
from .features import ACTION, STATE, camera_key
from .layout import LeRobotSettings
from .stats import PictureCounts

COLOUR_CODES = 256
DEPTH_CODES = MOST + 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """What one camera gives in an episode."""

    video: bytes
    """A Matroska file, whose packets are exported."""
    counts: PictureCounts


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """A clip, in the terms of a LeRobotDataset."""

    task: str
    scene: str
    frames: int
    eyes: int
    cameras: Mapping[str, Camera]
    """By their names."""
    columns: Mapping[str, np.ndarray]
    """Numbers by frame, without those that count episodes and tasks."""


def episode_of(members: Mapping[str, bytes], *, rate_hz: int, settings: LeRobotSettings) -> Episode:
    """Return a clip, given by its members, as an episode."""
    meta, trajectory = decode_meta(members), decode_trajectory(members)
    cameras = _colour(members, rate_hz, settings)
    if "depth" in settings.streams:
        cameras |= _depth(members, rate_hz)
    frame_index = np.arange(trajectory.frames)
    return Episode(
        task=meta["caption"],
        scene=meta["scene"],
        frames=trajectory.frames,
        eyes=trajectory.eyes,
        cameras=cameras,
        columns={
            STATE: state_of(trajectory),
            ACTION: action_of(trajectory, frame_rate_hz=rate_hz),
            "fixation_id": trajectory.fixation_id.astype(np.int64),
            "timestamp": (frame_index / rate_hz).astype(np.float32),
            "frame_index": frame_index,
        },
    )


def meaning_of_codes(key: str) -> np.ndarray:
    """Return what the codes of a camera's pictures mean: [0, 1] of colour, metres of depth."""
    if key.endswith("_depth"):
        return depth_of_every_code_m()
    return np.arange(COLOUR_CODES) / (COLOUR_CODES - 1)


def _colour(
    members: Mapping[str, bytes], rate_hz: int, settings: LeRobotSettings
) -> dict[str, Camera]:
    cameras = {}
    for eye, member, frames in zip(EYES, VIDEO, decode_eyes(members, "video"), strict=False):
        video = members[member]
        if settings.pictures == "playable":
            video = encode_playable(frames, frame_rate_hz=rate_hz)
        counts = PictureCounts.of(frames.numpy(), codes_in_all=COLOUR_CODES)
        cameras[camera_key(eye)] = Camera(video=video, counts=counts)
    return cameras


def _depth(members: Mapping[str, bytes], rate_hz: int) -> dict[str, Camera]:
    cameras = {}
    for eye, depth in zip(EYES, decode_eyes(members, "depth"), strict=False):
        codes = depth_to_codes12(depth)
        cameras[camera_key(eye, depth=True)] = Camera(
            video=encode_codes12(codes, frame_rate_hz=rate_hz),
            counts=PictureCounts.of(codes[:, None], codes_in_all=DEPTH_CODES),
        )
    return cameras
