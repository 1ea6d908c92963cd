"""A folder of real videos as a collection of clips."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..collection import ClipCollection
from ..samples import Sample
from .build import build_recordings
from .cut import ClipCut
from .find import find_sources
from .poses import trajectory_of
from .recording import Recording, frames_of
from .window import window_count, window_frames

VIDEO_STREAMS = ("video", "depth", "trajectory", "meta")
WINDOW_BITS = 20
"""Bits of a clip's id that count clips of one recording; the others say which recording."""
_FORMAT = 1


class VideoClips(ClipCollection):
    """Clips cut from the videos, picture sequences and stereo pairs in a folder.

    A clip's id is made of its recording's name below the folder and of its number in the
    recording. So ids stay what they are when the folder is moved, and when recordings are added or
    taken away; ``identity`` then changes, and a training run is not gone on with on other clips.
    Where a recording has a gap the number is left out.

    It may be used by any number of ``DataLoader`` workers and threads: no file is held open
    between reads.

    Example::

        clips = VideoClips("walks", cut=ClipCut(frames=16, size_px=128, frame_rate_hz=10))
        clips.skipped  # {"broken.mp4": "it cannot be decoded: ..."}
        for batch in clips.batches(8, seed=0):
            batch.video  # uint8 [batch, eye, time, 3, height, width]
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        cut: ClipCut | None = None,
        streams: Sequence[str] | None = None,
    ) -> None:
        """Look through a folder, which takes a pass over all video files in it.

        Args:
            folder: the folder, and all folders below it.
            cut: what a clip is, and where the eyes are.
            streams: any of ``video``, ``depth``, ``trajectory`` and ``meta``; by default all, and
                depth if ``cut.depth_unit_m`` is given. A trajectory is None where poses are not
                known, and there is no caption.

        Raises:
            NotADirectoryError: there is no such folder.
            ValueError: nothing in it can be cut into such clips, or recordings of one and of two
                eyes are mixed; says why and what to do.
        """
        self.folder = Path(folder)
        self.cut = cut or ClipCut()
        if not self.folder.is_dir():
            raise NotADirectoryError(f"expected a folder of videos, found none at {self.folder}")
        self.streams = _checked_streams(streams, self.cut)
        found = find_sources(self.folder)
        recordings, self.skipped = build_recordings(found, self.cut)
        """What looks like a recording and gives no clip, by name, and why."""
        self._windows: dict[int, tuple[Recording, np.ndarray]] = {}
        for recording in recordings:
            self._add(recording)
        self._require_clips([source.name for source in found.sources])
        self.recordings = tuple(recording for recording, _ in self._windows.values())
        self.identity = self._identity()

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second of every clip."""
        return self.cut.frame_rate_hz

    @property
    def clip_ids(self) -> np.ndarray:
        """Ids of the clips that are there, int64, ascending."""
        return self._ids

    def sample(self, clip: int) -> Sample:
        """Return a clip by its id.

        Raises:
            KeyError: there is no such clip.
            RuntimeError: a file is damaged or has changed; names it.
        """
        recording, window = self._find(clip)
        frames = frames_of(recording, window, self.cut)
        size_px, unit_m = self.cut.size_px, self.cut.depth_unit_m
        poses, asked = recording.world_from_eye, self.streams
        trajectory = None
        if "trajectory" in asked and poses is not None:
            left = frames[0]
            trajectory = trajectory_of(poses[:, left], recording.eye_times_s[0][left])
        depth = None
        if "depth" in asked and unit_m is not None:
            depth = recording.depth_m(frames, size_px, unit_m)
        return Sample(
            clip=clip,
            scene=recording.name,
            video=recording.video(frames, size_px) if "video" in asked else None,
            depth=depth,
            trajectory=trajectory,
            caption=None,
        )

    def times_s(self, clip: int) -> np.ndarray:
        """Return when the left eye's frames of a clip were taken, ``[time]``, as its file counts.

        Raises:
            KeyError: there is no such clip.
        """
        recording, window = self._find(clip)
        return recording.eye_times_s[0][frames_of(recording, window, self.cut)[0]]

    def __repr__(self) -> str:
        """Say what is cut from what."""
        return (
            f"VideoClips({str(self.folder)!r}, recordings={len(self.recordings)}, "
            f"clips={len(self)}, skipped={len(self.skipped)}, streams={self.streams})"
        )

    def _add(self, recording: Recording) -> None:
        times_s = recording.eye_times_s
        room = window_count(times_s[0], self.cut)
        if room > 1 << WINDOW_BITS:
            self.skipped[recording.name] = (
                f"it has room for {room} clips, more than {1 << WINDOW_BITS}; take a longer stride"
            )
            return
        numbers = np.arange(room)
        _, there = window_frames(times_s, numbers, self.cut)
        if not there.any():
            self.skipped[recording.name] = (
                f"no {self.cut.frames} frames at {self.cut.frame_rate_hz:g} Hz in it are without "
                f"a gap; it lasts {times_s[0][-1] - times_s[0][0]:.4g} s"
            )
            return
        key = recording_key(recording.name)
        if key in self._windows:
            raise ValueError(
                f"{recording.name!r} and {self._windows[key][0].name!r} have the same id by a rare "
                "coincidence; rename one"
            )
        self._windows[key] = (recording, numbers[there])

    def _require_clips(self, names: list[str]) -> None:
        if not self._windows and self.cut.only and not self.skipped:
            raise ValueError(
                f"expected 'only' to name recordings of {self.folder} by their left eye, got "
                f"{list(self.cut.only)}; there are {names[:5]}{' and more' * (len(names) > 5)}"
            )
        if not self._windows:
            reasons = [f"{name}: {why}" for name, why in sorted(self.skipped.items())]
            more = f"; and {len(reasons) - 5} more" if len(reasons) > 5 else ""
            raise ValueError(
                f"{self.folder} gives no clip: "
                + ("; ".join(reasons[:5]) + more if reasons else "it holds no video or pictures")
            )
        by_eyes = {recording.eyes: recording.name for recording, _ in self._windows.values()}
        if len(by_eyes) > 1:
            raise ValueError(
                f"{self.folder} mixes recordings of one eye ({by_eyes[1]}) and of two "
                f"({by_eyes[2]}); ask for eyes=1 (the left eye of all) or eyes=2, or name the ones "
                "to take with 'only'"
            )
        if "depth" in self.streams:
            without = [r.name for r, _ in self._windows.values() if r.depth is None]
            if without:
                raise ValueError(
                    f"depth was asked for, and {without[0]} has none; leave depth_unit_m out, or "
                    "name the ones that have with 'only'"
                )
        self._ids = np.sort(
            np.concatenate([(key << WINDOW_BITS) + ks for key, (_, ks) in self._windows.items()])
        ).astype(np.int64)

    def _find(self, clip: int) -> tuple[Recording, int]:
        key, window = clip >> WINDOW_BITS, clip & ((1 << WINDOW_BITS) - 1)
        recording, windows = self._windows.get(key, (None, np.empty(0)))
        if recording is None or window not in windows:
            raise KeyError(
                f"expected one of the {len(self)} clips of {self.folder}, got {clip}; "
                "'clip_ids' names them"
            )
        return recording, window

    def _identity(self) -> str:
        parts = {
            "format": _FORMAT,
            "cut": asdict(self.cut),
            "recordings": sorted(recording.digest() for recording in self.recordings),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def recording_key(name: str) -> int:
    """Return the part of a clip's id that says its recording: 43 bits of a hash of its name."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - (63 - WINDOW_BITS))


def _checked_streams(streams: Sequence[str] | None, cut: ClipCut) -> tuple[str, ...]:
    if streams is None:
        return tuple(s for s in VIDEO_STREAMS if s != "depth" or cut.depth_unit_m is not None)
    unknown = [stream for stream in streams if stream not in VIDEO_STREAMS]
    if unknown or not streams:
        raise ValueError(
            f"expected streams out of {list(VIDEO_STREAMS)}, which videos can have, got "
            f"{list(streams)}"
        )
    if "depth" in streams and cut.depth_unit_m is None:
        raise ValueError("expected a depth_unit_m of the cut, metres to a step, to read depth by")
    return tuple(streams)
