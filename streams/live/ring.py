"""A ring of clips in memory that processes share: renderers write its slots, the trainer reads.

The memory has no name: it goes with the last process that holds it, however that ends.
"""

import ctypes
import math
from dataclasses import dataclass
from multiprocessing.sharedctypes import RawArray
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...render.clip import Clip
from ...render.observer.card import Observer
from ...render.render_clip import ClipSettings
from ..plain import from_plain
from ..plan import Plan


@dataclass(frozen=True, kw_only=True)
class ClipShape:
    """The shape that all clips of a plan have."""

    eyes: int
    frames: int
    height: int
    width: int

    @classmethod
    def of(cls, plan: Plan) -> "ClipShape":
        """Return the shape of a plan's clips."""
        settings = from_plain(ClipSettings, plan.settings, where="plan.json: settings")
        observer = Observer.from_dict(dict(plan.observer), where="plan.json: observer")
        return cls(
            eyes=observer.eyes if settings.stereo else 1,
            frames=settings.frames,
            height=settings.camera.height,
            width=settings.camera.width,
        )

    @property
    def video(self) -> tuple[int, int, int, int, int]:
        """``[eye, time, channel, height, width]``."""
        return self.eyes, self.frames, 3, self.height, self.width

    @property
    def poses(self) -> tuple[int, int, int, int]:
        """``[eye, time, 4, 4]``."""
        return self.eyes, self.frames, 4, 4


@dataclass(frozen=True, kw_only=True)
class LiveClip:
    """What training needs of a clip: its pixels, where its eyes were, and when they were steady."""

    video: Tensor
    """uint8 ``[eye, time, channel, height, width]``."""
    fixation_id: np.ndarray
    """int64 ``[time]``."""
    saccade: np.ndarray
    """bool ``[time]``."""
    blink: np.ndarray
    """bool ``[time]``."""
    world_from_eye: np.ndarray
    """float64 ``[eye, time, 4, 4]``."""

    @classmethod
    def of(cls, clip: Clip) -> "LiveClip":
        """Return what training needs of a rendered clip."""
        way = clip.trajectory
        return cls(
            video=clip.video,
            fixation_id=way.fixation_id,
            saccade=way.saccade,
            blink=way.blink,
            world_from_eye=way.world_from_eye,
        )

    def copy(self) -> "LiveClip":
        """Return the same in memory of its own."""
        return LiveClip(
            video=self.video.clone(),
            fixation_id=self.fixation_id.copy(),
            saccade=self.saccade.copy(),
            blink=self.blink.copy(),
            world_from_eye=self.world_from_eye.copy(),
        )


class Ring:
    """Slots for clips of one shape; may be sent to a process that is being started."""

    def __init__(self, shape: ClipShape, slots: int) -> None:
        """Take the memory for ``slots`` clips."""
        self.shape = shape
        self.slots = slots
        self._pixels = RawArray(ctypes.c_uint8, slots * math.prod(shape.video))
        self._fixations = RawArray(ctypes.c_int64, slots * shape.frames)
        self._flags = RawArray(ctypes.c_uint8, slots * shape.frames * 2)
        self._poses = RawArray(ctypes.c_double, slots * math.prod(shape.poses))

    def write(self, slot: int, clip: LiveClip) -> None:
        """Put a clip into a slot.

        Raises:
            ValueError: it has another shape than the ring was made for.
        """
        if tuple(clip.video.shape) != self.shape.video or clip.video.dtype != torch.uint8:
            raise ValueError(
                f"expected video uint8 {self.shape.video}, got {clip.video.dtype} "
                f"{tuple(clip.video.shape)}"
            )
        if clip.world_from_eye.shape != self.shape.poses:
            raise ValueError(
                f"expected poses of eyes {self.shape.poses}, got {clip.world_from_eye.shape}"
            )
        pixels, fixations, flags, poses = self._views(slot)
        pixels[:] = clip.video.numpy()
        fixations[:] = clip.fixation_id
        flags[0], flags[1] = clip.saccade, clip.blink
        poses[:] = clip.world_from_eye

    def read(self, slot: int) -> LiveClip:
        """Return the clip in a slot as a view, which changes when the slot is written again."""
        pixels, fixations, flags, poses = self._views(slot)
        saccade, blink = flags.astype(bool)
        return LiveClip(
            video=torch.from_numpy(pixels),
            fixation_id=fixations,
            saccade=saccade,
            blink=blink,
            world_from_eye=poses,
        )

    def _views(self, slot: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        frames = self.shape.frames
        return (
            _slot(self._pixels, np.uint8, slot, self.shape.video),
            _slot(self._fixations, np.int64, slot, (frames,)),
            _slot(self._flags, np.uint8, slot, (2, frames)),
            _slot(self._poses, np.float64, slot, self.shape.poses),
        )


def _slot(memory: Any, kind: type, slot: int, shape: tuple[int, ...]) -> np.ndarray:  # noqa: ANN401 - a ctypes array
    count = math.prod(shape)
    start = slot * count * np.dtype(kind).itemsize
    return np.frombuffer(memory, kind, count=count, offset=start).reshape(shape)
