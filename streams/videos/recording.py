"""A recording: the one or two cameras that saw the same moments, and what is known of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .cut import ClipCut
from .fit import View, cut_out, shrunk, thinned
from .movie import Movie
from .pictures import Pictures, read_codes
from .window import window_frames

Camera = Movie | Pictures
_SAMPLED_BYTES = 1 << 16
_SAMPLED_FILES = 16
UNKNOWN_CODES = (0, 65535)
"""What 16-bit depth pictures say where nothing was measured (Kinect recordings use either)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """One recording as it was indexed; can be pickled, and holds nothing open."""

    name: str
    """The left eye's name in the folder."""
    cameras: tuple[Camera, ...]
    """What was recorded: one for each eye, or one whose pictures hold both."""
    views: tuple[View, ...]
    """How each eye's pictures are made of its camera's; eye 0 is left."""
    stereo: str
    """Where the eyes are, in words."""
    depth: tuple[tuple[Path, ...], ...] | None
    """Files of depth pictures, for each eye those of its camera's pictures."""
    world_from_eye: np.ndarray | None
    """``[eye, n, 4, 4]`` of the left camera's pictures."""

    @property
    def eyes(self) -> int:
        """Number of eyes."""
        return len(self.views)

    @property
    def eye_times_s(self) -> tuple[np.ndarray, ...]:
        """When each eye's frames were taken."""
        times_s = tuple(camera.times_s for camera in self.cameras)
        return times_s if len(times_s) == self.eyes else times_s * self.eyes

    def video(self, frames: np.ndarray, size_px: int) -> Tensor:
        """Return frames ``[eye, time]`` as uint8 ``[eye, time, 3, size, size]``.

        Raises:
            RuntimeError: a file is damaged, or has changed; names it.
        """
        shared = len(self.cameras) < self.eyes
        taken = [c.pictures(f) for c, f in zip(self.cameras, frames.tolist(), strict=False)]
        per_eye = taken * self.eyes if shared else taken
        made = [
            np.stack([shrunk(cut_out(picture, view), size_px) for picture in pictures])
            for pictures, view in zip(per_eye, self.views, strict=True)
        ]
        return torch.from_numpy(np.stack(made))

    def depth_m(self, frames: np.ndarray, size_px: int, unit_m: float) -> Tensor | None:
        """Return z-depth of frames ``[eye, time]``, float32 ``[eye, time, size, size]``.

        It is not interpolated, and 0 where nothing was measured. None if there is none.
        """
        if self.depth is None:
            return None
        eyes = zip(self.depth, frames, self.views, strict=True)
        return torch.stack(
            [
                torch.stack([_depth(files[n], view, size_px, unit_m) for n in numbers])
                for files, numbers, view in eyes
            ]
        )

    def digest(self) -> str:
        """Return a hash of the recording's name, times, files' sizes and parts of their bytes.

        Of a video file the first, middle and last 64 KiB, of pictures the first of 16 of them: a
        change anywhere else that leaves all sizes as they are goes unnoticed.
        """
        digest = hashlib.sha256(f"{self.name}\n{self.views}\n".encode())
        for camera in self.cameras:
            digest.update(np.ascontiguousarray(camera.times_s - camera.times_s[0]).tobytes())
            _add_files(digest, camera.files)
        for files in self.depth or ():
            _add_files(digest, files)
        if self.world_from_eye is not None:
            digest.update(np.ascontiguousarray(self.world_from_eye).tobytes())
        return digest.hexdigest()


def frames_of(recording: Recording, window: int, cut: ClipCut) -> np.ndarray:
    """Return the frames ``[eye, time]`` of a clip of a recording, by its number."""
    frames, _ = window_frames(recording.eye_times_s, np.array([window]), cut)
    return frames[:, 0]


def _depth(file: Path, view: View, size_px: int, unit_m: float) -> Tensor:
    codes = thinned(cut_out(read_codes(file), view), size_px)
    measured = ~np.isin(codes, UNKNOWN_CODES)
    return torch.from_numpy(np.where(measured, codes * unit_m, 0).astype(np.float32))


def _add_files(digest: "hashlib._Hash", files: Sequence[Path]) -> None:
    sizes = [file.stat().st_size for file in files]
    digest.update("\n".join(f"{f.name} {s}" for f, s in zip(files, sizes, strict=True)).encode())
    places = np.unique(np.linspace(0, len(files) - 1, _SAMPLED_FILES).round().astype(int))
    for place in places:
        size = sizes[place]
        starts = (0,) if len(files) > 1 else (0, size // 2, max(0, size - _SAMPLED_BYTES))
        with files[place].open("rb") as file:
            for start in starts:
                file.seek(start)
                digest.update(file.read(_SAMPLED_BYTES))
