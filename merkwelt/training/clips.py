"""Clips for training: where they come from, which are held out, and in which order they come."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..objectives.objective import Batch
from ..render.motion.trajectory import Trajectory
from ..streams.open_clips import open_clips
from ..streams.plan import Plan
from ..streams.videos.clips import WINDOW_BITS, VideoClips
from ..streams.videos.cut import ClipCut
from .self_motion import self_motion

CACHED_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class TrainingClip:
    """One clip as training needs it."""

    video: Tensor
    """uint8 ``[eye, time, channel, height, width]``."""
    valid_pairs: Tensor | None = None
    """bool ``[time - 1]``: no saccade or blink lies between the frames; None if not known."""
    translation_m: Tensor | None = None
    """float ``[time - 1, 3]``: see ``self_motion``; None if poses or their scale are not known."""
    rotation_rad: Tensor | None = None
    """float ``[time - 1, 3]``: see ``self_motion``; None if poses are not known."""
    clip_class: int | None = None
    """Which of the training clips it is, or of their chunks (see ``ClipClasses``): -1 if it is
    none of them, None if they cannot be counted."""


class ClipSource(Protocol):
    """Clips by id."""

    identity: str
    """Changes when the clips change: a run is resumed on the same clips only."""
    frame_rate_hz: float
    clip_ids: Sequence[int]

    def read(self, clip: int) -> TrainingClip:
        """Return a clip by its id."""
        ...


class StoredClips:
    """The clips of a data set on disk, or of a folder of real videos."""

    def __init__(self, folder: Path | str, *, cut: ClipCut | None = None) -> None:
        """Open a finished data set, or videos that clips are cut from.

        Raises:
            FileNotFoundError: there is no such folder, or a data set that is not finished.
            ValueError: the folder holds neither, or a cut was given for a data set.
        """
        self._clips = open_clips(folder, streams=("video", "trajectory"), cut=cut)
        self.name_in_commands = str(folder).rstrip("/").rsplit("/", 1)[-1]
        if isinstance(self._clips, VideoClips):
            self.identity = self._clips.identity
            self.frame_rate_hz = self._clips.frame_rate_hz
        else:
            self.identity = str(self._clips.plan.id)
            self.frame_rate_hz = float(self._clips.plan.frame_rate_hz)
        self.clip_ids: Sequence[int] = [int(clip) for clip in self._clips.clip_ids]

    def read(self, clip: int) -> TrainingClip:
        """Return a clip; of videos without poses it is not known when eyes were steady."""
        sample = self._clips.sample(clip)
        if sample.video is None:
            raise RuntimeError(f"expected clip {clip} to have video, got {sample}")
        way = sample.trajectory
        if way is None:
            return TrainingClip(video=sample.video)
        translation, rotation = self_motion(way.world_from_eye)
        return TrainingClip(
            video=sample.video,
            valid_pairs=pairs_within_fixations(way),
            translation_m=translation if self._is_metric(clip) else None,
            rotation_rad=rotation,
        )

    def chunk(self, clip: int, seconds: float | None) -> Hashable:
        """Return what is the same for clips out of one chunk of a video of so many seconds.

        Every rendered clip is a walk of its own, and so a chunk; without ``seconds`` every clip is.
        """
        if seconds is None or not isinstance(self._clips, VideoClips):
            return clip
        return clip >> WINDOW_BITS, int(self._clips.times_s(clip)[0] // seconds)

    def _is_metric(self, clip: int) -> bool:
        # Poses beside videos are taken at their word: KITTI's and those of 7-Scenes are metres.
        return isinstance(self._clips, VideoClips) or lengths_are_metres(self._clips.plan, clip)


class MemoryClips:
    """Clips that are in memory already."""

    def __init__(self, videos: Sequence[Tensor], *, frame_rate_hz: float) -> None:
        """Take uint8 videos ``[eye, time, channel, height, width]``; their ids are 0, 1, ..."""
        self._videos = list(videos)
        digest = hashlib.sha256()
        for video in self._videos:
            digest.update(str(tuple(video.shape)).encode())
            digest.update(video.contiguous().numpy().tobytes())
        self.identity = digest.hexdigest()[:16]
        self.frame_rate_hz = frame_rate_hz
        self.clip_ids: Sequence[int] = list(range(len(self._videos)))

    def read(self, clip: int) -> TrainingClip:
        """Return a clip by its id."""
        return TrainingClip(video=self._videos[clip])


def lengths_are_metres(plan: Plan, clip: int) -> bool:
    """Return whether a clip's scene has metric scale, as far as its plan tells.

    Plans of before do not say it of scenes, but refused stereo and signals where it is not known.
    """
    said = plan.scene_of(clip).metric
    if said is not None:
        return said
    return bool(plan.settings.get("stereo", True)) or bool(plan.settings.get("signals", False))


def pairs_within_fixations(trajectory: Trajectory) -> Tensor:
    """Return bool ``[time - 1]``: both frames belong to one fixation, with open and steady eyes."""
    return valid_pairs(trajectory.fixation_id, trajectory.saccade, trajectory.blink)


def valid_pairs(fixation_id: np.ndarray, saccade: np.ndarray, blink: np.ndarray) -> Tensor:
    """Return the same as ``pairs_within_fixations``, from what it depends on, each ``[time]``."""
    disturbed = saccade | blink
    same = fixation_id[1:] == fixation_id[:-1]
    return torch.from_numpy(same & ~disturbed[1:] & ~disturbed[:-1])


def held_out_split(
    clip_ids: Sequence[int], *, share: float, seed: int
) -> tuple[list[int], list[int]]:
    """Return the training and the held-out ids; both depend on the ids, the share and the seed."""
    if len(clip_ids) < 2:
        raise ValueError(
            f"expected at least 2 clips, one to train on and one held out, got {len(clip_ids)}"
        )
    shuffled = [int(clip_ids[i]) for i in _permutation(len(clip_ids), f"held out/{seed}")]
    held_out = min(max(1, round(share * len(clip_ids))), len(clip_ids) - 1)
    return sorted(shuffled[:-held_out]), sorted(shuffled[-held_out:])


def batch_ids(clip_ids: Sequence[int], batch_size: int, *, seed: int, step: int) -> list[int]:
    """Return the ids of one batch of endless shuffled epochs; nothing depends on earlier calls."""
    places = range(step * batch_size, (step + 1) * batch_size)
    count = len(clip_ids)
    orders = {
        epoch: _permutation(count, f"epoch/{seed}/{epoch}")
        for epoch in {place // count for place in places}
    }
    return [int(clip_ids[orders[place // count][place % count]]) for place in places]


class Readable(Protocol):
    """Gives clips by id."""

    frame_rate_hz: float

    def read(self, clip: int) -> TrainingClip:
        """Return a clip by its id."""
        ...


class ClipLoader:
    """Batches of float clips with their truth, from a source."""

    def __init__(
        self,
        source: Readable,
        *,
        eyes: int,
        image_size_px: int | None,
        mask_saccades: bool,
        cache: bool = True,
    ) -> None:
        """Remember how clips are made ready; with ``cache``, what fits in memory is kept there."""
        self.source = source
        self.eyes = eyes
        self.image_size_px = image_size_px
        self.mask_saccades = mask_saccades
        self._cache: dict[int, TrainingClip] = {}
        self._cache_bytes = CACHED_BYTES if cache else 0
        self._cached_bytes = 0

    def batch(self, clips: Sequence[int], device: torch.device) -> Batch:
        """Return clips in [0, 1] and their truth, on a device."""
        read = [self._read(clip) for clip in clips]
        shapes = {tuple(each.video.shape) for each in read}
        if len(shapes) > 1:
            raise ValueError(f"expected clips of one shape in a batch, got {sorted(shapes)}")
        video = torch.stack([each.video[: self.eyes] for each in read])
        truth = {"frame_rate_hz": torch.tensor(self.source.frame_rate_hz)}
        named = {
            "translation_m": [each.translation_m for each in read],
            "rotation_rad": [each.rotation_rad for each in read],
        }
        if self.mask_saccades:
            named["valid_pairs"] = [each.valid_pairs for each in read]
        for name, found in named.items():
            known = [each for each in found if each is not None]
            if len(known) == len(read):
                truth[name] = torch.stack(known).to(device)
        classes = [each.clip_class for each in read if each.clip_class is not None]
        if len(classes) == len(read):
            truth["clip_class"] = torch.tensor(classes, device=device)
        return self._resized(video.to(device).float() / 255), truth

    def batches(self, clips: Sequence[int], size: int, device: torch.device) -> list[Batch]:
        """Return all of some clips, in order, in batches of at most ``size``."""
        parts = [clips[i : i + size] for i in range(0, len(clips), size)]
        return [self.batch(part, device) for part in parts]

    def _read(self, clip: int) -> TrainingClip:
        if clip in self._cache:
            return self._cache[clip]
        read = self.source.read(clip)
        if self._cached_bytes + read.video.nbytes <= self._cache_bytes:
            self._cache[clip] = read
            self._cached_bytes += read.video.nbytes
        return read

    def _resized(self, clips: Tensor) -> Tensor:
        height, width = clips.shape[-2:]
        if self.image_size_px is None or self.image_size_px == height:
            return clips
        size = (self.image_size_px, round(width * self.image_size_px / height))
        return F.interpolate(clips.flatten(0, 2), size=size, mode="area").unflatten(
            0, clips.shape[:3]
        )

    def check(self, clip: int) -> None:
        """Raise ValueError if the encoder cannot see a clip."""
        eyes, frames, _, height, _ = self._read(clip).video.shape
        if eyes < self.eyes:
            raise ValueError(
                f"expected clips of {self.eyes} eyes, got {eyes}; use an encoder with eyes=1 "
                "(--eyes 1) and an objective that does not compare eyes, or render stereo clips"
            )
        if frames < 2:
            raise ValueError("expected clips of at least 2 frames, got 1: nothing changes in it")
        if self.image_size_px is not None and self.image_size_px > height:
            raise ValueError(
                f"expected clips of at least {self.image_size_px} px, got {height} px; frames are "
                "shrunk, never enlarged"
            )


def _permutation(count: int, purpose: str) -> np.ndarray:
    """Return the numbers below ``count`` in an order that depends on the purpose alone."""
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key)).permutation(count)
