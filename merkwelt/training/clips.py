"""Clips for training: where they come from, which are held out, and in which order they come."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..objectives.objective import Batch
from ..render.motion.trajectory import Trajectory
from ..streams.reader import ClipDataset

CACHED_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class TrainingClip:
    """One clip as training needs it."""

    video: Tensor
    """uint8 ``[eye, time, channel, height, width]``."""
    valid_pairs: Tensor | None = None
    """bool ``[time - 1]``: no saccade or blink lies between the frames; None if not known."""


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
    """The clips of a data set on disk."""

    def __init__(self, folder: Path | str) -> None:
        """Open a finished data set."""
        self._dataset = ClipDataset(folder, streams=("video", "trajectory"))
        self.identity = str(self._dataset.plan.id)
        self.frame_rate_hz = float(self._dataset.plan.frame_rate_hz)
        self.clip_ids: Sequence[int] = [int(clip) for clip in self._dataset.clip_ids]

    def read(self, clip: int) -> TrainingClip:
        """Return a clip by its id."""
        sample = self._dataset.sample(clip)
        if sample.video is None or sample.trajectory is None:
            raise RuntimeError(f"expected clip {clip} to have video and trajectory, got {sample}")
        return TrainingClip(
            video=sample.video, valid_pairs=pairs_within_fixations(sample.trajectory)
        )


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
        self.clip_ids = list(range(len(self._videos)))

    def read(self, clip: int) -> TrainingClip:
        """Return a clip by its id."""
        return TrainingClip(video=self._videos[clip])


def pairs_within_fixations(trajectory: Trajectory) -> Tensor:
    """Return bool ``[time - 1]``: both frames belong to one fixation, with open and steady eyes."""
    disturbed = trajectory.saccade | trajectory.blink
    same = trajectory.fixation_id[1:] == trajectory.fixation_id[:-1]
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


class ClipLoader:
    """Batches of float clips with their truth, from a source; keeps what fits in memory."""

    def __init__(
        self, source: ClipSource, *, eyes: int, image_size_px: int | None, mask_saccades: bool
    ) -> None:
        """Look at the first clip, and refuse data that the encoder cannot see."""
        self.source = source
        self.eyes = eyes
        self.image_size_px = image_size_px
        self.mask_saccades = mask_saccades
        self._cache: dict[int, TrainingClip] = {}
        self._cached_bytes = 0
        if not source.clip_ids:
            raise ValueError("expected a data set with clips, got an empty one")
        self._check(self._read(source.clip_ids[0]))

    def batch(self, clips: Sequence[int], device: torch.device) -> Batch:
        """Return clips in [0, 1] and their truth, on a device."""
        read = [self._read(clip) for clip in clips]
        shapes = {tuple(each.video.shape) for each in read}
        if len(shapes) > 1:
            raise ValueError(f"expected clips of one shape in a batch, got {sorted(shapes)}")
        video = torch.stack([each.video[: self.eyes] for each in read])
        truth = {"frame_rate_hz": torch.tensor(self.source.frame_rate_hz)}
        pairs = [each.valid_pairs for each in read if each.valid_pairs is not None]
        if self.mask_saccades and len(pairs) == len(read):
            truth["valid_pairs"] = torch.stack(pairs).to(device)
        return self._resized(video.to(device).float() / 255), truth

    def batches(self, clips: Sequence[int], size: int, device: torch.device) -> list[Batch]:
        """Return all of some clips, in order, in batches of at most ``size``."""
        parts = [clips[i : i + size] for i in range(0, len(clips), size)]
        return [self.batch(part, device) for part in parts]

    def _read(self, clip: int) -> TrainingClip:
        if clip in self._cache:
            return self._cache[clip]
        read = self.source.read(clip)
        if self._cached_bytes + read.video.nbytes <= CACHED_BYTES:
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

    def _check(self, clip: TrainingClip) -> None:
        eyes, frames, _, height, _ = clip.video.shape
        if eyes < self.eyes:
            raise ValueError(
                f"expected clips of {self.eyes} eyes, got {eyes}; use an encoder with eyes=1 or "
                "render stereo clips"
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
